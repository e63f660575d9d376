/** Sends what can wait no faster than the line takes it, so that what can't wait needn't queue behind it for long. */
import type { Clock } from "./clock.js";

/** Bytes that may wait to be taken, at first; at least; at most: beyond it a pseudo-terminal gets no faster. */
const ROOM = { first: 64 * 1024, least: 4 * 1024, most: 256 * 1024 };
/** What waits should be taken within this time, in milliseconds. */
const QUEUE_TIME = 100;

/** Sends one message that can wait, if there is one just now. */
export type SendOne = () => "sent" | "nothing";

export class Pacing {
  readonly #clock: Clock;
  /** Who has something to send, the next one first. */
  readonly #wanting = new Set<SendOne>();
  #room = ROOM.first;
  /** Bytes that the line hasn't taken yet. */
  #queued = 0;
  #takenAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#takenAt = clock.now();
  }

  /** Has `sendOne` called, in turns with others, while there is room and until it has nothing. */
  want(sendOne: SendOne): void {
    this.#wanting.add(sendOne);
    this.#serve();
  }

  /** `sendOne` isn't called any more. */
  leave(sendOne: SendOne): void {
    this.#wanting.delete(sendOne);
  }

  /** Bytes are on their way to the line. */
  queued(bytes: number): void {
    this.#queued += bytes;
  }

  /** The line has taken bytes that were handed to it at `handedAt`. */
  taken(bytes: number, handedAt: number): void {
    const now = this.#clock.now();
    const elapsed = now - Math.max(handedAt, this.#takenAt);
    this.#queued -= bytes;
    this.#takenAt = now;
    if (elapsed > 0) this.#room = Math.min(Math.max((bytes / elapsed) * QUEUE_TIME, ROOM.least), this.#room * 2, ROOM.most);
    this.#serve();
  }

  #serve(): void {
    for (const sendOne of this.#wanting) {
      if (this.#queued >= this.#room) return;
      this.#wanting.delete(sendOne);
      this.#wanting.add(sendOne); // at the end: the others go first
      if (sendOne() === "nothing") this.#wanting.delete(sendOne);
    }
  }
}
