/** Time that stands still until a test turns it. */
import type { FaultClock } from "../../faults.js";

interface Timer {
  readonly at: number;
  readonly then: () => void;
}

export class ManualClock implements FaultClock {
  #now = 0;
  #timers: Timer[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, then: () => void): () => void {
    const timer = { at: this.#now + ms, then };
    this.#timers.push(timer);
    return () => this.#drop(timer);
  }

  /** How many timers wait for their time. */
  get waiting(): number {
    return this.#timers.length;
  }

  /** Turns the clock by `ms`. Each timer on the way goes off at its moment. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (let next = this.#next(); next !== undefined && next.at <= until; next = this.#next()) {
      this.#drop(next);
      this.#now = next.at;
      next.then();
    }
    this.#now = until;
  }

  #next(): Timer | undefined {
    return this.#timers.reduce<Timer | undefined>(
      (first, it) => (first === undefined || it.at < first.at ? it : first),
      undefined,
    );
  }

  #drop(timer: Timer): void {
    this.#timers = this.#timers.filter((it) => it !== timer);
  }
}
