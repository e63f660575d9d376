/** Data to stdout, talk to stderr. */
import type { Writable } from "node:stream";
import { jsonText } from "../json-text.js";
import { systemCode } from "../output-message.js";
import { visible } from "../visible.js";
import { outputError } from "./cli-error.js";
import type { Context } from "./context.js";
import { writeEvent } from "./events.js";
import type { GlobalOptions } from "./options.js";

/** Whoever read stdout has seen enough, as `head` does: no failure. */
export class StdoutClosed extends Error {}

/** Writes data, and waits until the reader has made room for it. */
export async function writeOut({ stdout, signal }: Context, data: string | Uint8Array): Promise<void> {
  try {
    await writeTo(stdout, data, signal);
  } catch (error) {
    if (systemCode(error) === "EPIPE") throw new StdoutClosed();
    throw signal.aborted ? error : outputError("stdout", error);
  }
}

/** Waits for data to be written that a verdict follows, which is the same when the reader has seen enough. */
export async function thoughUnread(writing: Promise<void>): Promise<void> {
  await writing.catch((error: unknown) => {
    if (!(error instanceof StdoutClosed)) throw error;
  });
}

/** Writes JSON. */
export async function writeJson(context: Context, value: object): Promise<void> {
  await writeOut(context, `${jsonText(value, 2)}\n`);
}

/** Says something that isn't data, on a line. Nobody has to hear it. */
export function remark(
  { stderr }: Context,
  { quiet, progress }: Pick<GlobalOptions, "quiet" | "progress">,
  text: string,
): void {
  if (progress === "json") writeEvent(stderr, { event: "remark", text });
  else if (quiet !== true) stderr.write(`${visible(text)}\n`);
}

/** Writes to a stream and waits until it is through, or rejects: also when the signal comes while a reader makes it wait. */
export function writeTo(stream: Writable, data: string | Uint8Array, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    stream.write(data, (error) => {
      signal.removeEventListener("abort", abort);
      if (error) reject(error);
      else resolve();
    });
  });
}
