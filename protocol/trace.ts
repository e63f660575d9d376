/** A trace as a file: what has passed along a line, an object of JSON a line. Takes any bytes, and says what is wrong with them. */
import * as v from "valibot";
import { TRACE_FORMAT } from "./trace-format.js";

/** What a line of a trace tells. `at` is in milliseconds since the trace was begun, `out` is to the dock. */
export type TraceRecord =
  /** The first line: `{"dl7450": "trace", "format": 1, "software", "target", "startedAt"}`. */
  | { readonly kind: "header"; readonly software: string; readonly target: string; readonly startedAt: string }
  /** A line to a dock is open, the first one or another: `{"at", "opened"}`, with the line's name. */
  | { readonly kind: "opened"; readonly at: number; readonly line: string }
  /** The body of a frame, in base64: `{"at", "dir", "body"}`. */
  | { readonly kind: "frame"; readonly at: number; readonly dir: "out" | "in"; readonly body: Uint8Array }
  /** Console text, cut anywhere: `{"at", "dir": "in", "text"}`. */
  | { readonly kind: "text"; readonly at: number; readonly text: string }
  /** What was no message: `{"at", "dir": "in", "dropped", "bytes"}`, with `detail` and `body` where the frame was whole. */
  | {
      readonly kind: "dropped";
      readonly at: number;
      readonly why: string;
      readonly bytes: number;
      readonly detail?: string;
      readonly body?: Uint8Array;
    }
  /** The line is gone: `{"at", "lost"}`, with the reason. */
  | { readonly kind: "lost"; readonly at: number; readonly why: string };

/** What became of a line. */
export type TraceLine =
  | { readonly kind: "record"; readonly record: TraceRecord }
  /** It is to be passed over. The first line of a file is number 1. */
  | { readonly kind: "broken"; readonly number: number; readonly why: string };

/** It isn't a trace, or one of another format. The message says which, as the end of a sentence. */
export class NotATrace extends Error {}

/** Longest line that is read, in bytes: the largest body is some 90 kB as base64. */
const LONGEST_LINE = 256 * 1024;
const NEWLINE = 0x0a;

/** Cuts the bytes of a file into lines and reads them, in bounded memory. Empty lines don't count. */
export class TraceReader {
  #parts: Uint8Array[] = [];
  /** Bytes of the line that has begun; beyond the longest they aren't kept. */
  #length = 0;
  #number = 1;
  #hasHeader = false;

  /** Takes bytes, and gives the lines that they end. Throws `NotATrace`. */
  feed(chunk: Uint8Array): TraceLine[] {
    const lines: TraceLine[] = [];
    for (let at = 0; at < chunk.length; ) {
      const newline = chunk.indexOf(NEWLINE, at);
      this.#take(chunk.subarray(at, newline < 0 ? chunk.length : newline));
      if (newline < 0) break;
      lines.push(...this.#line("it"));
      at = newline + 1;
    }
    return lines;
  }

  /** The file has ended: gives what a last line without its end comes to. Throws `NotATrace`. */
  end(): TraceLine[] {
    const lines = this.#line("its end is missing, as when its writer was killed, or is writing still: it");
    if (!this.#hasHeader) throw new NotATrace("is empty");
    return lines;
  }

  #take(bytes: Uint8Array): void {
    this.#length += bytes.length;
    if (this.#length > LONGEST_LINE && !this.#hasHeader) throw new NotATrace("is no trace"); // it may never end
    if (this.#length > LONGEST_LINE) this.#parts = [];
    else this.#parts.push(new Uint8Array(bytes)); // a copy: the chunk isn't ours
  }

  /** @param it how a broken line is spoken of */
  #line(it: string): TraceLine[] {
    const number = this.#number++;
    const isLong = this.#length > LONGEST_LINE;
    const text = Buffer.concat(this.#parts)
      .toString()
      .replace(/^\ufeff/, "");
    this.#parts = [];
    this.#length = 0;
    if (!isLong && text.trim() === "") return [];
    const record = isLong ? `is longer than ${LONGEST_LINE} bytes` : recordOf(text);
    if (typeof record !== "string") {
      if (record.kind !== "header" && !this.#hasHeader) throw new NotATrace("doesn't begin as a trace does");
      this.#hasHeader = true;
      return [{ kind: "record", record }];
    }
    if (!this.#hasHeader) throw new NotATrace("is no trace");
    return [{ kind: "broken", number, why: `${it} ${record}` }];
  }
}

const at = v.pipe(v.number(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));
const body = v.pipe(
  v.string(),
  v.transform((text) => ({ text, bytes: new Uint8Array(Buffer.from(text, "base64")) })),
  v.check(({ text, bytes }) => Buffer.from(bytes.buffer).toString("base64") === text), // Buffer.from leaves out what isn't base64
  v.transform(({ bytes }) => bytes),
);
const header = v.object({
  dl7450: v.literal("trace"),
  format: v.literal(TRACE_FORMAT),
  software: v.string(),
  target: v.string(),
  startedAt: v.string(),
});
const dropped = v.object({
  at,
  dropped: v.string(),
  bytes: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  detail: v.exactOptional(v.string()),
  body: v.exactOptional(body),
});

/** A line of each kind, told by the key that only it has. */
const lines: readonly (readonly [key: string, schema: v.GenericSchema<unknown, TraceRecord>])[] = [
  [
    "dl7450",
    v.pipe(
      header,
      v.transform(({ software, target, startedAt }): TraceRecord => ({ kind: "header", software, target, startedAt })),
    ),
  ],
  [
    "opened",
    v.pipe(
      v.object({ at, opened: v.string() }),
      v.transform(({ at, opened }): TraceRecord => ({ kind: "opened", at, line: opened })),
    ),
  ],
  [
    "lost",
    v.pipe(
      v.object({ at, lost: v.string() }),
      v.transform(({ at, lost }): TraceRecord => ({ kind: "lost", at, why: lost })),
    ),
  ],
  [
    "dropped",
    v.pipe(
      dropped,
      v.transform(({ dropped, ...rest }): TraceRecord => ({ kind: "dropped", why: dropped, ...rest })),
    ),
  ],
  [
    "text",
    v.pipe(
      v.object({ at, text: v.string() }),
      v.transform((it): TraceRecord => ({ kind: "text", ...it })),
    ),
  ],
  [
    "body",
    v.pipe(
      v.object({ at, dir: v.picklist(["out", "in"]), body }),
      v.transform((it): TraceRecord => ({ kind: "frame", ...it })),
    ),
  ],
];

/** What a line says, or what is wrong with it. */
function recordOf(text: string): TraceRecord | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return "isn't JSON";
  }
  if (typeof json !== "object" || json === null) return "isn't an object";
  if ("dl7450" in json && "format" in json) checkFormat(json.format);
  const [, schema] = lines.find(([key]) => Object.hasOwn(json, key)) ?? [];
  if (schema === undefined) return "is none of a trace's";
  const parsed = v.safeParse(schema, json, { abortEarly: true });
  if (parsed.success) return parsed.output;
  return `lacks a right ${v.getDotPath(parsed.issues[0]) ?? "form"}`;
}

function checkFormat(format: unknown): void {
  if (format === TRACE_FORMAT) return;
  const which = typeof format === "number" ? `format ${format}` : "a format of its own";
  throw new NotATrace(`has ${which}, and this program reads format ${TRACE_FORMAT}: it was written by another version`);
}
