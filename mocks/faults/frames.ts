/** Shows a fault one frame after the other, out of bytes that are cut anywhere. */
import { DELIMITER, DELIMITER_BYTES } from "../../protocol/index.js";

/** Bytes of an unfinished frame that are kept at most: more than any frame has (SPEC §1.4). */
const LONGEST_KEPT = 70_000;

/** What goes on in place of a frame, or undefined: as it is. */
export type AskFrame = (frame: Uint8Array) => readonly Uint8Array[] | undefined;

export class FrameSplitter {
  /** The unfinished frame; undefined when it is too long to be kept, and passes as it is. */
  #unfinished: Uint8Array[] | undefined = [];
  #length = 0;

  /** Takes bytes, and gives what goes on, as soon as each frame has been asked about. Only an unfinished frame is kept. */
  *feed(bytes: Uint8Array, ask: AskFrame): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length; ) {
      const delimiter = bytes.indexOf(DELIMITER, at);
      const end = delimiter < 0 ? bytes.length : delimiter;
      if (end > at) yield* this.#part(bytes.subarray(at, end));
      if (delimiter < 0) return;
      yield this.#endFrame(ask);
      at = delimiter + 1;
    }
  }

  /** Gives what is kept of an unfinished frame, and keeps nothing of it. */
  takeUnfinished(): Uint8Array {
    const kept = Buffer.concat(this.#unfinished ?? []);
    this.#unfinished = [];
    this.#length = 0;
    return kept;
  }

  *#part(bytes: Uint8Array): Generator<Uint8Array> {
    if (this.#unfinished === undefined) return yield bytes;
    this.#unfinished.push(bytes);
    this.#length += bytes.length;
    if (this.#length <= LONGEST_KEPT) return;
    const kept = Buffer.concat(this.#unfinished);
    this.#unfinished = undefined;
    yield kept;
  }

  #endFrame(ask: AskFrame): Uint8Array {
    const frame = this.takeUnfinished();
    if (frame.length === 0) return DELIMITER_BYTES;
    const frames = ask(frame) ?? [frame];
    return Buffer.concat(frames.flatMap((it) => [it, DELIMITER_BYTES]));
  }
}
