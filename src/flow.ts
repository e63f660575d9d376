/** How much may be under way at once, in requests and in bytes each way (SPEC §4.6), and who goes next. */
import { FIRST_WINDOW, type Limits } from "../protocol/index.js";

/** Largest window, in bytes, on a line that holds back: beyond it a pseudo-terminal gets no faster, and memory is the window. */
export const LARGEST_WINDOW = 512 * 1024;

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
  #window = FIRST_WINDOW;
  /** Bytes that came in whole since the window last changed. */
  #clean = 0;
  #requests = 0;
  #streams = 0;
  #up = 0;
  #down = 0;
  #waiting: Waiting[] = [];

  /** @param mayGrow whether the line holds back when this side is late (SPEC §5.3) */
  constructor(limits: Limits, mayGrow: boolean) {
    this.#limits = limits;
    this.#mayGrow = mayGrow;
  }

  /** Bytes that may be on the way from the dock. */
  get window(): number {
    return this.#window;
  }

  /** Calls `granted`, at once or later, when there is room for `need`. Returns how to stop waiting. */
  ask(need: Need, granted: (share: Share) => void): () => void {
    const waiting = { need, granted };
    this.#waiting.push(waiting);
    this.#serve();
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
      this.#serve();
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

  /** Bytes of a stream came in, whole and in order. A window's worth of them lets the window grow. */
  arrived(bytes: number): void {
    this.#clean += bytes;
    if (this.#mayGrow && this.#clean >= this.#window && this.#window < LARGEST_WINDOW) {
      this.#window = Math.min(this.#window * 2, LARGEST_WINDOW);
      this.#clean = 0;
    }
    this.giveBack({ down: bytes });
  }

  /** Bytes of a stream got lost: back to the window that every line can take. */
  lost(): void {
    this.#window = FIRST_WINDOW;
    this.#clean = 0;
  }

  /** Serves who waits in order. Who lacks a place lets others go ahead; who lacks room for bytes doesn't, or would starve. */
  #serve(): void {
    for (const waiting of this.#waiting) {
      if (!this.#waiting.includes(waiting)) continue; // served or withdrawn by whom this loop has just served
      const { need } = waiting;
      const placed =
        this.#requests + need.requests <= this.#limits.requests &&
        this.#streams + need.streams <= this.#limits.streams &&
        fits(this.#up, need.up, this.#limits.window);
      if (!placed) continue;
      if (!fits(this.#down, need.down.least, this.#window)) return;
      const room = Math.max(this.#window - this.#down, need.down.least);
      const share = { requests: need.requests, streams: need.streams, up: need.up, down: Math.min(need.down.most, room) };
      this.#requests += share.requests;
      this.#streams += share.streams;
      this.#up += share.up;
      this.#down += share.down;
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
      waiting.granted(share);
    }
  }
}

/** Something alone always fits, or it would wait for ever. */
function fits(used: number, more: number, limit: number): boolean {
  return more === 0 || used === 0 || used + more <= limit;
}
