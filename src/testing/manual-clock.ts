/** Time that stands still until a test turns it. */
import type { Clock } from "../clock.js";

interface Timer {
  readonly at: number;
  readonly then: () => void;
}

/** Turned by more than this, in milliseconds, a call that is still open never ends. */
const FOR_EVER = 60 * 60 * 1000;

export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(ms: number, then: () => void): () => void {
    const timer = { at: this.#now + ms, then };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  soon(then: () => void): void {
    then();
  }

  /** How many timers wait for their time. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Turns the clock by `ms` without a look at the timers: where there are none. */
  turn(ms: number): void {
    this.#now += ms;
  }

  /** Lets everything happen that needs no time: promises, and streams that hand over bytes. */
  async settle(): Promise<void> {
    await new Promise(setImmediate);
  }

  /** Turns the clock by `ms`. Each timer on the way goes off at its moment, and what follows from it happens before the next. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await this.settle();
    for (let next = this.#next(); next !== undefined && next.at <= until; next = this.#next()) await this.#goOff(next);
    this.#now = until;
  }

  /** Turns the clock until `promise` has settled, and gives what it gives. Fails when nothing would ever settle it. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    await this.settle();
    const until = this.#now + FOR_EVER;
    while (!settled) {
      const next = this.#next();
      if (next === undefined) throw new Error("nothing that is waited for comes: no timer is left");
      if (next.at > until) throw new Error(`nothing that is waited for comes within ${FOR_EVER} ms`);
      await this.#goOff(next);
    }
    return promise;
  }

  async #goOff(timer: Timer): Promise<void> {
    this.#timers.delete(timer);
    this.#now = timer.at;
    timer.then();
    await this.settle();
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (next === undefined || timer.at < next.at) next = timer;
    return next;
  }
}
