/** The file of `--trace`: all that passes along the lines that a command opens, as protocol/trace.ts reads it. */
import { closeSync, openSync, readSync, realpathSync, rmSync, statSync, writeSync } from "node:fs";
import type { Clock } from "../clock.js";
import type { TraceEvent } from "../link.js";
import { headerLine, lineOf, recordsOf } from "../trace/lines.js";
import { CliError, outputError } from "./cli-error.js";

type State =
  | { readonly kind: "unused" }
  | { readonly kind: "open"; readonly path: string; readonly file: number; readonly begun: number }
  | { readonly kind: "failed"; readonly error: CliError };

/**
 * Each event is on the disk's way before the next one happens, so that a process that is killed leaves all that it has seen, and nothing
 * piles up in memory. A file that can't be written any more disturbs nobody: what is wrong with it is told at the end.
 */
export class CommandTrace {
  readonly #clock: Clock;
  readonly #writeSync: (file: number, bytes: Uint8Array, offset: number) => number;
  #state: State = { kind: "unused" };

  /** @param write puts bytes from `offset` on into a file, and says how many it took */
  constructor(clock: Clock, write: (file: number, bytes: Uint8Array, offset: number) => number = writeSync) {
    this.#clock = clock;
    this.#writeSync = write;
  }

  /**
   * What writes down a link's events. The first call of a command makes the file, in place of a trace that there is; others go on with it. Fails, before
   * anything is done, with `OUTPUT` when it can't be made, and with `USAGE` when it is another file than a trace.
   */
  tracer(path: string, target: string): (event: TraceEvent) => void {
    if (this.#state.kind === "unused") this.#begin(path, target);
    return (event) => this.#write(event);
  }

  /** No more is to come. Gives what went wrong, if something did. */
  end(): CliError | undefined {
    const state = this.#state;
    this.#state = { kind: "unused" };
    if (state.kind === "failed") return state.error;
    try {
      if (state.kind === "open") closeSync(state.file);
      return undefined;
    } catch (error) {
      return outputError("the trace", error);
    }
  }

  #begin(path: string, target: string): void {
    const begun = this.#clock.now();
    try {
      this.#state = { kind: "open", path, begun, file: newFile(path) };
    } catch (error) {
      throw error instanceof CliError ? error : outputError(path, error);
    }
    try {
      this.#writeLine(headerLine(target, new Date()));
    } catch (error) {
      this.#fail(path, error);
    }
  }

  #write(event: TraceEvent): void {
    if (this.#state.kind !== "open") return;
    const { begun, path } = this.#state;
    try {
      for (const record of recordsOf(event, begun)) this.#writeLine(lineOf(record));
    } catch (error) {
      this.#fail(path, error);
    }
  }

  #writeLine(line: string): void {
    if (this.#state.kind !== "open") return;
    const bytes = Buffer.from(`${line}\n`);
    for (let at = 0; at < bytes.length; ) at += this.#writeSync(this.#state.file, bytes, at); // a disk that is nearly full takes a part
  }

  #fail(path: string, error: unknown): void {
    if (this.#state.kind === "open") closeQuietly(this.#state.file);
    this.#state = { kind: "failed", error: error instanceof CliError ? error : outputError(path, error) };
  }
}

/** A file that only its owner can read, in place of one that others may be able to. */
function newFile(path: string): number {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there !== undefined && !there.isFile()) {
    throw new CliError("OUTPUT", `${path} can't be written: a trace is written to a file, which it isn't.`);
  }
  if (there !== undefined && there.size > 0 && !isTrace(path)) {
    throw new CliError("USAGE", `${path} is there, and is no trace: it isn't replaced by one.`);
  }
  const target = there === undefined ? path : realpathSync(path); // a link stays a link
  rmSync(target, { force: true });
  return openSync(target, "wx", 0o600);
}

/** What every trace begins with. */
const BEGINNING = '{"dl7450":"trace"';

function isTrace(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const head = Buffer.alloc(BEGINNING.length);
    return readSync(file, head) === head.length && head.toString() === BEGINNING;
  } finally {
    closeSync(file);
  }
}

function closeQuietly(file: number): void {
  try {
    closeSync(file);
  } catch {} // that it couldn't be written is what matters
}
