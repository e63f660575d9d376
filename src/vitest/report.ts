/** What vitest's reporters are told of a test: why it was skipped, and what its docks did when it failed. */
import type { TestAttachment, TestContext } from "vitest";
import { callAt } from "./declared.js";
import type { Place } from "./place.js";
import { storyOf, summaryOf } from "./story.js";

type Annotating = Pick<TestContext, "annotate" | "task">;

/** Skips the test, with a reason that reaches every reporter: some leave out what `skip` says, and show annotations. */
export function skipFor({ annotate, skip }: Pick<TestContext, "annotate" | "skip">, reason: string): never {
  annotate(reason, "skipped").catch(() => {}); // what is skipped is told in any case
  return skip(reason);
}

/**
 * Gives a failing test what its docks did: on the console, which JUnit and HTML reports keep by the test, and as attachments, of which one is a trace for
 * `dl7450 trace show`.
 */
export async function reportFailure(context: Annotating, places: readonly Place[]): Promise<void> {
  for (const place of places) {
    const story = storyOf(place);
    console.error(story);
    await annotateLate(context, summaryOf(place), "dock", { contentType: "text/plain", body: Buffer.from(story) });
    const trace = Buffer.from(place.box.trace(place.port));
    await annotateLate(context, "all frames: dl7450 trace show FILE", "dock", {
      contentType: "application/x-ndjson",
      body: trace,
    });
  }
}

/** Annotates a test that has failed, which vitest takes for too late, though its reporters wait for the end of the fixtures. */
async function annotateLate(
  { annotate, task }: Annotating,
  message: string,
  type: string,
  attached: TestAttachment,
): Promise<void> {
  const { result } = task;
  if (result === undefined) return;
  const { state } = result;
  let done: Promise<unknown>;
  try {
    result.state = "run"; // which annotating looks at at once, and not again
    done = callAt(task, () => annotate(message, type, attached));
  } finally {
    result.state = state;
  }
  await done;
}
