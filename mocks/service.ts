/** Answers what a host asks, from who stands behind it: the dock's end of a line (SPEC §3 to §5). */
import {
  DELIMITER,
  type DockMessage,
  decodeFrame,
  encodeMessage,
  type FailureCode,
  FrameBatch,
  HANDSHAKE_BODY,
  type Hello,
  type HostMessage,
  LARGEST_WINDOW,
  type Limits,
  LineGuard,
  PROTOCOL_VERSION,
  parseHostMessage,
  type Range,
  USUAL_LIMITS,
} from "../protocol/index.js";
import type { Asked, Behind, Circumstances, Remark } from "./behind.js";
import type { Faults, ServedDock } from "./faults.js";
import type { Line } from "./ports/port.js";
import { Refusal, type RefusalDetails } from "./refusal.js";
import { type Answer, HostSession } from "./sessions.js";
import { DownStream, type Outlet, type Stream, UpStream } from "./stream.js";

export interface ServiceOptions {
  readonly line: Line;
  readonly clock: { now(): number; after(ms: number, then: () => void): () => void };
  readonly limits?: Limits;
  /** What goes wrong in the dock. */
  readonly faults?: Faults;
  /** Prints a line of console text before each message that it answers, as a talkative application would. */
  readonly chatty?: boolean;
}

/** What a dock remembers of its last host from one connection to the next, until it restarts. */
export class Memory {
  session: HostSession | undefined;
  /** When the dock has started, by the clock, in milliseconds. */
  startedAt: number;

  constructor(startedAt: number) {
    this.startedAt = startedAt;
  }
}

export class Service {
  readonly #behind: Behind;
  readonly #memory: Memory;
  readonly #options: ServiceOptions;
  readonly #limits: Limits;
  readonly #guard: LineGuard;
  /** The dock as faults have it. */
  readonly #served: ServedDock;
  #run: Uint8Array[] = [];
  #session: HostSession | undefined;
  /** What was said of the dock when the session began. */
  #introduction: ReturnType<Behind["greet"]> | undefined;
  /** What is to be said when the answer has been given that is being made. */
  #remarks: Remark[] = [];
  readonly #outgoing = new FrameBatch();
  /** What is to be done once all that was said is on the line. */
  #afterwards: (() => void) | undefined;

  constructor(behind: Behind, memory: Memory, options: ServiceOptions) {
    this.#behind = behind;
    this.#memory = memory;
    this.#options = options;
    this.#limits = options.limits ?? USUAL_LIMITS;
    this.#guard = new LineGuard(this.#limits.maxBody);
    this.#served = this.#serve();
  }

  /** Takes bytes off the line, and answers what is complete. */
  receive(chunk: Uint8Array): void {
    for (const piece of this.#guard.feed(chunk)) {
      if (piece.kind === "frames") this.#split(piece.bytes);
    }
    this.#flush();
  }

  /** The line has room again: goes on where it was full. */
  drained(): void {
    const session = this.#session;
    if (session === undefined) return;
    for (const [id, stream] of session.streams) if (stream.kind === "down") this.#pump(session, id, stream);
    this.#flush();
  }

  /** The line is gone: so is the session (SPEC §3.2). */
  hangUp(): void {
    this.#endSession();
    this.#run = [];
  }

  #split(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const delimiter = bytes.indexOf(DELIMITER, at);
      this.#run.push(bytes.subarray(at, delimiter < 0 ? bytes.length : delimiter));
      if (delimiter < 0) return;
      const run = Buffer.concat(this.#run); // a copy: decoding works in place, and the chunk isn't ours
      this.#run = [];
      const frame = decodeFrame(run, this.#session === undefined ? HANDSHAKE_BODY : this.#limits.maxBody);
      if (frame.kind === "body") this.#body(frame.body);
      at = delimiter + 1;
    }
  }

  #body(body: Uint8Array): void {
    const parsed = parseHostMessage(body);
    if (parsed.kind === "message") {
      if (this.#options.chatty) this.#say(`app: ${parsed.message.type}\r\n`);
      if (this.#options.faults?.hear(parsed.message, this.#served) !== true) this.#message(parsed.message);
    } else if (parsed.kind === "malformed" && parsed.request !== undefined && this.#session !== undefined) {
      this.#fail(parsed.request, "MALFORMED", parsed.why);
    }
  }

  #message(message: HostMessage): void {
    if (message.type === "hello") return this.#hello(message.hello);
    const session = this.#session;
    if (session === undefined) return this.#fail(message.id, "NO_SESSION", "say hello first");
    session.isUsed = true;
    switch (message.type) {
      case "request":
        return this.#request(session, message.id, message.op, message.params);
      case "hostData":
        return this.#data(session, message.id, message.offset, message.bytes);
      case "hostCredit":
        return this.#credit(session, message.id, message.limit);
      case "hostResend":
        return this.#resend(session, message.id, message, message.limit);
      case "cancel":
        return this.#cancel(session, message.id);
    }
  }

  #hello(hello: Hello): void {
    if (!hello.versions.includes(PROTOCOL_VERSION)) {
      this.#endSession();
      const failure = { code: "VERSION", message: "this dock speaks version 1", retryable: false };
      return this.#send({ type: "failure", id: 0, failure: { ...failure, nonce: hello.nonce, versions: [PROTOCOL_VERSION] } });
    }
    if (this.#session?.isOf(hello) !== true || this.#introduction === undefined) {
      this.#endSession();
      this.#session = this.#memory.session = new HostSession(hello, this.#memory.session);
      this.#introduction = this.#behind.greet(hello, this.#circumstances(this.#session));
    }
    const { nonce } = hello;
    const { isResumed } = this.#session;
    const welcome = { version: PROTOCOL_VERSION, nonce, ...this.#introduction, limits: { ...this.#limits } };
    this.#send({ type: "welcome", welcome: { ...welcome, ...(isResumed ? { resumed: true } : {}) } });
    this.#sayRemarks();
  }

  #request(session: HostSession, id: number, op: string, params: Asked): void {
    const stream = session.streams.get(id);
    if (stream !== undefined) return this.#streamAgain(session, id, stream);
    if (this.#answerAgain(session, id)) return;
    try {
      if (op === "image.get") return this.#openDown(session, id, params);
      if (op === "image.put") return this.#openUp(session, id, params);
      const value = this.#behind.answer(op, params, this.#circumstances(session));
      this.#settle(session, id, op, { type: "result", value });
      this.#endUploads(session);
      if (op === "dock.restart") this.#afterwards = () => this.#restart();
    } catch (error) {
      this.#refuse(session, id, op, error);
    }
  }

  #circumstances({ hello: { maxBody } }: HostSession): Circumstances {
    const pageBytes = Math.min(this.#limits.pageBytes, maxBody - PAGE_ROOM);
    return {
      limits: { ...this.#limits, pageBytes },
      maxBody,
      uptimeMs: Math.floor(this.#options.clock.now() - this.#memory.startedAt),
      say: (remark) => this.#say(remark),
      sayAfter: (remark) => void this.#remarks.push(remark),
    };
  }

  #openDown(session: HostSession, id: number, params: Asked): void {
    const download = this.#behind.read(params, this.#circumstances(session));
    this.#makeRoom(session);
    const stream = new DownStream(id, download, this.#outlet(session));
    session.streams.set(id, stream);
    stream.sayHead();
    this.#pump(session, id, stream);
  }

  #openUp(session: HostSession, id: number, params: Asked): void {
    const begun = this.#behind.write(params, this.#circumstances(session));
    if (begun.kind === "done") return this.#settle(session, id, "image.put", { type: "result", value: begun.value });
    this.#makeRoom(session);
    const stream = new UpStream(id, begun.upload, this.#outlet(session));
    session.streams.set(id, stream);
    stream.sayWhere();
    this.#finishUp(session, id, stream);
  }

  #streamAgain(session: HostSession, id: number, stream: Stream): void {
    if (stream.kind === "up") return stream.sayWhere();
    stream.sayHead();
    if (stream.isThrough) this.#answerAgain(session, id);
  }

  #data(session: HostSession, id: number, offset: number, bytes: Uint8Array): void {
    const stream = session.streams.get(id);
    if (stream?.kind !== "up") return; // it has ended meanwhile
    try {
      stream.data(offset, bytes);
    } catch (error) {
      stream.drop();
      session.streams.delete(id);
      return this.#refuse(session, id, stream.op, error);
    }
    this.#finishUp(session, id, stream);
  }

  #finishUp(session: HostSession, id: number, stream: UpStream): void {
    if (!stream.isWhole) return;
    session.streams.delete(id);
    try {
      this.#settle(session, id, stream.op, { type: "result", value: stream.finish() });
    } catch (error) {
      this.#refuse(session, id, stream.op, error);
    }
  }

  #pump(session: HostSession, id: number, stream: DownStream): void {
    try {
      const value = stream.pump();
      if (value !== undefined) this.#settle(session, id, stream.op, { type: "result", value });
    } catch (error) {
      session.streams.delete(id);
      this.#refuse(session, id, stream.op, error);
    }
  }

  /** Ends uploads whose transaction is over (SPEC §7.6). */
  #endUploads(session: HostSession): void {
    for (const [id, stream] of session.streams) {
      if (stream.kind === "down" || stream.txn === undefined || this.#behind.isOpen(stream.txn)) continue;
      stream.breakOff();
      session.streams.delete(id);
      this.#refuse(session, id, stream.op, new Refusal("STALE", "its transaction is over"));
    }
  }

  #credit(session: HostSession, id: number, limit: number): void {
    const stream = session.streams.get(id);
    if (stream?.kind !== "down") return;
    stream.credit(limit);
    this.#pump(session, id, stream);
  }

  #resend(session: HostSession, id: number, range: Range, limit: number): void {
    const stream = session.streams.get(id);
    if (stream?.kind !== "down") return this.#fail(id, "STALE", "no such stream");
    if (stream.resend(range, limit) === "outside") return this.#fail(id, "INVALID", "resend from outside of the stream");
    this.#pump(session, id, stream);
  }

  #cancel(session: HostSession, id: number): void {
    if (this.#answerAgain(session, id)) return;
    const stream = session.streams.get(id);
    session.streams.delete(id);
    if (stream?.kind === "up") stream.breakOff();
    this.#settle(session, id, stream?.op, { type: "failure", code: "CANCELLED", message: "cancelled by the host" });
  }

  /** Drops the oldest answered stream when there is no place for another; `BUSY` when all are at work. */
  #makeRoom({ streams }: HostSession): void {
    const most = this.#limits.streams;
    if (streams.size < most) return;
    for (const [id, stream] of streams) {
      if (stream.kind === "up" || !stream.isAnswered) continue;
      streams.delete(id);
      return;
    }
    throw new Refusal("BUSY", `${most} streams are open`);
  }

  #outlet({ hello }: HostSession): Outlet {
    const { line, clock } = this.#options;
    return {
      maxBody: hello.maxBody,
      largestWindow: line.cut === undefined ? LARGEST_WINDOW : CUT_WINDOW,
      send: (message) => {
        this.#send(message);
        if (message.type === "dockData") this.#flush();
      },
      isFull: () => line.isFull(),
      now: () => clock.now(),
    };
  }

  #settle(session: HostSession, id: number, op: string | undefined, answer: Answer): void {
    session.remember(id, op, answer);
    this.#sendAnswer(id, answer);
    this.#sayRemarks();
  }

  #refuse(session: HostSession, id: number, op: string, error: unknown): void {
    if (!(error instanceof Refusal)) throw error;
    this.#settle(session, id, op, { type: "failure", ...error.failure });
  }

  #answerAgain(session: HostSession, id: number): boolean {
    const answer = session.answerTo(id);
    if (answer !== undefined) this.#sendAnswer(id, answer);
    return answer !== undefined;
  }

  #sendAnswer(id: number, answer: Answer): void {
    if (answer.type === "result") return this.#send({ type: "result", id, value: answer.value });
    const { type: _, code, message, ...details } = answer;
    this.#fail(id, code, message, details);
  }

  #fail(id: number, code: FailureCode, message: string, details: RefusalDetails = {}): void {
    const { retryable = code === "BUSY" || code === "INTEGRITY" } = details;
    this.#send({ type: "failure", id, failure: { code, message, ...details, retryable } });
  }

  /** The session is over: what it had under way is undone, what its writes were answered is kept (SPEC §3.4). */
  #endSession(): void {
    for (const stream of this.#session?.streams.values() ?? []) if (stream.kind === "up") stream.breakOff();
    this.#session?.streams.clear();
    if (this.#session !== undefined) this.#behind.rollbackOpen();
    this.#session = undefined;
  }

  /** As when its power went, once what was said before is on the line. */
  #restart(): void {
    this.#endSession();
    this.#memory.session = undefined;
    this.#memory.startedAt = this.#options.clock.now();
    this.#run = [];
    this.#behind.restart({ say: (remark) => this.#say(remark) });
    this.#options.line.cut?.();
  }

  #serve(): ServedDock {
    const flushed = (act: () => void): void => {
      act();
      this.#flush();
    };
    return {
      model: this.#behind.model,
      restart: () => this.#restart(),
      forget: () => this.#endSession(),
      hear: (message) => flushed(() => this.#message(message)),
      say: (message) => flushed(() => this.#put(message)),
      after: (ms, then) => this.#options.clock.after(ms, then),
    };
  }

  #say(remark: Remark): void {
    if (typeof remark === "string") this.#outgoing.addText(remark);
    else this.#send(remark);
  }

  #sayRemarks(): void {
    const remarks = this.#remarks;
    this.#remarks = [];
    for (const remark of remarks) this.#say(remark);
  }

  #send(message: DockMessage): void {
    for (const it of this.#options.faults?.say(message, this.#served) ?? [message]) this.#put(it);
  }

  #put(message: DockMessage): void {
    this.#outgoing.add(encodeMessage(message));
  }

  /** Sends what was said, once what it tells of is kept. */
  #flush(): void {
    this.#behind.save();
    if (this.#outgoing.bytes > 0) this.#options.line.send(this.#outgoing.take());
    const then = this.#afterwards;
    this.#afterwards = undefined;
    if (then === undefined) return;
    then();
    this.#flush();
  }
}

/** Bytes of an upload that may be under way where the line can be cut: they are lost with it, and sent again. */
const CUT_WINDOW = 64 * 1024;
/** What a page needs besides its entries, in bytes (SPEC §7.1). */
const PAGE_ROOM = 256;
