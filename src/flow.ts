/** How much may be under way at once, in requests and in bytes each way (SPEC §4.6), and who goes next. */
import {
  FIRST_WINDOW,
  LARGEST_PORT_WINDOW,
  LARGEST_WINDOW,
  type Limits,
  REMEMBERED_ANSWERS,
  Window,
} from "../protocol/index.js";
import type { Clock } from "./clock.js";

/** What somebody wants to have under way. */
export interface Need {
  readonly requests: 0 | 1;
  readonly streams: 0 | 1;
  /** Requests that change something, and aren't counted yet. */
  readonly writes: 0 | 1;
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
  /** The number of a request that changes something, see `WriteOrder`. */
  readonly write: number | undefined;
}

interface Asker {
  readonly need: Need;
  readonly granted: (share: Share) => void;
}

/** The requests that change something, numbered as they are sent: the dock remembers only so many answers (SPEC §4.6, rule 4). */
export class WriteOrder {
  #last = 0;
  /** Those without a final answer, the oldest first. */
  readonly #open = new Set<number>();

  /** Whether another one may be sent. */
  get hasRoom(): boolean {
    const [oldest = this.#last + 1] = this.#open;
    return this.#last - oldest < REMEMBERED_ANSWERS - 1;
  }

  begin(): number {
    this.#open.add(++this.#last);
    return this.#last;
  }

  end(write: number): void {
    this.#open.delete(write);
  }

  /** The dock has forgotten them all. Their numbers aren't given again: somebody may still end them. */
  forget(): void {
    this.#open.clear();
  }
}

export class Flow {
  readonly #limits: Limits;
  readonly #window: Window;
  readonly #writes: WriteOrder;
  #requests = 0;
  #streams = 0;
  #up = 0;
  #down = 0;
  /** In order of asking. */
  readonly #waiting = new Set<Asker>();
  #isOver = false;

  /** @param line whether it holds back when this side is late, or drops what comes (SPEC §5.3) */
  constructor(limits: Limits, line: "holds back" | "drops", clock: Clock, writes: WriteOrder) {
    this.#limits = limits;
    const now = (): number => clock.now();
    this.#window = line === "holds back" ? new Window(LARGEST_WINDOW, now) : new Window(LARGEST_PORT_WINDOW, now, FIRST_WINDOW);
    this.#writes = writes;
  }

  /** Bytes that may be on the way from the dock. */
  get window(): number {
    return this.#window.size;
  }

  /** The shortest round trip that was seen, in milliseconds; 0 before the first. */
  get roundTrip(): number {
    return this.#window.roundTrip;
  }

  /** A round trip took so long, in milliseconds. */
  set roundTrip(ms: number) {
    this.#window.roundTrip = ms;
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

  /** Nobody is served any more: what would be sent now would be sent to nobody. */
  end(): void {
    this.#isOver = true;
  }

  /** Gives back what isn't under way any more. */
  giveBack({ requests = 0, streams = 0, up = 0, down = 0, write }: Partial<Share>): void {
    this.#requests -= requests;
    this.#streams -= streams;
    this.#up -= up;
    this.#down -= down;
    if (write !== undefined) this.#writes.end(write);
    this.#serve();
  }

  /** Bytes of a stream came in. */
  arrived(bytes: number): void {
    this.#window.arrived(bytes);
    this.giveBack({ down: bytes });
  }

  /** Bytes of a stream got lost. */
  lost(): void {
    this.#window.lost();
  }

  #take({ requests, streams, writes, up }: Need, down: number): Share {
    if (this.#down === 0 && down > 0) this.#window.begin();
    this.#requests += requests;
    this.#streams += streams;
    this.#up += up;
    this.#down += down;
    return { requests, streams, up, down, write: writes === 1 ? this.#writes.begin() : undefined };
  }

  /** Serves who waits in order. Who lacks a place lets others go ahead; who lacks room for bytes doesn't, or would starve. */
  #serve(): void {
    if (this.#isOver) return;
    for (const waiting of this.#waiting) {
      const { need } = waiting;
      const placed =
        this.#requests + need.requests <= this.#limits.requests &&
        this.#streams + need.streams <= this.#limits.streams &&
        (need.writes === 0 || this.#writes.hasRoom);
      if (!placed) continue;
      if (!fits(this.#up, need.up, this.#limits.window)) return;
      if (!fits(this.#down, need.down.least, this.window)) return;
      const room = Math.max(this.window - this.#down, need.down.least);
      const share = this.#take(need, Math.min(need.down.most, room));
      this.#waiting.delete(waiting);
      waiting.granted(share);
    }
  }
}

/** Something alone always fits, or it would wait for ever. */
function fits(used: number, more: number, limit: number): boolean {
  return more === 0 || used === 0 || used + more <= limit;
}
