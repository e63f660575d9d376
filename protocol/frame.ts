/** Frames: `00 COBS(body ‖ CRC-32(body)) 00` on the line, and what else comes along it (SPEC §1.2 to §1.5). */
import { cobsBound, cobsDecode, cobsEncode } from "./cobs.js";
import { CRC_BYTES, crc32 } from "./crc.js";

/** Stands before and after each frame, and nowhere inside. */
export const DELIMITER = 0x00;
export const DELIMITER_BYTES: Uint8Array = Uint8Array.of(DELIMITER);

const NOTHING: Buffer = Buffer.alloc(0);

/** Most bytes that a frame of a body of `maxBody` bytes has between its delimiters (SPEC §1.4). */
export function frameBound(maxBody: number): number {
  return cobsBound(maxBody + CRC_BYTES);
}

/** The frame of `body`, with the delimiter after it. The one before it is for the sender to decide (SPEC §1.2). */
export function encodeFrame(body: Uint8Array): Uint8Array {
  const frame = Buffer.allocUnsafe(frameBound(body.length) + 1);
  return frame.subarray(0, writeFrame(body, frame, 0));
}

/**
 * Writes the frame of `body`, with the delimiter after it, into `out` from `at` on, and returns the index after it.
 * `out` must have room for `frameBound(body.length) + 1` bytes there.
 */
function writeFrame(body: Uint8Array, out: Buffer, at: number): number {
  const length = body.length + CRC_BYTES;
  // At the end of its place, to be stuffed from there towards the beginning: what is written never reaches what is still to be read.
  const from = at + frameBound(body.length) - length;
  out.set(body, from);
  out.writeUInt32LE(crc32(body), from + body.length);
  const end = cobsEncode(out.subarray(from, from + length), out, at);
  out[end] = DELIMITER;
  return end + 1;
}

/** Frames that go out in one write: a delimiter before the first, and one after each (SPEC §1.2). */
export class FrameBatch {
  #memory = NOTHING;
  /** Where in the memory the batch begins and ends. What is before it was taken. */
  #from = 0;
  #to = 0;
  #frames = 0;

  /** How many there are; console text isn't counted. */
  get frames(): number {
    return this.#frames;
  }

  /** What the batch has become, delimiters included. */
  get bytes(): number {
    return this.#to - this.#from;
  }

  /** Adds the frame of a body. */
  add(body: Uint8Array): void {
    this.#begin(frameBound(body.length) + 1);
    this.#to = writeFrame(body, this.#memory, this.#to);
    this.#frames++;
  }

  /** Adds console text as it is, without the control characters that can't be in it (SPEC §1.5). */
  addText(text: string): void {
    let run = Buffer.from(text).filter(isText);
    while (run.length > 1 && stateOf(run) === "frame") {
      this.#addRun(run.subarray(0, 1)); // with what follows it would be taken for a frame; alone it is text
      run = run.subarray(1);
    }
    if (run.length > 0) this.#addRun(run);
  }

  #addRun(run: Uint8Array): void {
    this.#begin(run.length + 1);
    this.#memory.set(run, this.#to);
    this.#to += run.length;
    this.#memory[this.#to++] = DELIMITER;
  }

  /** What was added since it was taken last. Its memory isn't written to any more. */
  take(): Buffer {
    const batch = this.#memory.subarray(this.#from, this.#to);
    this.#from = this.#to;
    this.#frames = 0;
    if (this.#memory.length > BATCH_MEMORY) this.#letGo(); // or what was large once would stay so
    return batch;
  }

  /** Makes room for `bytes` more, after the delimiter that stands before everything. */
  #begin(bytes: number): void {
    const needed = bytes + 1;
    if (this.#memory.length - this.#to < needed) {
      const memory = Buffer.allocUnsafeSlow(Math.max(BATCH_MEMORY, 2 * this.bytes + needed));
      this.#to = this.#memory.copy(memory, 0, this.#from, this.#to);
      this.#from = 0;
      this.#memory = memory;
    }
    if (this.bytes === 0) this.#memory[this.#to++] = DELIMITER;
  }

  #letGo(): void {
    this.#memory = NOTHING;
    this.#from = this.#to = 0;
  }
}

/** Bytes of memory that batches are made in, one after the other: some of the largest that a link writes at once. */
const BATCH_MEMORY = 256 * 1024;

/** Why a run of bytes between two delimiters gave no body. */
export type FrameLoss = "oversize" | "cobs" | "crc";

/** What a run of bytes between two delimiters was. */
export type DecodedFrame =
  | { readonly kind: "body"; readonly body: Uint8Array }
  | { readonly kind: "empty" }
  | { readonly kind: "lost"; readonly why: FrameLoss; readonly bytes: number };

/**
 * Takes the body out of the bytes between two delimiters. Works in place: `run` is changed, and the body is a part of it.
 * @param maxBody the receiver's body limit in bytes
 */
export function decodeFrame(run: Uint8Array, maxBody: number): DecodedFrame {
  const bytes = run.length;
  if (bytes === 0) return { kind: "empty" };
  if (bytes > frameBound(maxBody)) return { kind: "lost", why: "oversize", bytes };
  const checked = cobsDecode(run);
  if (checked === undefined) return { kind: "lost", why: "cobs", bytes };
  const length = checked.length - CRC_BYTES;
  if (length < 1) return { kind: "lost", why: "crc", bytes };
  const body = checked.subarray(0, length);
  const check = Buffer.from(checked.buffer, checked.byteOffset + length, CRC_BYTES).readUInt32LE();
  if (crc32(body) !== check) return { kind: "lost", why: "crc", bytes };
  if (length > maxBody) return { kind: "lost", why: "oversize", bytes };
  return { kind: "body", body };
}

/** What a `LineGuard` makes of bytes that came in. */
export type LinePiece =
  /** Bytes that may be frames, with their delimiters, to be split at the delimiters. */
  | { readonly kind: "frames"; readonly bytes: Uint8Array }
  /** Console text, as it comes in: a piece may end in the middle of a character. */
  | { readonly kind: "text"; readonly bytes: Uint8Array }
  /** Bytes that are neither, and were dropped. */
  | { readonly kind: "noise"; readonly bytes: number };

type RunState = "start" | "frame" | "text" | "dropping";

/**
 * Stands between a line and whatever splits it at the delimiters. It sorts out console text and noise by the second byte of a
 * run (SPEC §1.5), and bounds how many bytes without a delimiter it lets through: one more than a frame can have, which
 * `decodeFrame` then calls oversize. It holds back one byte at most.
 */
export class LineGuard {
  #state: RunState = "start";
  /** The first byte of a run, while the second hasn't come. */
  #held: Uint8Array = NOTHING;
  /** Bytes that may still pass in this run. */
  #room: number;
  readonly #bound: number;

  /** @param maxBody the receiver's body limit in bytes */
  constructor(maxBody: number) {
    this.#bound = frameBound(maxBody) + 1;
    this.#room = this.#bound;
  }

  /** Takes bytes off the line and says what they are. The pieces share memory with `chunk`. */
  feed(chunk: Uint8Array): LinePiece[] {
    const pieces: LinePiece[] = [];
    for (let at = 0; at < chunk.length; ) {
      const delimiter = chunk.indexOf(DELIMITER, at);
      const end = delimiter < 0 ? chunk.length : delimiter;
      if (end > at) this.#run(chunk.subarray(at, end), pieces);
      if (delimiter < 0) break;
      this.#endRun(chunk.subarray(delimiter, delimiter + 1), pieces);
      at = delimiter + 1;
    }
    return pieces;
  }

  #run(bytes: Uint8Array, pieces: LinePiece[]): void {
    let part = bytes;
    if (this.#state === "start") {
      if (this.#held.length > 0) part = Buffer.concat([this.#held, bytes]);
      if (part.length < 2) {
        this.#held = Uint8Array.from(part);
        return;
      }
      this.#held = NOTHING;
      this.#state = stateOf(part);
    }
    if (this.#state === "frame") {
      const passed = part.subarray(0, this.#room);
      if (passed.length > 0) pass(passed, pieces);
      this.#room -= passed.length;
    } else {
      const text = this.#state === "text" ? textLength(part) : 0;
      if (text > 0) pieces.push({ kind: "text", bytes: part.subarray(0, text) });
      if (text < part.length) {
        pieces.push({ kind: "noise", bytes: part.length - text });
        this.#state = "dropping";
      }
    }
  }

  #endRun(delimiter: Uint8Array, pieces: LinePiece[]): void {
    if (this.#state === "frame") pass(delimiter, pieces);
    const [only] = this.#held;
    if (only !== undefined) pieces.push(isText(only) ? { kind: "text", bytes: this.#held } : { kind: "noise", bytes: 1 });
    this.#held = NOTHING;
    this.#state = "start";
    this.#room = this.#bound;
  }
}

/** Adds bytes that may be frames, to the piece before where they follow on it: whoever splits them has a price for each piece. */
function pass(bytes: Uint8Array, pieces: LinePiece[]): void {
  const before = pieces.at(-1);
  const follows =
    before?.kind === "frames" &&
    before.bytes.buffer === bytes.buffer &&
    before.bytes.byteOffset + before.bytes.length === bytes.byteOffset;
  if (!follows) return void pieces.push({ kind: "frames", bytes });
  const length = before.bytes.length + bytes.length;
  pieces[pieces.length - 1] = { kind: "frames", bytes: new Uint8Array(bytes.buffer, before.bytes.byteOffset, length) };
}

function stateOf(run: Uint8Array): RunState {
  const [first = 0, second = 0] = run;
  if (second >= 0x81 && second <= 0x97) return "frame"; // an array of 1 to 23 items, as every body is
  return isText(first) && isText(second) ? "text" : "dropping";
}

function textLength(bytes: Uint8Array): number {
  const binary = bytes.findIndex((byte) => !isText(byte));
  return binary < 0 ? bytes.length : binary;
}

/** BEL to CR, ESC, printable ASCII, and what UTF-8 is made of (SPEC §1.5). */
function isText(byte: number): boolean {
  return (byte >= 0x07 && byte <= 0x0d) || byte === 0x1b || (byte >= 0x20 && byte !== 0x7f);
}
