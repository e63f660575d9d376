/** How many bytes a receiver lets be on their way to it: as many as the line carries well, and no more than come soon (SPEC §5.3). */
import { FIRST_WINDOW } from "./limits.js";

/** Largest window, in bytes, on a line that holds back: beyond it a pseudo-terminal gets no faster, and memory is the window. */
export const LARGEST_WINDOW = 512 * 1024;
/**
 * Largest window, in bytes, on a port whose system drops what comes while it has no more room: a sixth of what Linux 6.1 was seen to take without
 * loss from a dock whose host is late (`bench/README.md`), and more than some older kernels keep by their sources. After a loss it is the first one.
 */
export const LARGEST_PORT_WINDOW = 256 * 1024;
/** Least window, in bytes, however slow the line: two data messages. */
export const LEAST_WINDOW = 16 * 1024;
/** What is on the way should have come within this time at the pace of the line, in milliseconds: later calls queue behind it. */
const QUEUE_TIME = 500;
/** How long the line's pace is measured, in milliseconds. */
const PACE_TIME = 100;

export class Window {
  #most: number;
  readonly #mostAfterLoss: number;
  readonly #now: () => number;
  #size = FIRST_WINDOW;
  /** Since when bytes have been on the way, and how many have come since. */
  #busySince = 0;
  #busyBytes = 0;
  /** Bytes a millisecond, once known. */
  #pace: number | undefined;
  /** The shortest round trip that was seen, in milliseconds: what comes of it is no queue. */
  #roundTrip = 0;
  /** Bytes that came in whole since the window last changed. */
  #clean = 0;

  /**
   * @param most how far it may grow, in bytes
   * @param now milliseconds since some fixed moment
   * @param mostAfterLoss how far it may still grow when bytes have got lost
   */
  constructor(most: number, now: () => number, mostAfterLoss = most) {
    this.#most = most;
    this.#mostAfterLoss = mostAfterLoss;
    this.#now = now;
  }

  /** Bytes. */
  get size(): number {
    return this.#size;
  }

  /** Bytes are on their way from now on, after a time when none were. */
  begin(): void {
    this.#busySince = this.#now();
    this.#busyBytes = 0;
  }

  /** Bytes came in whole. A window's worth of them lets it grow, as far as the line's pace goes. */
  arrived(bytes: number): void {
    this.#measure(bytes);
    this.#clean += bytes;
    if (this.#clean < this.#size) return;
    this.#size = Math.min(this.#size * 2, this.#most, this.#mostForPace());
    this.#clean = 0;
  }

  /** Bytes got lost: back to the window that every line can take. */
  lost(): void {
    this.#size = Math.min(this.#size, FIRST_WINDOW);
    this.#most = this.#mostAfterLoss;
    this.#clean = 0;
  }

  /** A round trip took so long, in milliseconds. */
  set roundTrip(ms: number) {
    this.#roundTrip = this.#roundTrip === 0 ? ms : Math.min(this.#roundTrip, ms);
  }

  /** The shortest that was seen, in milliseconds; 0 before the first. */
  get roundTrip(): number {
    return this.#roundTrip;
  }

  #measure(bytes: number): void {
    const now = this.#now();
    const elapsed = now - this.#busySince;
    this.#busyBytes += bytes;
    if (elapsed < PACE_TIME) return;
    this.#pace = this.#busyBytes / elapsed;
    this.#busySince = now;
    this.#busyBytes = 0;
    this.#size = Math.min(this.#size, this.#mostForPace());
  }

  /** What may be on the way so that it comes soon, but never less than keeps a long line full. */
  #mostForPace(): number {
    if (this.#pace === undefined) return LARGEST_WINDOW;
    return Math.max(LEAST_WINDOW, Math.round(this.#pace * Math.max(QUEUE_TIME, 2 * this.#roundTrip)));
  }
}
