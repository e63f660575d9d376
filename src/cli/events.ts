/** What goes on, for a program that looks on: with `--progress json` stderr has nothing else, an object a line. */
import type { Writable } from "node:stream";
import { jsonText } from "../json-text.js";
import type { CliErrorCode, ExitCode } from "./exit-codes.js";

export type Event =
  /** The first. */
  | { readonly event: "start"; readonly version: string }
  /** How many bytes of images have moved, of how many; `what` is a tag, or what is done with all of them. */
  | { readonly event: "progress"; readonly what: string; readonly moved: number; readonly size: number }
  /** What would have been said to a person. */
  | { readonly event: "remark"; readonly text: string }
  | { readonly event: "error"; readonly code: CliErrorCode; readonly message: string; readonly exitCode: ExitCode }
  /** The last. */
  | { readonly event: "result"; readonly exitCode: ExitCode };

export function writeEvent(stderr: Writable, event: Event): void {
  stderr.write(`${jsonText(event)}\n`);
}

/** Looked up by hand, since a command line that can't be parsed has a start and a result as well. */
export function wantsEvents(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  const flags = argv.slice(0, end === -1 ? argv.length : end);
  const last = flags.findLastIndex((flag) => flag === "--progress" || flag.startsWith("--progress="));
  return flags[last] === "--progress" ? flags[last + 1] === "json" : flags[last] === "--progress=json";
}
