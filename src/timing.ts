/** How long a session waits before it asks again, and whether what it waits for may still be coming (SPEC §9.3). */
import type { Clock } from "./clock.js";
import type { Flow } from "./flow.js";
import type { Link } from "./link.js";

/** First wait for an answer, in milliseconds, before a round-trip time is known; the least; the longest. */
const RETRY = { first: 500, least: 250, longest: 4_000 };
/** Least wait for what was asked for again, in milliseconds. */
const LEAST_GAP_TIME = 50;
/** Bytes a millisecond of the slowest line that is worth waiting for: 9,600 bits a second, with something to spare. */
export const SLOWEST_LINE = 0.8;
/** A frame that has come so far, in bytes, isn't noise: on a slow line it is worth waiting for. */
const LONG_FRAME = 512;

/** Longest that a call goes without an answer, or a stream without new bytes, in milliseconds. */
export const USUAL_TIMEOUT = 10_000;

export class Timing {
  readonly #clock: Clock;
  #link: Link;
  #flow: Flow;
  /** Smoothed round-trip time in milliseconds (RFC 6298 §2), once one is known. */
  #roundTrip: number | undefined;
  #lastDataAt = 0;

  constructor(clock: Clock, link: Link, flow: Flow) {
    this.#clock = clock;
    this.#link = link;
    this.#flow = flow;
  }

  /** Goes on over another link to the same dock. */
  relink(link: Link, flow: Flow): void {
    this.#link = link;
    this.#flow = flow;
  }

  /** How long to wait before asking again, in milliseconds. */
  get retryTime(): number {
    return this.#roundTrip === undefined ? RETRY.first : Math.min(Math.max(RETRY.least, 4 * this.#roundTrip), RETRY.longest);
  }

  /** How long to wait for what was asked for again, in milliseconds: on a line that loses, waiting costs more than asking twice. */
  get gapTime(): number {
    return Math.min(Math.max(LEAST_GAP_TIME, 4 * this.#flow.roundTrip), this.retryTime);
  }

  /** The wait after a wait of `ms` milliseconds. */
  nextRetryTime(ms: number): number {
    return Math.min(ms * 2, RETRY.longest);
  }

  /** A round trip took so long, in milliseconds: from the first sending, since which of several was answered can't be told. */
  measure(roundTrip: number): void {
    this.#flow.roundTrip = roundTrip;
    this.#roundTrip = this.#roundTrip === undefined ? roundTrip : this.#roundTrip + (roundTrip - this.#roundTrip) / 8;
  }

  /** Data of a stream has come in. */
  dataCame(): void {
    this.#lastDataAt = this.#clock.now();
  }

  /** Bytes of frames that came in so far: where `isStillComing` counts from. */
  get heard(): number {
    return this.#link.frameBytes;
  }

  /**
   * Whether what was on the way when `heard` was taken may still be coming: frames are arriving since `since`, and not yet more of
   * them than can have been under way before a repetition of it.
   */
  isStillComing(since: number, heard: number): boolean {
    return this.#link.lastFrameByteAt > since && this.#link.frameBytes - heard < 2 * this.#flow.window;
  }

  /**
   * Whether a stream's bytes are coming in, of this stream or of others, so that one that waits behind them isn't stuck: at the pace
   * of a line since `since`, when `heardThen` had come, and not yet more since `heard` than can have been under way.
   */
  isMoving(since: number, heardThen: number, heard: number): boolean {
    const moving = this.#lastDataAt > since || (this.#link.partialBytes >= LONG_FRAME && this.#link.lastFrameByteAt > since);
    const pace = (this.#link.frameBytes - heardThen) / (this.#clock.now() - since);
    return moving && pace >= SLOWEST_LINE && this.#link.frameBytes - heard < 2 * this.#flow.window;
  }
}
