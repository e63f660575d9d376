/** What vitest's reporters are told of a test: why it was skipped, and what its docks did when it failed. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestAnnotation, TestAttachment, TestContext } from "vitest";
import { visible } from "../visible.js";
import { callAt } from "./declared.js";
import type { Place } from "./place.js";
import { storyOf, summaryOf } from "./story.js";

type Annotating = Pick<TestContext, "annotate" | "task">;

/** Skips the test, with a reason that reaches every reporter: some leave out what `skip` says, and show annotations. */
export function skipFor({ annotate, skip, task }: Pick<TestContext, "annotate" | "skip" | "task">, reason: string): never {
  Object.assign(task.meta, { skipped: reason }); // which JSON has
  annotate(reason, "skipped").catch(() => {}); // what is skipped is told in any case
  return skip(reason);
}

/**
 * Gives a failing test what its docks did: on the console, which JUnit and HTML reports keep by the test, and as attachments, of which one is a trace for
 * `dl7450 trace show`.
 */
export async function reportFailure(context: Annotating, places: readonly Place[]): Promise<void> {
  for (const place of places) {
    const kept = await keepTrace(context, place).catch((error: unknown) => `the trace can't be kept: ${error}`);
    const story = `${storyOf(place)}\n\n${visible(kept)}`;
    console.error(story);
    await annotateLate(context, summaryOf(place), "dock", { contentType: "text/plain", body: Buffer.from(story) });
  }
}

/** Has vitest keep a trace as a file: its memory isn't for the frames of all tests that fail. Says how to look at it. */
async function keepTrace(context: Annotating, { box, port }: Place): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "dl7450-trace-"));
  try {
    const path = join(folder, "trace.ndjson");
    await writeFile(path, box.trace(port), { mode: 0o600 }); // it has the values of keys
    const contentType = "application/x-ndjson";
    const kept = await annotateLate(context, "all frames", "dock", { contentType, path });
    return `all frames: dl7450 trace show ${kept?.attachment?.path ?? "FILE"}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Annotates a test that has failed, which vitest takes for too late, though its reporters wait for the end of the fixtures. */
async function annotateLate(
  { annotate, task }: Annotating,
  message: string,
  type: string,
  attached: TestAttachment,
): Promise<TestAnnotation | undefined> {
  const { result } = task;
  if (result === undefined) return undefined;
  const { state } = result;
  let done: Promise<TestAnnotation>;
  try {
    result.state = "run"; // which annotating looks at at once, and not again
    done = callAt(task, () => annotate(message, type, attached));
  } finally {
    result.state = state;
  }
  return await done;
}
