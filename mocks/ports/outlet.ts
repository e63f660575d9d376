/** What goes out of a mock, cut at random places, as lines do. */
import type { Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import type { Random } from "../random.js";
import type { Line } from "./port.js";

/** Pieces in which bytes go out are at most so long: what a serial driver hands over at once. */
const LONGEST_PIECE = 32 * 1024;
/** Bytes that may wait to go out before streams have to wait: more would only be late when something must be sent again. */
const FULL = 64 * 1024;
/** Bytes that may wait to go out before the other side isn't listened to any more: who doesn't read needn't ask. */
const MOST_WAITING = 1024 * 1024;

/** Sends bytes in pieces that are cut at random places, one after the other: a receiver must not rely on whole messages. */
export class Outlet implements Line {
  readonly #stream: Writable;
  readonly #random: Random;
  readonly #source: { pause(): unknown; resume(): unknown };
  readonly #drained: () => void;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #sending = false;
  #sent: () => void = () => {};

  /** @param source what the other side's bytes come from, to be paused while it doesn't read */
  constructor(stream: Writable, random: Random, source: { pause(): unknown; resume(): unknown }, drained: () => void) {
    this.#stream = stream;
    this.#random = random;
    this.#source = source;
    this.#drained = drained;
    stream.on("error", () => {}); // the other side is gone, which the port itself notices
  }

  send(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > MOST_WAITING) this.#source.pause();
    if (!this.#sending) void this.#sendWaiting();
  }

  isFull(): boolean {
    return this.#waitingBytes >= FULL;
  }

  /** Calls `then` when all that was sent is on the line. */
  onceSent(then: () => void): void {
    this.#sent = then;
    if (!this.#sending) then();
  }

  async #sendWaiting(): Promise<void> {
    this.#sending = true;
    for (let bytes = this.#waiting.shift(); bytes !== undefined; bytes = this.#waiting.shift()) {
      for (let at = 0; at < bytes.length; ) {
        const longest = this.#random.between(1, 8) === 1 ? 16 : LONGEST_PIECE;
        const end = at + this.#random.between(1, longest);
        const goOn = this.#stream.write(bytes.subarray(at, end));
        if (this.#stream.destroyed) return;
        if (!goOn) await this.#room();
        else if (end < bytes.length) await setImmediate();
        at = end;
      }
      const wasFull = this.isFull();
      this.#waitingBytes -= bytes.length;
      if (wasFull && !this.isFull()) this.#drained();
      if (this.#waitingBytes <= MOST_WAITING) this.#source.resume();
    }
    this.#sending = false;
    this.#sent();
  }

  /** Waits until the stream takes more, or is gone. */
  #room(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#stream.off("drain", done).off("close", done);
        resolve();
      };
      this.#stream.on("drain", done).on("close", done);
    });
  }
}
