/** One image on its way to the dock: credit, gaps, resume, and the truth about how it ended (SPEC §5.2). */
import * as v from "valibot";
import {
  DATA_OVERHEAD,
  type DockMessage,
  type Failure,
  operations,
  type Params,
  type Range,
  type Result,
  Sending,
} from "../protocol/index.js";
import { type Outcome, type Problem, problemOfFailure } from "./errors.js";
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
import { FRAME_ROOM, requestBytes } from "./question.js";
import type { Call, CallOptions, Session } from "./session.js";
import type { OpenSource } from "./source.js";
import { SLOWEST_LINE } from "./timing.js";
import { quoted } from "./visible.js";
import { type Since, Waiting } from "./waiting.js";

/** Longest time without a word of the dock, where nobody has set one, in milliseconds: what was sent may be on a slow line. */
const MOST_PATIENCE = 60_000;

/** How far an upload has come, in bytes of the image. What the dock had already counts as sent. */
export interface UploadProgress {
  readonly sent: number;
  readonly size: number;
}

export interface UploadOptions extends CallOptions {
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
}

type State =
  /** Waits for its turn; with an id when it has been asked before and may be again under it. */
  | { readonly kind: "waiting"; readonly leave: () => void; readonly id: number | undefined }
  | Asked
  | { readonly kind: "settling"; readonly leave: () => void }
  /** The dock has refused it; the reason is looked for. */
  | { readonly kind: "refused" }
  | { readonly kind: "ended" };

/** Has asked. */
interface Asked {
  readonly kind: "asked";
  readonly id: number;
  readonly share: Share;
  /** There once the dock has said where to begin. */
  sending?: Sending;
  /** What had been sent when the request was repeated last: of that, what the dock then lacks was lost (SPEC §5.4). */
  mark: number;
  /** The highest offset that the dock has asked for, and the highest that it has given credit for. */
  from: number;
  limit: number;
  /** When one of them rose last, by the session's clock, and the bytes that were sent since the dock was last heard of. */
  forwardAt: number;
  unheard: number;
}

export class Upload implements Call {
  readonly #session: Session;
  readonly #params: Params<"image.put">;
  readonly #source: OpenSource;
  readonly #options: UploadOptions;
  readonly #settled: (outcome: Outcome<Result<"image.put">>) => void;
  readonly #what: string;
  readonly #bytes: number;
  readonly #waiting: Waiting;
  #state: State = { kind: "waiting", leave: () => {}, id: undefined };
  /** The number of a write that may have been carried out. */
  #write: number | undefined;
  /** The furthest that it has come, over all requests: a dock that has forgotten begins anew. */
  #furthest = -1;
  #isReading = false;
  /** Whether a dock that has forgotten it since had made the image visible. */
  #wasDone: "no" | "maybe" = "no";
  #stopListening: () => void = () => {};

  constructor(
    session: Session,
    params: Params<"image.put">,
    source: OpenSource,
    options: UploadOptions,
    settled: (outcome: Outcome<Result<"image.put">>) => void,
  ) {
    this.#session = session;
    this.#params = params;
    this.#source = source;
    this.#options = options;
    this.#settled = settled;
    this.#what = `image.put of ${quoted(params.tag)}`;
    this.#bytes = requestBytes(session, "image.put", params);
    this.#waiting = new Waiting(session, options, {
      isIdle: () => false,
      askAgain: (longer) => this.#askAgain(longer),
      isComing: (since) => this.#isComing(since),
      late: (timeout) =>
        this.#giveUp(this.#state.kind === "waiting" ? waitedProblem(this.#what, timeout) : timeoutProblem(this.#what, timeout)),
    });
  }

  /** Asks to send it, when its turn comes. */
  begin(): void {
    if (this.#session.over !== undefined) return this.fail(this.#session.over);
    if (this.#options.signal?.aborted) return this.#abort();
    this.#session.begun(this);
    this.#stopListening = this.#session.onAbort(this.#options.signal, this.#abort);
    this.#waiting.startDeadline();
    this.#enter(undefined);
  }

  receive(message: DockMessage): void {
    const state = this.#state;
    if (state.kind !== "asked") return;
    switch (message.type) {
      case "pending":
        return this.#waiting.awaitDock(this.#session.timing.retryTime);
      case "dockResend":
        return this.#receiveResend(state, message, message.limit);
      case "dockCredit":
        state.sending?.grant(message.limit);
        return this.#progress(state, state.from, message.limit);
      case "result":
        return this.#receiveResult(message.value);
      case "failure":
        return this.#receiveFailure(message.failure);
      case "head":
      case "dockData":
        return this.#lie("sends what it was to receive");
    }
  }

  /** The link is over. When the dock had everything, the image may be there. */
  fail(problem: Problem): void {
    const isUnknown = this.#mayBeDone() && !endsWithLink("image.put", this.#params);
    this.#settle({ kind: "failed", problem: isUnknown ? unknownProblem(this.#what, problem) : problem });
  }

  /** Goes on over another link. To a dock that has forgotten it is a new upload of the same: what is there already, it needn't do again. */
  relinked(dock: "remembers" | "has forgotten"): void {
    const state = this.#state;
    if (state.kind !== "waiting" && state.kind !== "asked") return;
    const mayBeDone = this.#mayBeDone();
    this.#state = { kind: "waiting", leave: () => {}, id: state.id }; // what it had under way was counted over the link before
    if (endsWithLink("image.put", this.#params)) return this.fail(rolledBackProblem);
    if (this.#waiting.relinked() === "too often") {
      const problem = flappingProblem(this.#what);
      return this.#settle({ kind: "failed", problem: mayBeDone ? unknownProblem(this.#what, problem) : problem });
    }
    if (dock === "has forgotten") {
      this.#wasDone = mayBeDone ? "maybe" : this.#wasDone;
      this.#write = undefined;
    }
    this.#enter(dock === "remembers" ? state.id : undefined);
  }

  #enter(id: number | undefined): void {
    this.#waiting.stopAsking();
    this.#session.pacing.leave(this.#sendOne);
    this.#state = { kind: "waiting", leave: () => {}, id };
    if (this.#session.isDown) return;
    const answer = operations["image.put"].answer() + FRAME_ROOM;
    const writes = this.#write === undefined ? 1 : 0;
    const need = { requests: 1, streams: 1, writes, up: this.#bytes, down: { least: answer, most: answer } } as const;
    const leave = this.#session.flow.ask(need, (share) => this.#ask(share, id));
    if (this.#state.kind === "waiting") this.#state = { kind: "waiting", leave, id };
  }

  #ask(share: Share, before: number | undefined): void {
    const id = this.#session.register(this, before);
    this.#write ??= share.write;
    const heard = { mark: 0, from: 0, limit: -1, forwardAt: this.#session.clock.now(), unheard: 0 };
    this.#state = { kind: "asked", id, share: { ...share, write: this.#write }, ...heard };
    if (this.#furthest < 0) this.#waiting.startDeadline();
    this.#send(id, this.#session.timing.retryTime);
  }

  #send(id: number, wait: number): void {
    this.#session.send({ type: "request", id, op: "image.put", params: this.#params });
    this.#waiting.awaitDock(wait);
  }

  /** The dock says from where on it lacks bytes, or which between (SPEC §5.4). */
  #receiveResend(state: Asked, { from, to }: Range, limit: number): void {
    const { size } = this.#source;
    if (from > size) return this.#lie("asks for bytes beyond the end");
    this.#session.counters.resendsIn++;
    if (state.sending === undefined) {
      state.sending = new Sending(from, limit, this.#session.welcome.limits.maxBody - DATA_OVERHEAD);
      state.mark = from;
      this.#wasDone = "no"; // or the dock had it all, and would need nothing
      return this.#progress(state, from, limit);
    }
    // Nothing overtakes: what was sent before the request was repeated, and isn't there now, never will be.
    const lost = from === to ? { from, to: Math.max(from, Math.min(state.mark, state.sending.reached)) } : { from, to };
    if (state.sending.resend(lost, limit) === "outside") return this.#lie("asks for bytes that weren't sent");
    this.#progress(state, from, limit);
  }

  #receiveResult(value: unknown): void {
    const parsed = v.safeParse(operations["image.put"].result, value);
    if (!parsed.success && this.#state.kind === "settling") return this.#settle({ kind: "failed", problem: this.#falseResult });
    if (!parsed.success) return this.#lie("answers with a result that isn't one");
    this.#settle({ kind: "done", value: parsed.output });
  }

  get #falseResult(): Problem {
    return unknownProblem(this.#what, { code: "PROTOCOL", message: "the dock's result isn't one." });
  }

  #receiveFailure(failure: Failure): void {
    const problem = problemOfFailure(failure, this.#what);
    if (problem.code === "MALFORMED") return this.#giveUp(problem); // the dock may still have the stream (SPEC §1.4)
    if (problem.code !== "INTEGRITY") return this.#settle({ kind: "failed", problem });
    this.#waiting.stopAsking();
    this.#session.pacing.leave(this.#sendOne);
    if (this.#state.kind === "asked") this.#session.retire(this.#state.id, this.#state.share);
    this.#state = { kind: "refused" };
    this.#write = undefined;
    // The dock got something else than was hashed: did the line break it, or has it changed meanwhile?
    void this.#source.changed().then((changed) => this.#settle({ kind: "failed", problem: changed ?? problem }));
  }

  /** The dock has been heard of, and there may be something to send. Its time begins anew when it has come further. */
  #progress(state: Asked, from: number, limit: number): void {
    const before = state.from + state.limit;
    state.unheard = 0;
    state.from = Math.max(state.from, from);
    state.limit = Math.max(state.limit, Math.min(limit, this.#source.size)); // credit beyond the end is none
    const now = state.from + state.limit;
    if (now > before) {
      state.forwardAt = this.#session.clock.now();
      if (now > this.#furthest) this.#waiting.cameForward();
      else this.#waiting.startDeadline();
    }
    this.#furthest = Math.max(this.#furthest, now);
    this.#waiting.awaitDock(this.#session.timing.retryTime);
    this.#session.pacing.want(this.#sendOne);
  }

  /** Sends the next data message, if there is credit for one and its bytes are at hand. */
  readonly #sendOne = (): "sent" | "nothing" => {
    const state = this.#state;
    if (state.kind !== "asked" || state.sending === undefined || this.#isReading || this.#session.isDown) return "nothing";
    const range = state.sending.peek(this.#source.size);
    if (range === undefined) return "nothing";
    const bytes = this.#source.read(range.from, range.to - range.from);
    if (bytes instanceof Uint8Array) {
      this.#sendData(state, state.sending, range, bytes);
      return "sent";
    }
    this.#isReading = true;
    bytes.then(
      () => this.#hasRead(),
      (error: unknown) => this.#giveUp(problemOfReading(this.#what, error)),
    );
    return "nothing";
  };

  /** What was read is at hand now, unless it isn't wanted any more. */
  #hasRead(): void {
    this.#isReading = false;
    this.#session.pacing.want(this.#sendOne);
  }

  #sendData(state: Asked, sending: Sending, { from }: Range, bytes: Uint8Array): void {
    this.#session.send({ type: "hostData", id: state.id, offset: from, bytes });
    sending.sent({ from, to: from + bytes.length });
    state.unheard += bytes.length;
    this.#session.counters.uploaded += bytes.length;
    this.#waiting.awaitDock(this.#session.timing.retryTime);
    try {
      this.#options.onProgress?.({ sent: sending.reached, size: this.#source.size });
    } catch (cause) {
      this.#giveUp({ code: "ABORTED", message: `${this.#what}: its onProgress failed.`, cause });
    }
  }

  #askAgain(longer: number): void {
    if (this.#state.kind !== "asked") return;
    this.#session.counters.retries++;
    this.#state.mark = this.#state.sending?.reached ?? 0;
    this.#send(this.#state.id, longer);
  }

  /** On a slow line what was sent may take longer than the usual time to arrive. */
  #isComing({ at, heardThen }: Since): boolean {
    const state = this.#state;
    if (state.kind !== "asked") return this.#session.timing.isMoving(at, heardThen, this.#session.timing.heard);
    return this.#session.clock.now() - state.forwardAt < Math.min(state.unheard / SLOWEST_LINE, MOST_PATIENCE);
  }

  /** Whether the dock may have made the image visible: it was asked to, and lacks nothing that it would need for that. */
  #mayBeDone(): boolean {
    if (this.#write === undefined || this.#state.kind !== "asked") return this.#write !== undefined;
    const { sending } = this.#state;
    return sending === undefined || sending.reached === this.#source.size;
  }

  readonly #abort = (): void => this.#giveUp(abortProblem(this.#what, this.#options.signal));

  /** The dock has said what can't be (SPEC §5.5). */
  #lie(what: string): void {
    this.#giveUp({ code: "PROTOCOL", message: `${this.#what}: the dock broke the protocol: it ${what}.` });
  }

  /** Ends it for a reason that the dock doesn't know. The dock is told, and says whether the image is there, where that can be. */
  #giveUp(problem: Problem): void {
    const state = this.#state;
    if (state.kind === "ended" || state.kind === "settling") return;
    if (state.kind === "waiting" || state.kind === "refused") return this.fail(problem);
    this.#waiting.stop();
    this.#session.pacing.leave(this.#sendOne);
    if (!this.#mayBeDone()) {
      this.#session.cancel(state.id, state.share);
      this.#state = { kind: "settling", leave: () => {} };
      return this.#settle({ kind: "failed", problem });
    }
    const settle = (outcome: Outcome<unknown>): void => {
      if (outcome.kind === "failed") return this.#settle(outcome);
      this.#receiveResult(outcome.value);
    };
    const left = { op: "image.put", params: this.#params, what: this.#what, problem } as const;
    this.#state = { kind: "settling", leave: settleWrite(this.#session, state.id, state.share, left, settle) };
  }

  #settle(given: Outcome<Result<"image.put">>): void {
    const state = this.#state;
    if (state.kind === "ended") return;
    const outcome = this.#wasDone === "maybe" ? doubtful(this.#what, given) : given;
    this.#state = { kind: "ended" };
    this.#session.settled(this);
    this.#waiting.stop();
    this.#stopListening();
    this.#session.pacing.leave(this.#sendOne);
    if (state.kind === "asked") this.#session.retire(state.id, state.share);
    else if (state.kind !== "refused") state.leave();
    if (state.kind === "waiting" && this.#write !== undefined) this.#session.flow.giveBack({ write: this.#write });
    this.#settled(outcome);
  }
}

/** A failure that says nothing of what had been done before. */
function doubtful<T>(what: string, outcome: Outcome<T>): Outcome<T> {
  if (outcome.kind === "done" || outcome.problem.code === "OUTCOME_UNKNOWN") return outcome;
  return { kind: "failed", problem: unknownProblem(what, outcome.problem) };
}

function problemOfReading(what: string, error: unknown): Problem {
  if (error instanceof Error && "code" in error && error.code === "CHANGED")
    return { code: "CHANGED", message: error.message, cause: error };
  return { code: "SOURCE", message: `${what}: what was to be sent couldn't be read.`, cause: error };
}
