/** One image on its way from the dock: credit, gaps, resume (SPEC §5). */
import * as v from "valibot";
import {
  type DockMessage,
  type Failure,
  type ImageHead,
  imageHead,
  operations,
  type Params,
  UINT32_MAX,
} from "../protocol/index.js";
import { ReadDigest } from "./digest.js";
import { type Outcome, type Problem, problemOfFailure, unwrap } from "./errors.js";
import type { Share } from "./flow.js";
import { abortProblem, REQUEST_ROOM, timeoutProblem, waitedProblem } from "./question.js";
import type { Call, CallOptions, Session } from "./session.js";
import { quoted } from "./visible.js";

/** Least credit that is worth a message, in bytes: about one data message. */
const CREDIT_STEP = 8 * 1024;
/** How often a stream that the dock no longer has is asked for anew. */
const MOST_RESUMES = 3;
/** Pieces that wait for the consumer. A window of full ones is far less: more are crumbs, which cost memory that bytes don't count. */
const MOST_PIECES = 4_096;

/** What to read: an image by tag or by token, from an offset on. */
export type DownloadParams = Omit<Params<"image.get">, "credit">;

type State =
  /** Waits for its turn. */
  | { readonly kind: "waiting"; readonly leave: () => void }
  /** Has asked; `head` is there once the dock has answered. */
  | { readonly kind: "asked"; readonly id: number; head?: ImageHead }
  | { readonly kind: "ended"; readonly outcome: Outcome<undefined> };

export class Download implements Call {
  readonly #session: Session;
  #params: DownloadParams;
  readonly #signal: AbortSignal | undefined;
  readonly #timeout: number;
  readonly #isPatient: boolean;
  readonly #what: string;
  #state: State = { kind: "waiting", leave: () => {} };
  /** The first head that came: what the caller was told. */
  #head: ImageHead | undefined;
  readonly #digest = new ReadDigest();
  /** Where this request began; the next byte to come; what may come up to; the next byte to be handed out. */
  #from: number;
  #expected: number;
  #credit: number;
  #consumed: number;
  /** Bytes of the session's window that are counted for this stream. */
  #share = 0;
  /** Bytes of the dock's window that are counted for it. */
  #up = 0;
  #askingForCredit: (() => void) | undefined;
  /** Set while data is ignored until the expected offset comes (SPEC §5.4). */
  #inGap = false;
  #resumes = 0;
  #received: Uint8Array[] = [];
  #wake: () => void = () => {};
  #changed: Promise<void> | undefined;
  #stopRetry: () => void = () => {};
  #stopDeadline: () => void = () => {};
  #stopListening: () => void = () => {};

  constructor(session: Session, params: DownloadParams, options: CallOptions) {
    this.#session = session;
    this.#params = params;
    this.#signal = options.signal;
    this.#timeout = session.timeoutOf(options);
    this.#isPatient = session.isPatient(options);
    this.#what = params.tag === undefined ? "image.get of a token" : `image.get of ${quoted(params.tag)}`;
    this.#from = this.#expected = this.#credit = this.#consumed = params.from ?? 0;
  }

  /** Asks for the image, when its turn comes. */
  begin(): void {
    if (this.#session.over !== undefined) return this.fail(this.#session.over);
    if (this.#signal?.aborted) return this.#abort();
    this.#session.begun(this);
    this.#stopListening = this.#session.onAbort(this.#signal, this.#abort);
    this.#request();
  }

  /** The offset after the last byte that was handed out. */
  get consumed(): number {
    return this.#consumed;
  }

  /** Waits for what the image is. */
  async head(): Promise<ImageHead> {
    while (this.#head === undefined && this.#state.kind !== "ended") await this.#change();
    if (this.#head === undefined && this.#state.kind === "ended") unwrap(this.#state.outcome);
    if (this.#head === undefined) throw new Error("a stream without a head has failed");
    return this.#head;
  }

  /** Waits for the next bytes; nothing after the last ones, when all have been checked. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = this.#received.shift();
      if (chunk !== undefined) {
        this.#consumed += chunk.length;
        this.#askForCredit();
        return chunk;
      }
      if (this.#state.kind === "ended") return unwrap(this.#state.outcome);
      await this.#change();
    }
  }

  /** Ends it by the caller's wish; the rest isn't wanted. */
  stop(): void {
    this.#giveUp({ code: "ABORTED", message: `${this.#what} was left before its end.` });
  }

  receive(message: DockMessage): void {
    const state = this.#state;
    if (state.kind !== "asked") return;
    switch (message.type) {
      case "pending":
        return this.#awaitDock(this.#session.retryTime);
      case "head":
        return this.#receiveHead(state, message.meta);
      case "dockData":
        return this.#receiveData(state, message.offset, message.bytes);
      case "result":
        return this.#receiveResult(state, message.value);
      case "failure":
        return this.#receiveFailure(state, message.failure);
    }
  }

  /** Ends it, with nothing more to be said to the dock. */
  fail(problem: Problem): void {
    this.#end({ kind: "failed", problem });
  }

  #request(): void {
    const most = Math.min(this.#session.flow.window, UINT32_MAX - this.#from);
    const need = { requests: 1, streams: 1, up: REQUEST_ROOM, down: { least: Math.min(most, 2 * CREDIT_STEP), most } } as const;
    this.#startDeadline();
    const leave = this.#session.flow.ask(need, (share) => {
      this.#up = share.up;
      this.#share = share.down;
      this.#credit = this.#from + share.down;
      const id = this.#session.register(this);
      this.#state = { kind: "asked", id };
      this.#startDeadline();
      this.#send(id, this.#session.retryTime);
    });
    if (this.#state.kind === "waiting") this.#state = { kind: "waiting", leave };
  }

  #send(id: number, wait: number): void {
    const from = this.#from === 0 ? {} : { from: this.#from };
    const params = { ...this.#params, ...from, credit: this.#from + this.#share };
    this.#session.send({ type: "request", id, op: "image.get", params });
    this.#awaitDock(wait);
  }

  #receiveHead(state: { head?: ImageHead }, meta: unknown): void {
    const parsed = v.safeParse(imageHead, meta);
    if (!parsed.success) return this.#lie("a head that isn't one");
    const head = parsed.output;
    const lie = lieIn(head, this.#params, this.#head);
    if (lie !== undefined) return this.#lie(lie);
    if (state.head !== undefined) return; // it came again, since the request did
    if (head.sha256 !== undefined && !same(this.#params.ifSha256 ?? head.sha256, head.sha256)) {
      return this.#giveUp({ code: "CHANGED", message: `${this.#what}: the image has another SHA-256 than was asked for.` });
    }
    state.head = head;
    this.#head ??= head;
    this.#session.flow.giveBack({ up: this.#up });
    this.#up = 0;
    this.#giveBackBeyond(head.size);
    this.#progress();
    this.#askForCredit();
  }

  #receiveData(state: { readonly id: number; readonly head?: ImageHead }, offset: number, bytes: Uint8Array): void {
    const { counters } = this.#session;
    const end = offset + bytes.length;
    if (end > this.#credit) return this.#lie("more than its credit");
    if (state.head === undefined) return; // the head was lost; asking again brings it
    if (end > state.head.size) return this.#lie("more than the size that it gave");
    if (offset < this.#expected) {
      counters.duplicates++;
      this.#awaitDock(this.#session.retryTime);
    } else if (offset > this.#expected) {
      this.#gap(state.id);
    } else {
      this.#inGap = false;
      this.#expected = end;
      this.#digest.update(bytes);
      if (this.#received.length === MOST_PIECES) return this.#lie("its data in crumbs");
      // A view of its own kind: what comes out of the link is a Buffer, whose `slice` means something else.
      this.#received.push(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
      this.#share -= bytes.length;
      this.#session.flow.arrived(bytes.length);
      this.#progress();
    }
  }

  #receiveResult(state: { readonly id: number; readonly head?: ImageHead }, value: unknown): void {
    const parsed = v.safeParse(operations["image.get"].result, value);
    if (!parsed.success) return this.#lie("a result that isn't one");
    if (state.head === undefined) return; // as for data
    if (parsed.output.size !== state.head.size) return this.#lie("a result of another size than its head");
    if (this.#expected < state.head.size) return this.#gap(state.id);
    const image = this.#isWhole ? (state.head.sha256 ?? this.#params.ifSha256) : undefined;
    if (this.#digest.matches(parsed.output.sha256, image)) {
      return this.#end({ kind: "done", value: undefined });
    }
    const message = `${this.#what}: what arrived doesn't have the SHA-256 that the dock gives. Nothing of it may be trusted.`;
    this.#giveUp({ code: "INTEGRITY", message, retryable: true });
  }

  #receiveFailure(state: { readonly id: number; readonly head?: ImageHead }, failure: Failure): void {
    const problem = problemOfFailure(failure, this.#what);
    switch (problem.code) {
      case "STALE":
        return this.#resume(state) ? undefined : this.fail(problem);
      case "INVALID":
      case "MALFORMED":
        return this.#giveUp(problem); // the dock may still have the stream (SPEC §1.4, §5.4)
      default:
        return this.fail(problem);
    }
  }

  /** Something between is missing: asks for it once, and ignores what follows until it comes (SPEC §5.4). */
  #gap(id: number): void {
    if (this.#inGap) return this.#awaitDock(this.#session.retryTime);
    this.#inGap = true;
    this.#session.counters.gaps++;
    this.#session.flow.lost();
    this.#resend(id);
    this.#awaitDock(this.#session.retryTime);
  }

  #resend(id: number): void {
    this.#session.counters.resends++;
    this.#session.send({ type: "hostResend", id, from: this.#expected, limit: this.#credit });
  }

  /** The dock no longer has the stream: asks for the rest, if the image can be told to be the same (SPEC §5.1). */
  #resume(state: { readonly id: number; readonly head?: ImageHead }): boolean {
    const ifSha256 = state.head?.sha256;
    // Of a part, what came before couldn't be checked any more.
    if (ifSha256 === undefined || !this.#isWhole || this.#resumes === MOST_RESUMES) return false;
    this.#resumes++;
    this.#leave();
    this.#inGap = false;
    this.#from = this.#credit = this.#expected;
    this.#digest.beginRequest();
    this.#params = { ...this.#params, ifSha256 };
    this.#state = { kind: "waiting", leave: () => {} };
    this.#request();
    return true;
  }

  /** Grants what the consumer has made room for, in steps that are worth a message. */
  #askForCredit(): void {
    if (this.#state.kind !== "asked" || this.#state.head === undefined || this.#askingForCredit !== undefined) return;
    const { id, head } = this.#state;
    const { flow } = this.#session;
    const want = Math.min(head.size, this.#consumed + flow.window) - this.#credit; // a size fits 32 bits, and so does this
    const left = head.size - this.#credit;
    if (want <= 0 || want < Math.min(left, flow.window / 4)) return;
    let granted = false;
    const least = Math.min(want, CREDIT_STEP);
    const leave = flow.ask({ requests: 0, streams: 0, up: 0, down: { least, most: want } }, ({ down }) => {
      granted = true;
      this.#askingForCredit = undefined;
      const idle = this.#credit === this.#expected;
      this.#share += down;
      this.#credit += down;
      this.#session.send({ type: "hostCredit", id, limit: this.#credit });
      if (idle) this.#progress();
      this.#askForCredit();
    });
    if (!granted) this.#askingForCredit = leave;
  }

  /** What is counted for bytes beyond the end of the image will never come. */
  #giveBackBeyond(size: number): void {
    const surplus = this.#credit - Math.max(size, this.#from);
    if (surplus <= 0) return;
    this.#credit -= surplus;
    this.#share -= surplus;
    this.#session.flow.giveBack({ down: surplus });
  }

  /** Something new came: the deadline begins anew, and the dock has time for the next. */
  #progress(): void {
    this.#startDeadline();
    this.#awaitDock(this.#session.retryTime);
    this.#wake();
  }

  /** Nothing new for the time of the call ends it, unless nobody has set that time and the line is busy with what was under way. */
  #startDeadline(heard = this.#session.heard): void {
    this.#stopDeadline();
    const since = this.#session.clock.now();
    const heardThen = this.#session.heard;
    this.#stopDeadline = this.#session.clock.after(this.#timeout, () => {
      if (this.#isIdle()) return;
      const waits = this.#state.kind === "waiting";
      // Who waits for a place waits as long as the others move on.
      const from = waits ? this.#session.heard : heard;
      if (this.#isPatient && this.#session.isMoving(since, heardThen, from)) return this.#startDeadline(heard);
      this.#giveUp(waits ? waitedProblem(this.#what, this.#timeout) : timeoutProblem(this.#what, this.#timeout));
    });
  }

  /** Whether the caller has asked for all of the image. */
  get #isWhole(): boolean {
    return (this.#params.from ?? 0) === 0;
  }

  /** Whether nothing is to come until the consumer takes what is there. */
  #isIdle(): boolean {
    if (this.#state.kind !== "asked" || this.#state.head === undefined) return false;
    return this.#expected === this.#credit && this.#expected < this.#state.head.size;
  }

  /** Asks again when nothing new comes for `wait` milliseconds. */
  #awaitDock(wait: number, heard = this.#session.heard): void {
    this.#stopRetry();
    if (this.#isIdle()) return;
    const since = this.#session.clock.now();
    this.#stopRetry = this.#session.clock.after(wait, () => {
      if (this.#state.kind !== "asked") return;
      if (this.#session.isStillComing(since, heard)) return this.#awaitDock(wait, heard);
      const longer = this.#session.nextRetryTime(wait);
      if (this.#state.head === undefined) {
        this.#session.counters.retries++;
        return this.#send(this.#state.id, longer);
      }
      this.#session.flow.lost();
      this.#resend(this.#state.id);
      this.#awaitDock(longer);
    });
  }

  readonly #abort = (): void => this.#giveUp(abortProblem(this.#what, this.#signal));

  /** The dock has said what can't be (SPEC §5.5). */
  #lie(what: string): void {
    this.#giveUp({ code: "PROTOCOL", message: `${this.#what}: the dock broke the protocol: it sent ${what}.` });
  }

  /** Ends it for a reason that the dock doesn't know, and tells it. */
  #giveUp(problem: Problem): void {
    const state = this.#state;
    this.#received = []; // what came before a lie, or before the caller's word, isn't handed out any more
    if (state.kind === "asked") {
      this.#session.cancel(state.id, this.#shares());
      this.#share = this.#up = 0;
      this.#state = { kind: "waiting", leave: () => {} };
    }
    this.fail(problem);
  }

  #end(outcome: Outcome<undefined>): void {
    if (this.#state.kind === "ended") return;
    this.#leave();
    this.#stopDeadline();
    this.#stopListening();
    this.#state = { kind: "ended", outcome };
    this.#session.settled(this);
    this.#wake();
  }

  /** Gives back everything that is counted for it. */
  #leave(): void {
    this.#stopRetry();
    this.#askingForCredit?.();
    this.#askingForCredit = undefined;
    if (this.#state.kind === "waiting") this.#state.leave();
    if (this.#state.kind === "asked") this.#session.retire(this.#state.id, this.#shares());
    this.#share = this.#up = 0;
  }

  #shares(): Share {
    return { requests: 1, streams: 1, up: this.#up, down: this.#share };
  }

  /** Settles when something came in or it ended. Whoever waits at the same time waits for the same. */
  #change(): Promise<void> {
    this.#changed ??= new Promise((resolve) => {
      this.#wake = () => {
        this.#changed = undefined;
        resolve();
      };
    });
    return this.#changed;
  }
}

/** What in a head can't be: for what was asked, and after the head before. */
function lieIn(head: ImageHead, { tag, store, from = 0 }: DownloadParams, before: ImageHead | undefined): string | undefined {
  if (head.tag !== undefined && tag !== undefined && head.tag !== tag) return "the head of another image";
  if (store !== undefined && head.store !== store) return "an image of another layer";
  if (head.size < from) return "a size below the offset that was asked for";
  if (before === undefined) return undefined;
  const differs = head.size !== before.size || head.type !== before.type || !same(head.sha256, before.sha256);
  return differs ? "another head than before" : undefined;
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && Buffer.compare(a, b) === 0);
}
