/** One image on its way from the dock: credit, gaps, resume (SPEC §5). */
import * as v from "valibot";
import {
  Assembly,
  type DockMessage,
  type Failure,
  type ImageHead,
  imageHead,
  operations,
  type Params,
  type Range,
  type Result,
  UINT32_MAX,
} from "../protocol/index.js";
import { ReadDigest } from "./digest.js";
import { type Outcome, type Problem, problemOfFailure, unwrap } from "./errors.js";
import type { Share } from "./flow.js";
import { abortProblem, flappingProblem, timeoutProblem, waitedProblem } from "./outcome.js";
import type { Call, CallOptions, Session } from "./session.js";
import { quoted } from "./visible.js";
import { Waiting } from "./waiting.js";

/** Least credit that is worth a message, in bytes: about one data message. */
const CREDIT_STEP = 8 * 1024;
/** The request for an image is no longer, frame and all, in bytes: its names are at most 255 bytes. */
const REQUEST_ROOM = 512;
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
  readonly #what: string;
  readonly #waiting: Waiting;
  #state: State = { kind: "waiting", leave: () => {} };
  /** The first head that came: what the caller was told. */
  #head: ImageHead | undefined;
  readonly #digest = new ReadDigest();
  /** What this request has brought: it began at `#from`. */
  #from: number;
  #assembly: Assembly;
  /** What the dock says it has sent, once it says so. */
  #result: Result<"image.get"> | undefined;
  /** What may come up to; the next byte to be handed out. */
  #credit: number;
  #consumed: number;
  /** Bytes of the session's window that are counted for this stream. */
  #share = 0;
  /** Bytes of the dock's window that are counted for it. */
  #up = 0;
  #askingForCredit: (() => void) | undefined;
  /** How often the dock has lost the stream since it last came forward; whether another request was made before this one. */
  #resumes = 0;
  #wasAskedBefore = false;
  #received: Uint8Array[] = [];
  #wake: () => void = () => {};
  #changed: Promise<void> | undefined;
  #stopListening: () => void = () => {};

  constructor(session: Session, params: DownloadParams, options: CallOptions) {
    this.#session = session;
    this.#params = params;
    this.#signal = options.signal;
    this.#what = params.tag === undefined ? "image.get of a token" : `image.get of ${quoted(params.tag)}`;
    this.#from = this.#credit = this.#consumed = params.from ?? 0;
    this.#assembly = new Assembly(this.#from);
    this.#waiting = new Waiting(session, options, {
      isIdle: () => this.#isIdle(),
      askAgain: (longer) => this.#askAgain(longer),
      // Who waits for a place waits as long as the others move on.
      isComing: ({ at, heardThen, heard }) =>
        session.timing.isMoving(at, heardThen, this.#state.kind === "waiting" ? session.timing.heard : heard),
      late: (timeout) =>
        this.#giveUp(this.#state.kind === "waiting" ? waitedProblem(this.#what, timeout) : timeoutProblem(this.#what, timeout)),
    });
  }

  /** Asks for the image, when its turn comes. */
  begin(): void {
    if (this.#session.over !== undefined) return this.fail(this.#session.over);
    if (this.#signal?.aborted) return this.#abort();
    this.#session.begun(this);
    this.#stopListening = this.#session.onAbort(this.#signal, this.#abort);
    this.#waiting.startDeadline();
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
        return this.#awaitDock();
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

  /** Goes on over another link, with the rest. */
  relinked(): void {
    const state = this.#state;
    if (state.kind === "ended") return;
    this.#share = this.#up = 0; // of the flow before
    this.#askingForCredit = undefined;
    this.#state = { kind: "waiting", leave: () => {} };
    if (this.#waiting.relinked() === "too often") return this.fail(flappingProblem(this.#what));
    if (state.kind === "waiting" || this.#prepareResume(state.head)) return this.#request();
    const message = `${this.#what}: the link was lost, and the dock gives no SHA-256 by which to go on with the same image.`;
    this.fail({ code: "LINK_LOST", message, retryable: true });
  }

  #request(): void {
    if (this.#session.isDown) return; // until it is relinked
    // What the consumer hasn't taken yet counts: it is in memory.
    const most = Math.min(Math.max(0, this.#consumed + this.#session.flow.window - this.#from), UINT32_MAX - this.#from);
    const down = { least: Math.min(most, 2 * CREDIT_STEP), most };
    const need = { requests: 1, streams: 1, writes: 0, up: REQUEST_ROOM, down } as const;
    const leave = this.#session.flow.ask(need, (share) => {
      this.#up = share.up;
      this.#share = share.down;
      this.#credit = this.#from + share.down;
      const id = this.#session.register(this);
      this.#state = { kind: "asked", id };
      if (this.#head === undefined) this.#waiting.startDeadline();
      this.#send(id, this.#session.timing.retryTime);
    });
    if (this.#state.kind === "waiting") this.#state = { kind: "waiting", leave };
  }

  #send(id: number, wait: number): void {
    const from = this.#from === 0 ? {} : { from: this.#from };
    const params = { ...this.#params, ...from, credit: this.#from + this.#share };
    this.#session.send({ type: "request", id, op: "image.get", params });
    this.#waiting.awaitDock(wait);
  }

  #receiveHead(state: { head?: ImageHead }, meta: unknown): void {
    const parsed = v.safeParse(imageHead, meta);
    if (!parsed.success) return this.#lie("a head that isn't one");
    const head = parsed.output;
    const lie = lieIn(head, this.#params);
    if (lie !== undefined) return this.#lie(lie);
    if (this.#head !== undefined && differs(head, this.#head)) return this.#otherHead(state);
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

  /** In one stream that is a lie. After the link was lost the image may have been replaced. */
  #otherHead(state: { readonly head?: ImageHead }): void {
    const isLie = state.head !== undefined || !this.#wasAskedBefore || this.#params.ifSha256 !== undefined;
    if (isLie) return this.#lie("another head than before");
    this.#giveUp({ code: "CHANGED", message: `${this.#what}: the image was replaced while it was read.` });
  }

  #receiveData(state: { readonly id: number; readonly head?: ImageHead }, offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length;
    if (end > this.#credit) return this.#lie("more than its credit");
    if (state.head === undefined) return; // the head was lost; asking again brings it
    if (end > state.head.size) return this.#lie("more than the size that it gave");
    const taken = this.#assembly.take(offset, bytes);
    switch (taken.kind) {
      case "duplicate":
        this.#session.counters.duplicates++;
        return this.#awaitDock();
      case "crumbs":
        return this.#lie("its data in crumbs");
      case "early":
        this.#arrived(taken.fresh);
        if (taken.gap !== undefined) this.#gap(state.id, taken.gap);
        return this.#progress();
      case "next":
        if (this.#received.length + taken.pieces.length > MOST_PIECES) return this.#lie("its data in crumbs");
        for (const piece of taken.pieces) {
          this.#digest.update(piece);
          // A view of its own kind: what comes out of the link is a Buffer, whose `slice` means something else.
          this.#received.push(new Uint8Array(piece.buffer, piece.byteOffset, piece.length));
        }
        this.#arrived(taken.fresh);
        this.#progress();
        this.#finish(state.head);
    }
  }

  #arrived(bytes: number): void {
    this.#resumes = 0;
    this.#share -= bytes;
    this.#session.flow.arrived(bytes);
  }

  #receiveResult(state: { readonly id: number; readonly head?: ImageHead }, value: unknown): void {
    const parsed = v.safeParse(operations["image.get"].result, value);
    if (!parsed.success) return this.#lie("a result that isn't one");
    if (state.head === undefined) return; // as for data
    if (parsed.output.size !== state.head.size) return this.#lie("a result of another size than its head");
    this.#result = parsed.output;
    const { highest } = this.#assembly;
    if (highest < state.head.size) this.#gap(state.id, { from: highest, to: state.head.size });
    this.#awaitDock();
    this.#finish(state.head);
  }

  /** Ends it when all has come, and the dock has said what that should be. */
  #finish({ size, sha256 }: ImageHead): void {
    if (this.#result === undefined || this.#assembly.expected < size) return;
    const image = this.#isWhole ? (sha256 ?? this.#params.ifSha256) : undefined;
    if (this.#digest.matches(this.#result.sha256, image)) return this.#end({ kind: "done", value: undefined });
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

  /** Something between is missing, and is asked for at once: alone, since what follows it is kept (SPEC §5.4). */
  #gap(id: number, gap: Range): void {
    this.#session.counters.gaps++;
    this.#session.flow.lost();
    this.#resend(id, gap);
  }

  #resend(id: number, { from, to }: Range): void {
    this.#session.counters.resends++;
    this.#session.send({ type: "hostResend", id, from, to, limit: this.#credit });
  }

  /** The dock no longer has the stream: asks for the rest, if the image can be told to be the same (SPEC §5.1). */
  #resume(state: { readonly id: number; readonly head?: ImageHead }): boolean {
    if (state.head === undefined || this.#resumes >= MOST_RESUMES) return false;
    this.#resumes++;
    const { head } = state;
    this.#leave();
    this.#state = { kind: "waiting", leave: () => {} };
    if (!this.#prepareResume(head)) return false;
    this.#request();
    return true;
  }

  /** Whether another request can go on where this one ended; if so, all is ready for it. */
  #prepareResume(head: ImageHead | undefined): boolean {
    this.#wasAskedBefore = true;
    const at = this.#assembly.expected;
    const begun = this.#params.from ?? 0;
    const ifSha256 = head?.sha256 ?? this.#params.ifSha256;
    // Of a part, what came before couldn't be checked any more; and of an image without a hash, nothing could.
    if (at > begun && (ifSha256 === undefined || !this.#isWhole)) return false;
    if (at > begun && ifSha256 !== undefined) this.#params = { ...this.#params, ifSha256 };
    this.#from = this.#credit = at;
    this.#assembly = new Assembly(at);
    this.#result = undefined;
    this.#digest.beginRequest();
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
    const need = { requests: 0, streams: 0, writes: 0, up: 0, down: { least, most: want } } as const;
    const leave = flow.ask(need, ({ down }) => {
      granted = true;
      this.#askingForCredit = undefined;
      const wasIdle = this.#isIdle();
      this.#share += down;
      this.#credit += down;
      this.#session.send({ type: "hostCredit", id, limit: this.#credit });
      if (wasIdle) this.#progress();
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
    this.#waiting.cameForward();
    this.#awaitDock();
    this.#wake();
  }

  #awaitDock(): void {
    this.#waiting.awaitDock(this.#assembly.isBroken ? this.#session.timing.gapTime : this.#session.timing.retryTime);
  }

  /** Whether the caller has asked for all of the image. */
  get #isWhole(): boolean {
    return (this.#params.from ?? 0) === 0;
  }

  /** Whether nothing is to come until the consumer takes what is there. */
  #isIdle(): boolean {
    if (this.#state.kind !== "asked" || this.#state.head === undefined) return false;
    const { expected } = this.#assembly;
    return expected === this.#credit && expected < this.#state.head.size;
  }

  /** Nothing came for a while: asks for what is missing, and for what would be next. */
  #askAgain(longer: number): void {
    if (this.#state.kind !== "asked") return;
    const { id, head } = this.#state;
    if (head === undefined) {
      this.#session.counters.retries++;
      return this.#send(id, longer);
    }
    this.#session.flow.lost();
    const gaps = this.#assembly.gaps();
    const { highest } = this.#assembly;
    // The dock sends its result again after all that it sends again.
    const wantsMore = highest < head.size ? highest < this.#credit : gaps.length === 0;
    for (const gap of wantsMore ? [...gaps, { from: highest, to: UINT32_MAX }] : gaps) this.#resend(id, gap);
    this.#waiting.awaitDock(longer);
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
    this.#waiting.stop();
    this.#stopListening();
    this.#state = { kind: "ended", outcome };
    this.#session.settled(this);
    this.#wake();
  }

  /** Gives back everything that is counted for it. */
  #leave(): void {
    this.#waiting.stopAsking();
    this.#askingForCredit?.();
    this.#askingForCredit = undefined;
    if (this.#state.kind === "waiting") this.#state.leave();
    if (this.#state.kind === "asked") this.#session.retire(this.#state.id, this.#shares());
    this.#share = this.#up = 0;
  }

  #shares(): Share {
    return { requests: 1, streams: 1, up: this.#up, down: this.#share, write: undefined };
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

/** What in a head can't be, for what was asked. */
function lieIn(head: ImageHead, { tag, store, from = 0 }: DownloadParams): string | undefined {
  if (head.tag !== undefined && tag !== undefined && head.tag !== tag) return "the head of another image";
  if (store !== undefined && head.store !== store) return "an image of another layer";
  return head.size < from ? "a size below the offset that was asked for" : undefined;
}

/** Whether two heads can't be of the same image. */
function differs(a: ImageHead, b: ImageHead): boolean {
  return a.size !== b.size || a.type !== b.type || !same(a.sha256, b.sha256);
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && Buffer.compare(a, b) === 0);
}
