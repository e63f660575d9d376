/** How much may be under way at once, in requests and in bytes each way (SPEC §4.6), and who goes next. */
import { FIRST_WINDOW, type Limits } from "../protocol/index.js";
import type { Clock } from "./clock.js";

/** Largest window, in bytes, on a line that holds back: beyond it a pseudo-terminal gets no faster, and memory is the window. */
export const LARGEST_WINDOW = 512 * 1024;

/** Least window, in bytes, however slow the line: two data messages. */
export const LEAST_WINDOW = 16 * 1024;
/** What is on the way should have come within this time at the pace of the line, in milliseconds: later calls queue behind it. */
const QUEUE_TIME = 500;
/** How long the line's pace is measured, in milliseconds. */
const PACE_TIME = 100;

/** What somebody wants to have under way. */
export interface Need {
  readonly requests: 0 | 1;
  readonly streams: 0 | 1;
  /** Bytes of frames on the way to the dock. */
  readonly up: number;
  /** Bytes on the way from the dock: at least, and at most. */
  readonly down: { readonly least: number; readonly most: number };
}

/** What somebody has under way. */
export interface Share {
  readonly requests: 0 | 1;
  readonly streams: 0 | 1;
  readonly up: number;
  readonly down: number;
}

interface Waiting {
  readonly need: Need;
  readonly granted: (share: Share) => void;
}

export class Flow {
  readonly #limits: Limits;
  readonly #mayGrow: boolean;
  readonly #clock: Clock;
  #window = FIRST_WINDOW;
  /** Since when bytes have been on the way, and how many have come since. */
  #busySince = 0;
  #busyBytes = 0;
  /** Bytes a millisecond, once known. */
  #pace: number | undefined;
  /** The shortest round trip that was seen, in milliseconds: what comes of it is no queue. */
  #roundTrip = 0;
  /** Bytes that came in whole since the window last changed. */
  #clean = 0;
  #requests = 0;
  #streams = 0;
  #up = 0;
  #down = 0;
  /** In order of asking. */
  readonly #waiting = new Set<Waiting>();

  /** @param mayGrow whether the line holds back when this side is late (SPEC §5.3) */
  constructor(limits: Limits, mayGrow: boolean, clock: Clock) {
    this.#limits = limits;
    this.#mayGrow = mayGrow;
    this.#clock = clock;
  }

  /** Bytes that may be on the way from the dock. */
  get window(): number {
    return this.#window;
  }

  /** Calls `granted`, at once or later, when there is room for `need`. Returns how to stop waiting. */
  ask(need: Need, granted: (share: Share) => void): () => void {
    const waiting = { need, granted };
    this.#waiting.add(waiting);
    this.#serve();
    return () => {
      if (this.#waiting.delete(waiting)) this.#serve();
    };
  }

  /** Gives back what isn't under way any more. */
  giveBack({ requests = 0, streams = 0, up = 0, down = 0 }: Partial<Share>): void {
    this.#requests -= requests;
    this.#streams -= streams;
    this.#up -= up;
    this.#down -= down;
    this.#serve();
  }

  /** Bytes of a stream came in, whole and in order. A window's worth of them lets the window grow, as far as the line's pace goes. */
  arrived(bytes: number): void {
    this.#measure(bytes);
    this.#clean += bytes;
    if (this.#clean >= this.#window) {
      this.#window = Math.min(this.#window * 2, this.#mayGrow ? LARGEST_WINDOW : FIRST_WINDOW, this.#mostForPace());
      this.#clean = 0;
    }
    this.giveBack({ down: bytes });
  }

  /** A round trip took so long, in milliseconds. */
  set roundTrip(ms: number) {
    this.#roundTrip = this.#roundTrip === 0 ? ms : Math.min(this.#roundTrip, ms);
  }

  /** Bytes of a stream got lost: back to the window that every line can take. */
  lost(): void {
    this.#window = Math.min(this.#window, FIRST_WINDOW);
    this.#clean = 0;
  }

  #measure(bytes: number): void {
    const now = this.#clock.now();
    const elapsed = now - this.#busySince;
    this.#busyBytes += bytes;
    if (elapsed < PACE_TIME) return;
    this.#pace = this.#busyBytes / elapsed;
    this.#busySince = now;
    this.#busyBytes = 0;
    this.#window = Math.min(this.#window, this.#mostForPace());
  }

  /** What may be on the way so that it comes soon, but never less than keeps a long line full. */
  #mostForPace(): number {
    if (this.#pace === undefined) return LARGEST_WINDOW;
    return Math.max(LEAST_WINDOW, Math.round(this.#pace * Math.max(QUEUE_TIME, 2 * this.#roundTrip)));
  }

  #take({ requests, streams, up, down }: Share): void {
    if (this.#down === 0 && down > 0) {
      this.#busySince = this.#clock.now();
      this.#busyBytes = 0;
    }
    this.#requests += requests;
    this.#streams += streams;
    this.#up += up;
    this.#down += down;
  }

  /** Serves who waits in order. Who lacks a place lets others go ahead; who lacks room for bytes doesn't, or would starve. */
  #serve(): void {
    for (const waiting of this.#waiting) {
      const { need } = waiting;
      const placed =
        this.#requests + need.requests <= this.#limits.requests &&
        this.#streams + need.streams <= this.#limits.streams &&
        fits(this.#up, need.up, this.#limits.window);
      if (!placed) continue;
      if (!fits(this.#down, need.down.least, this.#window)) return;
      const room = Math.max(this.#window - this.#down, need.down.least);
      const share = { requests: need.requests, streams: need.streams, up: need.up, down: Math.min(need.down.most, room) };
      this.#take(share);
      this.#waiting.delete(waiting);
      waiting.granted(share);
    }
  }
}

/** Something alone always fits, or it would wait for ever. */
function fits(used: number, more: number, limit: number): boolean {
  return more === 0 || used === 0 || used + more <= limit;
}
