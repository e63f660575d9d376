/** One way of a line that can be held up: what is pushed in comes out in order, at its time. */
import type { FaultClock } from "../faults.js";

/** Bytes that a lane keeps at most; what comes beyond is lost. */
const MOST_KEPT = 1024 * 1024;
/** From so many kept bytes on, what can wait should: the rest is room for what can't. */
const FULL = MOST_KEPT - 128 * 1024;
/** Paced bytes come out in pieces that take so long, in milliseconds. */
const PACE_STEP = 10;

/** Bytes that come out one after the other from a moment on. */
interface Kept {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly bytesPerMs: number;
  /** How many have come out. */
  out: number;
}

const AT_ONCE = { bytesPerMs: Number.POSITIVE_INFINITY, out: 0 };

export class Lane {
  readonly #clock: FaultClock;
  readonly #out: (bytes: Uint8Array) => void;
  readonly #room: () => void;
  #kept: Kept[] = [];
  #keptBytes = 0;
  /** When the last of what is kept comes out; nothing that comes later does so before. */
  #lastDue = Number.NEGATIVE_INFINITY;
  #heldUntil = Number.NEGATIVE_INFINITY;
  #bytesPerSecond = Number.POSITIVE_INFINITY;
  #stopTimer: (() => void) | undefined;
  #end: (() => void) | undefined;

  /**
   * @param out takes what comes out
   * @param room is called when the lane was full and no longer is
   */
  constructor(clock: FaultClock, out: (bytes: Uint8Array) => void, room: () => void) {
    this.#clock = clock;
    this.#out = out;
    this.#room = room;
  }

  /** What is pushed from now on comes out in `ms` milliseconds at the earliest. */
  hold(ms: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, this.#clock.now() + ms);
  }

  /** What is pushed from now on comes out at so many bytes a second. */
  pace(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Takes bytes, and gives how many of them are lost because there is no room. */
  push(bytes: Uint8Array): number {
    const paced = Number.isFinite(this.#bytesPerSecond);
    if (this.#kept.length === 0 && !paced && this.#clock.now() >= this.#heldUntil) {
      this.#out(bytes);
      return 0;
    }
    if (this.#keptBytes + bytes.length > MOST_KEPT) return bytes.length;
    this.#keep(bytes);
    this.#wait();
    return 0;
  }

  /** Calls `then` when all that is kept has come out. Nothing is to be pushed from now on. */
  endWith(then: () => void): void {
    this.#end ??= then;
    if (this.#kept.length === 0) this.#finish();
  }

  /** Whether it was told to end, and hasn't yet. */
  isEnding(): boolean {
    return this.#end !== undefined;
  }

  /** Whether so much is kept that what can wait should. */
  isFull(): boolean {
    return this.#keptBytes >= FULL;
  }

  /** All that is kept comes out now, and the lane is neither held nor paced any more. */
  letGo(): void {
    this.#begin(this.#kept.map(({ bytes, out }) => ({ bytes: bytes.subarray(out), from: this.#clock.now(), ...AT_ONCE })));
    this.#release();
  }

  /** Begins anew: loses what is kept, and is neither held nor paced. */
  clear(): void {
    this.#begin([]);
    this.#keptBytes = 0;
    this.#end = undefined;
  }

  #begin(kept: Kept[]): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#kept = kept;
    this.#lastDue = this.#heldUntil = Number.NEGATIVE_INFINITY;
    this.#bytesPerSecond = Number.POSITIVE_INFINITY;
  }

  #keep(bytes: Uint8Array): void {
    const from = Math.max(this.#lastDue, this.#heldUntil, this.#clock.now());
    const kept = { bytes, from, bytesPerMs: this.#bytesPerSecond / 1000, out: 0 };
    this.#kept.push(kept);
    this.#keptBytes += bytes.length;
    this.#lastDue = dueOf(kept, bytes.length);
  }

  #wait(): void {
    const [next] = this.#kept;
    if (next === undefined || this.#stopTimer !== undefined) return;
    this.#stopTimer = this.#clock.after(Math.max(0, dueOf(next, nextEnd(next)) - this.#clock.now()), () => {
      this.#stopTimer = undefined;
      this.#release();
    });
  }

  #release(): void {
    const wasFull = this.isFull();
    for (let next = this.#kept[0]; next !== undefined; next = this.#kept[0]) {
      const end = nextEnd(next);
      if (dueOf(next, end) > this.#clock.now()) break;
      const piece = next.bytes.subarray(next.out, end);
      next.out = end;
      this.#keptBytes -= piece.length;
      if (end === next.bytes.length) this.#kept.shift();
      this.#out(piece);
    }
    if (this.#kept.length === 0) this.#finish();
    this.#wait();
    if (wasFull && !this.isFull()) this.#room();
  }

  #finish(): void {
    const end = this.#end;
    this.#end = undefined;
    end?.();
  }
}

/** Where the piece that comes out next ends. */
function nextEnd({ bytes, bytesPerMs, out }: Kept): number {
  return Math.min(bytes.length, out + Math.max(1, Math.floor(bytesPerMs * PACE_STEP)));
}

/** When the first `end` bytes are to be out. */
function dueOf({ from, bytesPerMs }: Kept, end: number): number {
  return from + end / bytesPerMs;
}
