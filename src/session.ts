/** Handshake, ids, retries, deadlines, cancel: the only place that knows about requests in flight (SPEC §3 and §4). */
import { randomInt } from "node:crypto";
import * as v from "valibot";
import {
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
import { positive } from "./check.js";
import type { Clock } from "./clock.js";
import { DockError, type Outcome, type Problem, unwrap } from "./errors.js";
import { Flow, type Share } from "./flow.js";
import { Handshake } from "./handshake.js";
import { Link, type TraceEvent } from "./link.js";
import { Question } from "./question.js";
import type { Transport } from "./transport/transport.js";

/** First wait for an answer, in milliseconds, before a round-trip time is known; the least; the longest (SPEC §9.3). */
const RETRY = { first: 500, least: 250, longest: 4_000 };
/** Bytes a millisecond of the slowest line that is worth waiting for: 9,600 bits a second, with something to spare. */
const SLOWEST_LINE = 0.8;
/** A frame that has come so far, in bytes, isn't noise: on a slow line it is worth waiting for. */
const LONG_FRAME = 512;
/** Longest that a call goes without an answer, or a stream without new bytes, in milliseconds (SPEC §9.3). */
const USUAL_TIMEOUT = 10_000;
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
}

/** Something that waits for answers to an id. */
export interface Call {
  receive(message: DockMessage): void;
  fail(problem: Problem): void;
}

export class Session {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #timeout: number | undefined;
  /** Every call that isn't settled, also while it waits for its turn. */
  readonly #unsettled = new Set<Call>();
  /** Who gets what comes for an id. */
  readonly #calls = new Map<number, Call>();
  readonly #aborts = new Aborts();
  #nextId = randomInt(1, UINT32_MAX);
  /** Smoothed round-trip time in milliseconds (RFC 6298 §2), once one is known. */
  #roundTrip: number | undefined;
  #lastDataAt = 0;
  #over: Problem | undefined;
  #ended: (problem: Problem) => void = () => {};
  readonly flow: Flow;
  readonly welcome: Welcome;
  /** Settles when the session is over, with the reason. */
  readonly ended: Promise<Problem>;

  /** Shakes hands over an open line, which it then owns. Fails with `NO_ANSWER`, `ECHO`, `VERSION`, `LINK_LOST` or `ABORTED`. */
  static async open(transport: Transport, options: SessionOptions): Promise<Session> {
    let session: Session | undefined;
    const handshake = new Handshake(options);
    const link: Link = new Link(
      transport,
      {
        message: (message) => (session === undefined ? handshake.receive(message) : session.#receive(message, options)),
        echo: () => handshake.echo(),
        text: (text) => {
          handshake.text(text);
          options.onText?.(text);
        },
        lost: (problem) => {
          handshake.fail(transport.kind === "tcp" && link.counters.bytesIn === 0 ? takenProblem(transport.name) : problem);
          if (session !== undefined) session.#end(problem);
        },
        ...(options.trace === undefined ? {} : { trace: options.trace }),
      },
      options.clock,
    );
    const outcome = await handshake.run(link, (welcome, roundTrip) => {
      session = new Session(link, welcome, options);
      session.flow.roundTrip = roundTrip;
    });
    if (outcome.kind === "failed") await link.close().catch(() => {}); // why it failed is what matters
    unwrap(outcome);
    if (session === undefined) throw new Error("a handshake that is done has made a session");
    return session;
  }

  private constructor(link: Link, welcome: Welcome, options: SessionOptions) {
    this.#link = link;
    this.#clock = options.clock;
    this.#timeout = options.timeout;
    this.welcome = welcome;
    this.flow = new Flow(welcome.limits, link.holdsBack, options.clock);
    this.ended = new Promise((resolve) => {
      this.#ended = resolve;
    });
    link.maxBody = USUAL_BODY;
  }

  get link(): Pick<Link, "name" | "counters"> {
    return this.#link;
  }

  get clock(): Clock {
    return this.#clock;
  }

  /** Why the session is over, if it is. */
  get over(): Problem | undefined {
    return this.#over;
  }

  /** The link's counters, to be counted up by what happens in streams. */
  get counters(): Link["counters"] {
    return this.#link.counters;
  }

  /** How long to wait before asking again, in milliseconds (SPEC §9.3). */
  get retryTime(): number {
    return this.#roundTrip === undefined ? RETRY.first : Math.min(Math.max(RETRY.least, 4 * this.#roundTrip), RETRY.longest);
  }

  /** The wait after a wait of `ms` milliseconds. */
  nextRetryTime(ms: number): number {
    return Math.min(ms * 2, RETRY.longest);
  }

  /** How long a call with these options waits, in milliseconds. Fails with `USAGE`. */
  timeoutOf(options: CallOptions): number {
    return positive("timeout", options.timeout ?? this.#timeout ?? USUAL_TIMEOUT);
  }

  /** Whether nobody has said how long to wait, so that a slow line may have longer. */
  isPatient(options: CallOptions): boolean {
    return options.timeout === undefined && this.#timeout === undefined;
  }

  /** Bytes of frames that came in so far: where `isStillComing` counts from. */
  get heard(): number {
    return this.#link.frameBytes;
  }

  /**
   * Whether what was on the way when `heard` was taken may still be coming: frames are arriving since `since`, and not yet more of
   * them than can have been under way before a repetition of it.
   */
  isStillComing(since: number, heard: number): boolean {
    return this.#link.lastFrameByteAt > since && this.#link.frameBytes - heard < 2 * this.flow.window;
  }

  /**
   * Whether a stream's bytes are coming in, of this stream or of others, so that one that waits behind them isn't stuck: at the pace
   * of a line since `since`, when `heardThen` had come, and not yet more since `heard` than can have been under way.
   */
  isMoving(since: number, heardThen: number, heard: number): boolean {
    const moving = this.#lastDataAt > since || (this.#link.partialBytes >= LONG_FRAME && this.#link.lastFrameByteAt > since);
    const pace = (this.#link.frameBytes - heardThen) / (this.#clock.now() - since);
    return moving && pace >= SLOWEST_LINE && this.#link.frameBytes - heard < 2 * this.flow.window;
  }

  /** Calls `then` when the signal comes. Returns how to stop waiting for it. */
  onAbort(signal: AbortSignal | undefined, then: () => void): () => void {
    return this.#aborts.on(signal, then);
  }

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

  /** An id that no open call has (SPEC §4.1), registered for `call`. */
  register(call: Call): number {
    const id = this.#nextId;
    this.#nextId = id === UINT32_MAX ? 1 : id + 1;
    this.#calls.set(id, call);
    return id;
  }

  /** Forgets an id and gives back what it had under way. */
  retire(id: number, share: Partial<Share>): void {
    this.#calls.delete(id);
    this.flow.giveBack(share);
  }

  /** Cancels an id, until the dock has confirmed. What it had under way counts until then, since it may still be on the line. */
  cancel(id: number, share: Partial<Share>): void {
    if (this.#over !== undefined) return this.retire(id, share);
    let stopRetry = (): void => {};
    const done = (): void => {
      stopRetry();
      stopGivingUp();
      this.retire(id, share);
    };
    const stopGivingUp = this.#clock.after(USUAL_TIMEOUT, done);
    const send = (wait: number): void => {
      this.send({ type: "cancel", id });
      stopRetry = this.#clock.after(wait, () => send(this.nextRetryTime(wait)));
    };
    this.#calls.set(id, {
      receive: (message) => {
        if (message.type === "result" || message.type === "failure") done();
      },
      fail: done,
    });
    send(this.retryTime);
  }

  /** A round trip took so long, in milliseconds: from the first sending, since which of several was answered can't be told. */
  measure(roundTrip: number): void {
    this.flow.roundTrip = roundTrip;
    this.#roundTrip = this.#roundTrip === undefined ? roundTrip : this.#roundTrip + (roundTrip - this.#roundTrip) / 8;
  }

  /** Fails unless the dock has a feature: `UNSUPPORTED`, before anything is sent. */
  requireFeature(feature: string, what: string): void {
    if (feature === "" || this.welcome.features.includes(feature)) return;
    throw new DockError({ code: "UNSUPPORTED", message: `This dock can't do that: ${what} needs its feature "${feature}".` });
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
    throw new DockError({ code: "PROTOCOL", message: `The dock answered ${op} with something that isn't an answer to it.` });
  }

  /** Ends the session by the caller's wish: everything pending fails with `CLOSED`. */
  async close(): Promise<void> {
    this.#end({ code: "CLOSED", message: "The dock was closed." });
    await this.#link.close();
  }

  #receive(message: DockMessage, options: SessionOptions): void {
    if (message.type === "dockData") this.#lastDataAt = this.#clock.now();
    switch (message.type) {
      case "welcome":
        return; // an answer to one of several hellos of this handshake, or of one before
      case "log":
        options.onLog?.(message.level, message.text);
        return;
      case "failure":
        if (message.failure.code === "NO_SESSION" && this.#calls.has(message.id)) return this.#dockRestarted();
    }
    this.#calls.get(message.id)?.receive(message);
  }

  #dockRestarted(): void {
    this.#end({
      code: "LINK_LOST",
      message: "The dock has restarted, and the session is gone. Open it again.",
      retryable: true,
    });
    this.#link.close().catch(() => {}); // the session is over, whatever becomes of the line
  }

  #end(problem: Problem): void {
    if (this.#over !== undefined) return;
    this.#over = problem;
    for (const call of [...this.#unsettled, ...this.#calls.values()]) call.fail(problem);
    this.#ended(problem);
  }
}

/** As a port of ser2net does, whose serial port another program has. */
function takenProblem(name: string): Problem {
  const message = `${name} closed the connection without a word: another program has that dock, or nothing is behind the port.`;
  return { code: "BUSY", message, retryable: true };
}
