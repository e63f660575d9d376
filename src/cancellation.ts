/** An id that was left, until the dock has confirmed that (SPEC §4.4). */
import type { DockMessage } from "../protocol/index.js";
import type { Share } from "./flow.js";
import type { Call, Session } from "./session.js";
import { USUAL_TIMEOUT } from "./timing.js";

/** The final answer to an id. */
export type FinalAnswer = Extract<DockMessage, { readonly type: "result" | "failure" }>;

export class Cancellation implements Call {
  readonly #session: Session;
  readonly #id: number;
  /** What it had under way, which counts until the dock has confirmed, since it may still be on the line. */
  #share: Partial<Share>;
  readonly #answered: (answer: FinalAnswer | undefined) => void;
  #stopRetry: () => void = () => {};
  #stopGivingUp: () => void = () => {};

  /** @param answered gets the final answer, or nothing when none will come */
  constructor(session: Session, id: number, share: Partial<Share>, answered: (answer: FinalAnswer | undefined) => void) {
    this.#session = session;
    this.#id = id;
    this.#share = share;
    this.#answered = answered;
  }

  begin(): void {
    if (this.#session.over !== undefined) return this.#done(undefined);
    this.#stopGivingUp = this.#session.clock.after(USUAL_TIMEOUT, () => this.#done(undefined));
    this.#session.register(this, this.#id);
    if (!this.#session.isDown) this.#send(this.#session.timing.retryTime);
  }

  receive(message: DockMessage): void {
    if (message.type === "result" || message.type === "failure") this.#done(message);
  }

  fail(): void {
    this.#done(undefined);
  }

  /** What it had under way isn't any more. What became of a write, the dock may still know. */
  relinked(dock: "remembers" | "has forgotten"): void {
    this.#stopRetry();
    const { write } = this.#share;
    this.#share = write === undefined ? {} : { write };
    if (dock === "has forgotten" || write === undefined) return this.#done(undefined);
    this.#session.register(this, this.#id);
    this.#send(this.#session.timing.retryTime);
  }

  #send(wait: number): void {
    this.#session.send({ type: "cancel", id: this.#id });
    this.#stopRetry = this.#session.clock.after(wait, () => this.#send(this.#session.timing.nextRetryTime(wait)));
  }

  #done(answer: FinalAnswer | undefined): void {
    this.#stopRetry();
    this.#stopGivingUp();
    this.#session.retire(this.#id, this.#share);
    this.#answered(answer);
  }
}
