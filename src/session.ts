/** Handshake, ids, retries, deadlines, cancel: the only place that knows about requests in flight (SPEC §3 and §4). */
import { randomBytes, randomInt } from "node:crypto";
import * as v from "valibot";
import {
  changes,
  type DockMessage,
  type HostMessage,
  type Operation,
  operations,
  type Params,
  type Result,
  UINT32_MAX,
  USUAL_BODY,
  type Welcome,
} from "../protocol/index.js";
import { Aborts } from "./aborts.js";
import { Cancellation, type FinalAnswer } from "./cancellation.js";
import { positive } from "./check.js";
import type { Clock } from "./clock.js";
import { connect, type Heir, type Welcomed } from "./connect.js";
import { DockError, type Outcome, type Problem, unwrap } from "./errors.js";
import { isToChange } from "./features.js";
import { Flow, type Share, WriteOrder } from "./flow.js";
import { type Link, type LinkCounters, noCounters, type TraceEvent } from "./link.js";
import { unknownProblem } from "./outcome.js";
import type { Pacing } from "./pacing.js";
import { Question } from "./question.js";
import { FINAL, findAgain, type Reopening } from "./reconnect.js";
import { Timing, USUAL_TIMEOUT } from "./timing.js";
import type { Transport } from "./transport/transport.js";
import { quoted } from "./visible.js";

/** Longest handshake, in milliseconds (SPEC §9.3). */
export const USUAL_HANDSHAKE_TIMEOUT = 5_000;

/** What every call takes. */
export interface CallOptions {
  /** Ends the call with `ABORTED`. */
  readonly signal?: AbortSignal | undefined;
  /** Longest time for an answer, or for new bytes of a stream, in milliseconds; 10,000 unless told. */
  readonly timeout?: number | undefined;
}

export interface SessionOptions {
  readonly clock: Clock;
  /** Who asks, for the dock's log: at most 64 bytes. */
  readonly software: string;
  /** Longest handshake, in milliseconds. */
  readonly handshakeTimeout: number;
  /** For calls that say nothing else, in milliseconds; the usual time unless told. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Console text of the dock, as it comes in. */
  readonly onText?: ((text: string) => void) | undefined;
  /** What the dock logs; the text is the dock's own: don't print it raw. */
  readonly onLog?: ((level: string, text: string) => void) | undefined;
  readonly trace?: ((event: TraceEvent) => void) | undefined;
  /** Whether the dock isn't to be changed. */
  readonly readOnly?: boolean | undefined;
  /** How the dock is found again when the link is lost; without it the session is then over. */
  readonly reopening?: Reopening | undefined;
}

/** Something that waits for answers to an id. */
export interface Call {
  receive(message: DockMessage): void;
  /** The session is over. */
  fail(problem: Problem): void;
  /** The link was lost and there is another one, over which nothing is under way yet. The dock still knows the session's writes, or doesn't. */
  relinked(dock: "remembers" | "has forgotten"): void;
}

type State =
  | { readonly kind: "up" }
  /** The dock is looked for. `stop` ends that, `through` settles when it has ended. */
  | { readonly kind: "down"; readonly stop: AbortController; readonly through: Promise<void> }
  | { readonly kind: "over"; readonly problem: Problem };

export class Session {
  readonly #options: SessionOptions;
  readonly #clock: Clock;
  /** By it the dock knows the host again (SPEC §3.4). */
  readonly #key: Uint8Array;
  readonly #counters: LinkCounters;
  #state: State = { kind: "up" };
  #link: Link;
  #welcome: Welcome;
  #flow: Flow;
  /** How long to wait. */
  readonly timing: Timing;
  readonly #writes = new WriteOrder();
  /** Every call that isn't settled, also while it waits for its turn, in the order in which they began. */
  readonly #unsettled = new Set<Call>();
  /** Who gets what comes for an id. */
  readonly #calls = new Map<number, Call>();
  readonly #aborts = new Aborts();
  #nextId = randomInt(1, UINT32_MAX);
  /** When the link began that there is, or was last, by the clock; long ago for the first one. */
  #upSince = Number.NEGATIVE_INFINITY;
  /** The boot that is to end: a dock that was told to restart isn't back before. */
  #endingBoot: Uint8Array | undefined;
  #ended: (problem: Problem) => void = () => {};
  /** Settles when the session is over, with the reason. */
  readonly ended: Promise<Problem>;

  /** Shakes hands over an open line, which it then owns. Fails with `NO_ANSWER`, `ECHO`, `VERSION`, `LINK_LOST` or `ABORTED`. */
  static async open(transport: Transport, options: SessionOptions): Promise<Session> {
    const key = randomBytes(8);
    const counters = noCounters();
    let session: Session | undefined;
    const outcome = await connect(transport, { ...options, session: key }, counters, (welcomed) => {
      session = new Session(welcomed, options, key, counters);
      return session.#heirOf(welcomed.link);
    });
    unwrap(outcome);
    if (session === undefined) throw new Error("a handshake that is done has made a session");
    return session;
  }

  private constructor(
    { link, welcome, roundTrip }: Welcomed,
    options: SessionOptions,
    key: Uint8Array,
    counters: LinkCounters,
  ) {
    this.#options = options;
    this.#clock = options.clock;
    this.#key = key;
    this.#counters = counters;
    this.#link = link;
    this.#welcome = welcome;
    this.#flow = this.#flowOver(link, welcome, roundTrip);
    this.timing = new Timing(options.clock, link, this.#flow);
    this.ended = new Promise((resolve) => {
      this.#ended = resolve;
    });
  }

  get link(): Pick<Link, "name" | "counters"> {
    return this.#link;
  }

  /** When what can wait is sent. */
  get pacing(): Pacing {
    return this.#link.pacing;
  }

  get clock(): Clock {
    return this.#clock;
  }

  /** How much may be under way. It is another one after the link was lost. */
  get flow(): Flow {
    return this.#flow;
  }

  /** What the dock said when it was greeted last. */
  get welcome(): Welcome {
    return this.#welcome;
  }

  /** Why the session is over, if it is. */
  get over(): Problem | undefined {
    return this.#state.kind === "over" ? this.#state.problem : undefined;
  }

  /** Whether the link is lost and the dock is being looked for. */
  get isDown(): boolean {
    return this.#state.kind === "down";
  }

  /** Whether a lost dock is looked for. */
  get reconnects(): boolean {
    return this.#options.reopening !== undefined;
  }

  /** The link's counters, to be counted up by what happens in streams. */
  get counters(): LinkCounters {
    return this.#counters;
  }

  /** How long a call with these options waits, in milliseconds. Fails with `USAGE`. */
  timeoutOf(options: CallOptions): number {
    return positive("timeout", options.timeout ?? this.#options.timeout ?? USUAL_TIMEOUT);
  }

  /** Whether nobody has said how long to wait, so that a slow line may have longer. */
  isPatient(options: CallOptions): boolean {
    return options.timeout === undefined && this.#options.timeout === undefined;
  }

  /** Calls `then` when the signal comes. Returns how to stop waiting for it. */
  onAbort(signal: AbortSignal | undefined, then: () => void): () => void {
    return this.#aborts.on(signal, then);
  }

  /** Sends a message, or loses it while the link is lost. */
  send(message: HostMessage): void {
    this.#link.send(message);
  }

  /** Takes note of a call that has begun, so that it fails when the session ends; until `settled`. */
  begun(call: Call): void {
    this.#unsettled.add(call);
  }

  settled(call: Call): void {
    this.#unsettled.delete(call);
  }

  /** An id that no other call has (SPEC §4.1), registered for `call`: a new one, or the one that it had before the link was lost. */
  register(call: Call, before?: number): number {
    const id = before ?? this.#nextId;
    if (before === undefined) this.#nextId = id === UINT32_MAX ? 1 : id + 1;
    this.#calls.set(id, call);
    return id;
  }

  /** Forgets an id and gives back what it had under way. */
  retire(id: number, share: Partial<Share>): void {
    this.#calls.delete(id);
    this.#flow.giveBack(share);
  }

  /** Cancels an id, until the dock has confirmed. `answered` gets the final answer, or nothing when none will come. */
  cancel(id: number, share: Share, answered: (answer: FinalAnswer | undefined) => void = () => {}): void {
    new Cancellation(this, id, share, answered).begin();
  }

  /** How many calls have begun and aren't settled. */
  get underWay(): number {
    return this.#unsettled.size;
  }

  /**
   * Fails unless the dock has a feature, with `UNSUPPORTED`, and, where that is for changing it, with `READ_ONLY` unless it may be changed; before anything is
   * sent. Or with the reason why the session is over.
   */
  requireFeature(feature: string, what: string): void {
    if (this.over !== undefined) throw new DockError(this.over);
    if (feature !== "" && !this.#welcome.features.includes(feature)) {
      throw new DockError({ code: "UNSUPPORTED", message: `This dock can't do that: ${what} needs its feature "${feature}".` });
    }
    if (!this.#options.readOnly || !isToChange(feature)) return;
    throw new DockError({ code: "READ_ONLY", message: `This dock was opened to be read only, and ${what} would change it.` });
  }

  /** Asks one question and gives the answer. */
  async request<Op extends Operation>(op: Op, params: Params<Op>, options: CallOptions): Promise<Result<Op>> {
    const { feature } = operations[op];
    if (feature !== "write") this.requireFeature(feature, op);
    const outcome = await new Promise<Outcome<unknown>>((resolve) => {
      new Question(this, op, params, options, resolve).begin();
    });
    const schema: v.GenericSchema<unknown, Result<Op>> = operations[op].result;
    const answer = v.safeParse(schema, unwrap(outcome), { abortEarly: true });
    if (answer.success) return answer.output;
    const problem = {
      code: "PROTOCOL",
      message: `The dock answered ${op} with something that isn't an answer to it.`,
    } as const;
    throw new DockError(changes(op) ? unknownProblem(op, problem) : problem);
  }

  /** The dock whose boot this was restarts, as it was told to: the link to it is over. */
  restarts(bootId: Uint8Array): void {
    if (Buffer.compare(this.#welcome.bootId, bootId) !== 0) return;
    this.#endingBoot = bootId;
    this.#leaveLink({ code: "LINK_LOST", message: "The dock restarts, as it was told to. Open it again.", retryable: true });
  }

  /** Ends the session by the caller's wish: everything pending fails with `CLOSED`. */
  async close(): Promise<void> {
    const state = this.#state;
    this.#end({ code: "CLOSED", message: "The dock was closed." });
    if (state.kind === "down") {
      state.stop.abort();
      await state.through;
    }
    await this.#link.close();
  }

  #heirOf(link: Link): Heir {
    return {
      message: (message) => {
        if (link === this.#link) this.#receive(message);
      },
      lost: (problem) => {
        if (link === this.#link) this.#lost(problem);
      },
    };
  }

  #flowOver(link: Link, welcome: Welcome, roundTrip: number): Flow {
    link.maxBody = USUAL_BODY;
    const flow = new Flow(welcome.limits, link.whenLate, this.#clock, this.#writes);
    flow.roundTrip = roundTrip;
    return flow;
  }

  #receive(message: DockMessage): void {
    if (message.type === "dockData") this.timing.dataCame();
    switch (message.type) {
      case "welcome":
        return; // an answer to one of several hellos of this handshake, or of one before
      case "log":
        this.#options.onLog?.(message.level, message.text);
        return;
      case "failure":
        if (message.failure.code === "NO_SESSION" && this.#calls.has(message.id)) {
          const why = "The dock has no session any more: it has restarted, or forgotten it. Open it again.";
          return this.#leaveLink({ code: "LINK_LOST", message: why, retryable: true });
        }
    }
    this.#calls.get(message.id)?.receive(message);
  }

  /** The line may be there still, but the session over it isn't. */
  #leaveLink(problem: Problem): void {
    const closed = this.#link.close().catch(() => {}); // the session is over, whatever becomes of the line
    this.#lost(problem, closed);
  }

  #lost(problem: Problem, closed: Promise<void> = Promise.resolve()): void {
    if (this.#state.kind !== "up") return;
    const { reopening } = this.#options;
    if (reopening === undefined) return this.#end(problem);
    const stop = new AbortController();
    // The state first: what follows looks at it.
    const through = closed.then(() => this.#findAgain(reopening, problem, stop.signal));
    this.#state = { kind: "down", stop, through };
    this.#flow.end();
    queueMicrotask(() => reopening.onLost(problem)); // the caller's own: what it throws isn't to end up in here
  }

  async #findAgain(reopening: Reopening, lost: Problem, signal: AbortSignal): Promise<void> {
    const outcome = await findAgain(reopening, {
      connecting: { ...this.#options, session: this.#key, signal },
      counters: this.#counters,
      lostSince: this.#upSince,
      take: (welcomed) => {
        const problem = this.over ?? this.#refusal(welcomed.welcome);
        if (problem !== undefined) return { kind: "failed", problem };
        this.#relink(welcomed);
        return { kind: "done", value: this.#heirOf(welcomed.link) };
      },
    });
    if (outcome.kind === "done" || signal.aborted) return;
    if (FINAL.has(outcome.problem.code)) return this.#end(outcome.problem);
    const message = `${lost.message} It wasn't found again within ${reopening.timeout} ms: ${outcome.problem.message}`;
    this.#end({ ...lost, message, cause: outcome.problem.cause ?? lost.cause });
  }

  /** Why what has answered isn't the dock that was lost. */
  #refusal({ dock, bootId }: Welcome): Problem | undefined {
    const { id } = this.#welcome.dock;
    if (dock.id !== id)
      return { code: "NO_DOCK", message: `Another dock is there now: ${quoted(dock.id)}, not ${quoted(id)}.` };
    if (this.#endingBoot === undefined || Buffer.compare(this.#endingBoot, bootId) !== 0) return undefined;
    return { code: "NO_ANSWER", message: "The dock was told to restart, and hasn't yet." };
  }

  #relink(welcomed: Welcomed): void {
    const { link, welcome, roundTrip } = welcomed;
    const isSameBoot = Buffer.compare(welcome.bootId, this.#welcome.bootId) === 0;
    const dock = welcome.resumed === true && isSameBoot ? "remembers" : "has forgotten";
    if (dock === "has forgotten") this.#writes.forget();
    this.#state = { kind: "up" };
    this.#upSince = this.#clock.now();
    this.#link = link;
    this.#welcome = welcome;
    this.#endingBoot = undefined;
    this.#flow = this.#flowOver(link, welcome, roundTrip);
    this.timing.relink(link, this.#flow);
    this.#counters.reconnects++;
    const cancelled = [...this.#calls.values()].filter((call) => !this.#unsettled.has(call));
    this.#calls.clear();
    for (const call of [...cancelled, ...this.#unsettled]) call.relinked(dock);
    queueMicrotask(() => this.#options.reopening?.onBack());
  }

  #end(problem: Problem): void {
    if (this.#state.kind === "over") return;
    this.#state = { kind: "over", problem };
    this.#flow.end();
    for (const call of [...this.#unsettled, ...this.#calls.values()]) call.fail(problem);
    this.#ended(problem);
  }
}
