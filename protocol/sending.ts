/** The sender of a stream: which bytes go next, given credit and what was asked for again (SPEC §5.1, §5.4). */
import type { Range } from "./assembly.js";

/** Bytes in one data message where nothing gets lost. */
export const LARGEST_PIECE = 8_192;
/** Bytes in one data message where much gets lost: below, what a message costs besides its bytes outweighs what is saved. */
const LEAST_PIECE = 1_024;
/** After so many bytes without a loss pieces become larger again. */
const CLEAN_RUN = 64 * 1024;
/** Ranges to be sent again that are kept apart. With more it goes back to the first. */
const MOST_RANGES = 64;

export class Sending {
  /** Where the stream begins. */
  readonly from: number;
  /** The offset of the first byte that wasn't sent in its turn. */
  #next: number;
  /** The offset after the last byte that was ever sent. */
  #reached: number;
  #limit: number;
  /** To be sent again before anything else, in the order in which they were asked for. */
  #again: Range[] = [];
  #piece: number;
  readonly #largest: number;
  #clean = 0;

  /** @param largest bytes in one data message that the receiver takes */
  constructor(from: number, limit: number, largest: number) {
    this.from = this.#next = this.#reached = from;
    this.#limit = limit;
    this.#largest = this.#piece = Math.min(largest, LARGEST_PIECE);
  }

  /** The offset after the last byte that may be sent. */
  get limit(): number {
    return this.#limit;
  }

  /** The offset after the last byte that was ever sent. */
  get reached(): number {
    return this.#reached;
  }

  /** More credit. A lower limit than before changes nothing. */
  grant(limit: number): void {
    this.#limit = Math.max(this.#limit, limit);
  }

  /** Bytes are to be sent again. Says "outside" when they aren't of what was sent, and then changes nothing. */
  resend({ from, to }: Range, limit: number): "accepted" | "outside" {
    if (from < this.from || from > this.#reached) return "outside";
    this.grant(limit);
    if (from < Math.min(to, this.#reached)) this.#lost();
    if (from === to || this.#again.some((range) => range.from <= from && to <= range.to)) return "accepted";
    if (to >= this.#next || this.#again.length === MOST_RANGES) this.#goBack(from);
    else this.#again.push({ from, to });
    return "accepted";
  }

  /** The next bytes to be sent of a stream of `size` bytes; undefined while there is no credit, and at the end. */
  peek(size: number): Range | undefined {
    const [again] = this.#again;
    const { from, to } = again ?? { from: this.#next, to: Math.min(size, this.#limit) };
    return from < to ? { from, to: Math.min(to, from + this.#piece) } : undefined;
  }

  /** Takes note that the bytes up to `to` of those that `peek` gave were sent. */
  sent({ from, to }: Range): void {
    const [again, ...others] = this.#again;
    if (again !== undefined) this.#again = to < again.to ? [{ from: to, to: again.to }, ...others] : others;
    else this.#next = to;
    this.#reached = Math.max(this.#reached, to);
    this.#clean += to - from;
    if (this.#clean < CLEAN_RUN) return;
    this.#piece = Math.min(this.#piece * 2, this.#largest);
    this.#clean = 0;
  }

  /** Whether everything up to `size` was sent, and nothing is to be sent again. */
  isThrough(size: number): boolean {
    return this.#next >= size && this.#again.length === 0;
  }

  #goBack(to: number): void {
    this.#next = Math.min(this.#next, to);
    this.#again = this.#again.filter((range) => range.from < this.#next);
  }

  /** Smaller pieces: of a large one, one bad byte costs more. */
  #lost(): void {
    this.#piece = Math.max(Math.floor(this.#piece / 2), Math.min(LEAST_PIECE, this.#largest));
    this.#clean = 0;
  }
}
