/** How a call waits for the dock: asks again when nothing is heard, and gives up when that has gone on too long (SPEC §9.3). */
import type { CallOptions, Session } from "./session.js";

/** How often a call goes on over another link without having come forward over the last one. */
const MOST_RELINKS = 8;

/** Who waits. */
export interface Waiter {
  /** Whether nothing is to come just now: then no time runs out. */
  isIdle(): boolean;
  /** Nothing came: asks again. `longer` is how long to wait the next time, in milliseconds. */
  askAgain(longer: number): void;
  /** Whether what is waited for may still be coming, although the time is over; only asked where nobody has set a time. */
  isComing(since: Since): boolean;
  /** The time is over. */
  late(timeout: number): void;
}

/** How things stood when a wait began. */
export interface Since {
  /** By the session's clock. */
  readonly at: number;
  /** `timing.heard` then, and when the call last came forward. */
  readonly heardThen: number;
  readonly heard: number;
}

export class Waiting {
  readonly #session: Session;
  readonly #waiter: Waiter;
  /** Milliseconds. */
  readonly #timeout: number;
  readonly #isPatient: boolean;
  /** How often the dock was found again since the call last came forward. */
  #relinks = 0;
  #stopRetry: () => void = () => {};
  #stopDeadline: () => void = () => {};

  /** Fails with `USAGE` when the timeout can't be one. */
  constructor(session: Session, options: CallOptions, waiter: Waiter) {
    this.#session = session;
    this.#waiter = waiter;
    this.#timeout = session.timeoutOf(options);
    this.#isPatient = session.isPatient(options);
  }

  /** Asks again when nothing is heard for `wait` milliseconds, and nothing that could be in the way of it. */
  awaitDock(wait: number, heard = this.#session.timing.heard): void {
    this.#stopRetry();
    if (this.#waiter.isIdle()) return;
    const since = this.#session.clock.now();
    this.#stopRetry = this.#session.clock.after(wait, () => {
      if (this.#session.isDown) return; // it is asked again when the dock is found
      if (this.#session.timing.isStillComing(since, heard)) return this.awaitDock(wait, heard);
      this.#waiter.askAgain(this.#session.timing.nextRetryTime(wait));
    });
  }

  /** The call has come forward. */
  cameForward(): void {
    this.#relinks = 0;
    this.startDeadline();
  }

  /** The dock was found again. "too often" when that goes on without the call coming forward. */
  relinked(): "once more" | "too often" {
    if (++this.#relinks > MOST_RELINKS) return "too often";
    if (this.#isPatient) this.startDeadline();
    return "once more";
  }

  /** The time of the call begins. */
  startDeadline(heard = this.#session.timing.heard): void {
    this.#stopDeadline();
    const at = this.#session.clock.now();
    const heardThen = this.#session.timing.heard;
    this.#stopDeadline = this.#session.clock.after(this.#timeout, () => {
      if (this.#waiter.isIdle()) return;
      const mayGoOn = this.#isPatient && (this.#session.isDown || this.#waiter.isComing({ at, heardThen, heard }));
      if (mayGoOn) return this.startDeadline(heard);
      this.#waiter.late(this.#timeout);
    });
  }

  /** Nothing is to be asked again for now. */
  stopAsking(): void {
    this.#stopRetry();
  }

  stop(): void {
    this.#stopRetry();
    this.#stopDeadline();
  }
}
