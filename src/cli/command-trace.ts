/** The file of `--trace`: all that passes along the lines that a command opens, as protocol/trace.ts reads it. */
import { closeSync, openSync, readSync, realpathSync, rmSync, statSync, writeSync } from "node:fs";
import { TRACE_FORMAT } from "../../protocol/trace-format.js";
import type { Clock } from "../clock.js";
import type { TraceEvent } from "../link.js";
import { version } from "../version.js";
import { CliError, outputError } from "./cli-error.js";
import { jsonText } from "./json-text.js";

type State =
  | { readonly kind: "unused" }
  | { readonly kind: "open"; readonly path: string; readonly file: number; readonly begun: number }
  | { readonly kind: "failed"; readonly error: CliError };

/** Characters of text from outside in one line: whoever reads a trace bounds its lines. */
const MOST_TEXT = 8_192;

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
    const header = { dl7450: "trace", format: TRACE_FORMAT, software: `dl7450 ${version}`, target };
    try {
      this.#state = { kind: "open", path, begun, file: newFile(path) };
    } catch (error) {
      throw error instanceof CliError ? error : outputError(path, error);
    }
    try {
      this.#writeLine(jsonText({ ...header, startedAt: new Date().toISOString() }));
    } catch (error) {
      this.#fail(path, error);
    }
  }

  #write(event: TraceEvent): void {
    if (this.#state.kind !== "open") return;
    const { begun, path } = this.#state;
    const at = Math.max(0, Math.round((event.at - begun) * 1_000) / 1_000);
    try {
      for (const line of linesOf(event, at)) this.#writeLine(line);
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

function linesOf(event: TraceEvent, at: number): string[] {
  switch (event.kind) {
    case "opened":
      return [jsonText({ at, opened: event.line.slice(0, MOST_TEXT) })];
    case "sent":
      return [frameLine(at, "out", event.body)];
    case "received":
      return [frameLine(at, "in", event.body)];
    case "text":
      return textLines(at, event.text);
    case "dropped": {
      const { why, bytes, detail, body } = event;
      const known = { ...(detail === undefined ? {} : { detail: detail.slice(0, MOST_TEXT) }) };
      return [
        jsonText({ at, dir: "in", dropped: why, bytes, ...known, ...(body === undefined ? {} : { body: base64(body) }) }),
      ];
    }
    case "lost":
      return [jsonText({ at, lost: event.why.slice(0, MOST_TEXT) })];
  }
}

/** Nothing in it needs an escape. */
function frameLine(at: number, dir: "out" | "in", body: Uint8Array): string {
  return `{"at":${at},"dir":"${dir}","body":"${base64(body)}"}`;
}

function textLines(at: number, text: string): string[] {
  const lines: string[] = [];
  for (let from = 0; from < text.length; ) {
    const half = /[\ud800-\udbff]/.test(text.charAt(from + MOST_TEXT - 1)) ? 1 : 0; // of a character that is two
    const to = from + MOST_TEXT - half;
    lines.push(jsonText({ at, dir: "in", text: text.slice(from, to) }));
    from = to;
  }
  return lines;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
