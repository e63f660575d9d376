/** One request with one answer, from waiting for its turn until it is settled (SPEC §4). */
import * as v from "valibot";
import {
  changes,
  type DockMessage,
  encodeMessage,
  frameBound,
  type HostMessage,
  type Item,
  type Operation,
  operations,
  UINT32_MAX,
  USUAL_BODY,
} from "../protocol/index.js";
import { DockError, type Outcome, type Problem, problemOfFailure } from "./errors.js";
import type { Share } from "./flow.js";
import {
  abortProblem,
  endsWithLink,
  flappingProblem,
  rolledBackProblem,
  settleWrite,
  timeoutProblem,
  unknownProblem,
  waitedProblem,
} from "./outcome.js";
import { rollBack } from "./rollback.js";
import type { Call, CallOptions, Session } from "./session.js";
import { Waiting } from "./waiting.js";

/** What the frame of an answer takes beyond its body's own bound, in bytes (SPEC §7.1). */
export const FRAME_ROOM = 64;

type State =
  /** Waits for its turn, or for the dock to be found again; with an id when it has been asked before and may be again under it. */
  | { readonly kind: "waiting"; readonly leave: () => void; readonly id: number | undefined }
  | { readonly kind: "asked"; readonly id: number; readonly share: Share }
  /** Was left, but is a write: what became of it isn't known yet. */
  | { readonly kind: "settling"; readonly leave: () => void }
  | { readonly kind: "settled" };

export class Question implements Call {
  readonly #session: Session;
  readonly #op: Operation;
  readonly #params: { readonly [key: string]: Item };
  readonly #signal: AbortSignal | undefined;
  readonly #settled: (outcome: Outcome<unknown>) => void;
  readonly #waiting: Waiting;
  /** The frame of the request, in bytes. */
  readonly #bytes: number;
  #state: State = { kind: "waiting", leave: () => {}, id: undefined };
  /** The number of a write that may have been carried out. */
  #write: number | undefined;
  #askedAt = 0;
  #stopListening: () => void = () => {};

  /** Fails with `TOO_LARGE` when the dock doesn't take so long a request. */
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
    this.#settled = settled;
    this.#bytes = requestBytes(session, op, params);
    this.#waiting = new Waiting(session, options, {
      isIdle: () => false,
      isComing: () => false,
      askAgain: (longer) => this.#askAgain(longer),
      late: (timeout) =>
        this.#giveUp(this.#state.kind === "waiting" ? waitedProblem(op, timeout) : timeoutProblem(op, timeout)),
    });
  }

  /** Waits for its turn, then asks. */
  begin(): void {
    if (this.#session.over !== undefined) return this.fail(this.#session.over);
    if (this.#signal?.aborted) return this.#abort();
    this.#session.begun(this);
    this.#stopListening = this.#session.onAbort(this.#signal, this.#abort);
    this.#waiting.startDeadline();
    this.#enter(undefined);
  }

  receive(message: DockMessage): void {
    if (this.#state.kind !== "asked") return;
    switch (message.type) {
      case "pending":
        return this.#waiting.awaitDock(this.#session.timing.retryTime);
      case "result":
        this.#session.timing.measure(this.#session.clock.now() - this.#askedAt);
        return this.#settle({ kind: "done", value: message.value });
      case "failure":
        return this.#settle({ kind: "failed", problem: problemOfFailure(message.failure, this.#op) });
    }
  }

  /** The link is over. A write that was asked for may have been carried out. */
  fail(problem: Problem): void {
    const isUnknown = this.#write !== undefined && !endsWithLink(this.#op, this.#params);
    this.#settle({ kind: "failed", problem: isUnknown ? unknownProblem(this.#op, problem) : problem });
  }

  relinked(dock: "remembers" | "has forgotten"): void {
    if (this.#state.kind !== "waiting" && this.#state.kind !== "asked") return;
    const { id } = this.#state;
    this.#waiting.stopAsking();
    this.#state = { kind: "waiting", leave: () => {}, id: undefined };
    const isToBegin = this.#op === "txn.begin" && this.#write === undefined;
    if (!isToBegin && endsWithLink(this.#op, this.#params)) return this.fail(rolledBackProblem);
    if (this.#waiting.relinked() === "too often") return this.fail(flappingProblem(this.#op));
    if (this.#write === undefined) return this.#enter(undefined);
    if (dock === "remembers") return this.#enter(id);
    this.fail({ code: "LINK_LOST", message: "the link was lost, and the dock has restarted since." });
  }

  #enter(id: number | undefined): void {
    this.#state = { kind: "waiting", leave: () => {}, id };
    if (this.#session.isDown) return;
    const answer = Math.min(operations[this.#op].answer(this.#session.welcome.limits), USUAL_BODY) + FRAME_ROOM;
    const writes = changes(this.#op) && this.#write === undefined ? 1 : 0;
    const need = { requests: 1, streams: 0, writes, up: this.#bytes, down: { least: answer, most: answer } } as const;
    const leave = this.#session.flow.ask(need, (share) => this.#ask(share, id));
    if (this.#state.kind === "waiting") this.#state = { kind: "waiting", leave, id };
  }

  #ask(share: Share, before: number | undefined): void {
    const id = this.#session.register(this, before);
    this.#write ??= share.write;
    this.#state = { kind: "asked", id, share: { ...share, write: this.#write } };
    this.#askedAt = this.#session.clock.now();
    this.#send(id, this.#session.timing.retryTime);
  }

  #send(id: number, wait: number): void {
    this.#session.send(requestMessage(id, this.#op, this.#params));
    this.#waiting.awaitDock(wait);
  }

  #askAgain(longer: number): void {
    if (this.#state.kind !== "asked") return;
    this.#session.counters.retries++;
    this.#send(this.#state.id, longer);
  }

  readonly #abort = (): void => this.#giveUp(abortProblem(this.#op, this.#signal));

  /** Ends it for a reason of the caller's. The dock is told when it knows of it, and says whether a write was carried out. */
  #giveUp(problem: Problem): void {
    const state = this.#state;
    if (state.kind !== "asked" && this.#write !== undefined) return this.fail(problem);
    if (state.kind !== "asked") return this.#settle({ kind: "failed", problem });
    this.#waiting.stop();
    if (this.#write === undefined) {
      this.#session.cancel(state.id, state.share);
      this.#state = { kind: "settling", leave: () => {} };
      return this.#settle({ kind: "failed", problem });
    }
    const left = { op: this.#op, params: this.#params, what: this.#op, problem, late: this.#late };
    const leave = settleWrite(this.#session, state.id, state.share, left, (outcome) => this.#settle(outcome));
    this.#state = { kind: "settling", leave };
  }

  /** A transaction that was begun when nobody waited for it any more would keep its layer from others. */
  readonly #late = (value: unknown): void => {
    if (this.#op !== "txn.begin") return;
    const begun = v.safeParse(operations["txn.begin"].result, value);
    if (begun.success) void rollBack(this.#session, begun.output.txn);
  };

  #settle(outcome: Outcome<unknown>): void {
    const state = this.#state;
    if (state.kind === "settled") return;
    this.#state = { kind: "settled" };
    this.#session.settled(this);
    this.#waiting.stop();
    this.#stopListening();
    if (state.kind === "asked") this.#session.retire(state.id, state.share);
    else state.leave();
    if (state.kind === "waiting" && this.#write !== undefined) this.#session.flow.giveBack({ write: this.#write });
    this.#settled(outcome);
  }
}

function requestMessage(id: number, op: Operation, params: { readonly [key: string]: Item }): HostMessage {
  return { type: "request", id, op, params };
}

/** The frame of a request, in bytes. Fails with `TOO_LARGE` when the dock doesn't take it. */
export function requestBytes(session: Session, op: Operation, params: { readonly [key: string]: Item }): number {
  const bytes = encodeMessage(requestMessage(UINT32_MAX, op, params)).length;
  const limit = session.welcome.limits.maxBody;
  if (bytes <= limit) return frameBound(bytes);
  const message = `${op}: the request would be ${bytes} bytes long; this dock takes ${limit}.`;
  throw new DockError({ code: "TOO_LARGE", message, details: { limit } });
}
