/** One request with one answer, from waiting for its turn until it is settled (SPEC §4). */
import { type DockMessage, type Item, type Operation, operations, USUAL_BODY } from "../protocol/index.js";
import { type Outcome, type Problem, problemOfFailure } from "./errors.js";
import type { Share } from "./flow.js";
import type { Call, CallOptions, Session } from "./session.js";

/** What the frame of an answer takes beyond its body's own bound, in bytes (SPEC §7.1). */
const FRAME_ROOM = 64;
/** No request that reads is longer, frame and all, in bytes: its names are at most 255 bytes. */
export const REQUEST_ROOM = 512;

type State =
  | { readonly kind: "waiting"; readonly leave: () => void }
  | { readonly kind: "asked"; readonly id: number; readonly share: Share }
  | { readonly kind: "settled" };

export class Question implements Call {
  readonly #session: Session;
  readonly #op: Operation;
  readonly #params: { readonly [key: string]: Item };
  readonly #signal: AbortSignal | undefined;
  readonly #timeout: number;
  readonly #settled: (outcome: Outcome<unknown>) => void;
  #state: State = { kind: "waiting", leave: () => {} };
  #askedAt = 0;
  #stopRetry: () => void = () => {};
  #stopDeadline: () => void = () => {};
  #stopListening: () => void = () => {};

  constructor(
    session: Session,
    op: Operation,
    params: { readonly [key: string]: Item },
    options: CallOptions,
    settled: (outcome: Outcome<unknown>) => void,
  ) {
    this.#session = session;
    this.#op = op;
    this.#params = params;
    this.#signal = options.signal;
    this.#timeout = session.timeoutOf(options);
    this.#settled = settled;
  }

  /** Waits for its turn, then asks. */
  begin(): void {
    if (this.#session.over !== undefined) return this.fail(this.#session.over);
    if (this.#signal?.aborted) return this.#abort();
    this.#session.begun(this);
    this.#stopListening = this.#session.onAbort(this.#signal, this.#abort);
    this.#stopDeadline = this.#session.clock.after(this.#timeout, () =>
      this.#giveUp(
        this.#state.kind === "waiting" ? waitedProblem(this.#op, this.#timeout) : timeoutProblem(this.#op, this.#timeout),
      ),
    );
    const answer = Math.min(operations[this.#op].answer(this.#session.welcome.limits), USUAL_BODY) + FRAME_ROOM;
    const need = { requests: 1, streams: 0, up: REQUEST_ROOM, down: { least: answer, most: answer } } as const;
    const leave = this.#session.flow.ask(need, (share) => this.#ask(share));
    if (this.#state.kind === "waiting") this.#state = { kind: "waiting", leave };
  }

  receive(message: DockMessage): void {
    if (this.#state.kind !== "asked") return;
    switch (message.type) {
      case "pending":
        return this.#awaitAnswer(this.#session.retryTime);
      case "result":
        this.#session.measure(this.#session.clock.now() - this.#askedAt);
        return this.#settle({ kind: "done", value: message.value });
      case "failure":
        return this.fail(problemOfFailure(message.failure, this.#op));
    }
  }

  /** Ends it, with nothing more to be said to the dock. */
  fail(problem: Problem): void {
    this.#settle({ kind: "failed", problem });
  }

  #ask(share: Share): void {
    const id = this.#session.register(this);
    this.#state = { kind: "asked", id, share };
    this.#askedAt = this.#session.clock.now();
    this.#send(id, this.#session.retryTime);
  }

  #send(id: number, wait: number): void {
    this.#session.send({ type: "request", id, op: this.#op, params: this.#params });
    this.#awaitAnswer(wait);
  }

  /** Asks again when nothing is heard for `wait` milliseconds. */
  #awaitAnswer(wait: number, heard = this.#session.heard): void {
    this.#stopRetry();
    const since = this.#session.clock.now();
    this.#stopRetry = this.#session.clock.after(wait, () => {
      if (this.#state.kind !== "asked") return;
      if (this.#session.isStillComing(since, heard)) return this.#awaitAnswer(wait, heard);
      this.#session.counters.retries++;
      this.#send(this.#state.id, this.#session.nextRetryTime(wait));
    });
  }

  readonly #abort = (): void => this.#giveUp(abortProblem(this.#op, this.#signal));

  /** Ends it for a reason of the caller's: the dock is told when it knows of it. */
  #giveUp(problem: Problem): void {
    if (this.#state.kind === "asked") {
      this.#session.cancel(this.#state.id, this.#state.share);
      this.#state = { kind: "waiting", leave: () => {} };
    }
    this.fail(problem);
  }

  #settle(outcome: Outcome<unknown>): void {
    const state = this.#state;
    if (state.kind === "settled") return;
    this.#state = { kind: "settled" };
    this.#session.settled(this);
    this.#stopRetry();
    this.#stopDeadline();
    this.#stopListening();
    if (state.kind === "waiting") state.leave();
    else this.#session.retire(state.id, state.share);
    this.#settled(outcome);
  }
}

export function abortProblem(what: string, signal: AbortSignal | undefined): Problem {
  return { code: "ABORTED", message: `${what} was aborted.`, cause: signal?.reason };
}

export function waitedProblem(what: string, timeout: number): Problem {
  return {
    code: "TIMEOUT",
    message: `${what} waited ${timeout} ms for other calls, and its turn didn't come.`,
    retryable: true,
  };
}

export function timeoutProblem(what: string, timeout: number): Problem {
  return { code: "TIMEOUT", message: `${what}: the dock didn't answer within ${timeout} ms.`, retryable: true };
}
