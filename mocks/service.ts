/** Answers the protocol's operations from a model: the dock's end of a line (SPEC §3 to §5). */
import { createHash } from "node:crypto";
import * as v from "valibot";
import {
  DATA_OVERHEAD,
  DELIMITER,
  DELIMITER_BYTES,
  type DockMessage,
  decodeFrame,
  encodeFrame,
  encodeMessage,
  type FailureCode,
  HANDSHAKE_BODY,
  type Hello,
  type HostMessage,
  type Item,
  type Limits,
  LineGuard,
  operations,
  PROTOCOL_VERSION,
  parseHostMessage,
  REMEMBERED_ANSWERS,
  USUAL_LIMITS,
} from "../protocol/index.js";
import { answer, findImage, Refusal } from "./answers.js";
import type { DockModel, StoredImage } from "./dock.js";
import type { Line } from "./port.js";

/** A final answer, without the id. */
type Answer =
  | { readonly type: "result"; readonly value: Record<string, Item> }
  | { readonly type: "failure"; readonly code: FailureCode; readonly message: string; readonly limit?: number };

interface Stream {
  readonly image: StoredImage;
  readonly head: Record<string, Item>;
  readonly from: number;
  /** The next byte to send, and where to stop for want of credit. */
  offset: number;
  limit: number;
  /** The byte after the last one that was ever sent. */
  reached: number;
  /** Whether its result was sent after all that was sent last. */
  finished: boolean;
  /** Whether its result was ever sent: it is then kept for `resend` until another one needs its place (SPEC §5.1). */
  answered: boolean;
}

interface SessionState {
  readonly hello: Hello;
  /** Final answers by id, the oldest first. */
  readonly answers: Map<number, Answer>;
  /** Streams by id, the oldest first. */
  readonly streams: Map<number, Stream>;
}

export interface ServiceOptions {
  readonly line: Line;
  /** Milliseconds since the dock has started. */
  readonly uptime: () => number;
  readonly limits?: Limits;
  /** Prints a line of console text before each message that it answers, as a talkative application would. */
  readonly chatty?: boolean;
}

export class Service {
  readonly #dock: DockModel;
  readonly #options: ServiceOptions;
  readonly #limits: Limits;
  readonly #guard: LineGuard;
  #run: Uint8Array[] = [];
  #session: SessionState | undefined;
  #outgoing: Uint8Array[] = [];

  constructor(dock: DockModel, options: ServiceOptions) {
    this.#dock = dock;
    this.#options = options;
    this.#limits = options.limits ?? USUAL_LIMITS;
    this.#guard = new LineGuard(this.#limits.maxBody);
  }

  /** Takes bytes off the line, and answers what is complete. */
  receive(chunk: Uint8Array): void {
    for (const piece of this.#guard.feed(chunk)) {
      if (piece.kind === "frames") this.#split(piece.bytes);
    }
    this.#flush();
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

  /** The line has room again: goes on where it was full. */
  drained(): void {
    const session = this.#session;
    if (session === undefined) return;
    for (const [id, stream] of session.streams) this.#pump(session, id, stream);
    this.#flush();
  }

  /** The line is gone: so is the session (SPEC §3.2). */
  hangUp(): void {
    this.#session = undefined;
    this.#run = [];
  }

  #body(body: Uint8Array): void {
    const parsed = parseHostMessage(body);
    if (parsed.kind === "message") {
      if (this.#options.chatty) this.#print(`app: ${parsed.message.type}`);
      this.#message(parsed.message);
    } else if (parsed.kind === "malformed" && parsed.request !== undefined && this.#session !== undefined) {
      this.#fail(parsed.request, "MALFORMED", parsed.why);
    }
  }

  #message(message: HostMessage): void {
    if (message.type === "hello") return this.#welcome(message.hello);
    const session = this.#session;
    if (session === undefined) return this.#fail(message.id, "NO_SESSION", "say hello first");
    switch (message.type) {
      case "request":
        return this.#request(session, message.id, message.op, message.params);
      case "hostCredit":
        return this.#credit(session, message.id, message.limit);
      case "hostResend":
        return this.#resend(session, message.id, message.from, message.limit);
      case "cancel":
        return this.#cancel(session, message.id);
      case "hostData":
        return; // of an upload that there isn't
    }
  }

  #welcome(hello: Hello): void {
    this.#print(`DL-7450 mock dock ${this.#dock.name}, not a real one`);
    if (!hello.versions.includes(PROTOCOL_VERSION)) {
      this.#session = undefined;
      const failure = { code: "VERSION", message: "this dock speaks version 1", retryable: false };
      return this.#send({ type: "failure", id: 0, failure: { ...failure, nonce: hello.nonce, versions: [PROTOCOL_VERSION] } });
    }
    this.#session = { hello, answers: new Map(), streams: new Map() };
    const { id, name, bootId, profile } = this.#dock;
    this.#send({
      type: "welcome",
      welcome: {
        version: PROTOCOL_VERSION,
        nonce: hello.nonce,
        bootId,
        dock: { id, model: MODEL, name },
        limits: { ...this.#limits },
        features: [...profile.features],
        stores: [...profile.stores],
      },
    });
    if (profile.features.includes("log")) this.#send({ type: "log", level: "info", text: `session of ${hello.software}` });
  }

  #request(session: SessionState, id: number, op: string, params: unknown): void {
    const stream = session.streams.get(id);
    if (stream !== undefined) {
      this.#send({ type: "head", id, meta: stream.head });
      if (stream.finished) this.#answerAgain(session, id);
      return;
    }
    if (this.#answerAgain(session, id)) return;
    try {
      if (op === "image.get") this.#openStream(session, id, params);
      else this.#settle(session, id, { type: "result", value: this.#answer(session, op, params) });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#settle(session, id, { type: "failure", ...error.failure });
    }
  }

  #answer(session: SessionState, op: string, params: unknown): Record<string, Item> {
    const pageBytes = Math.min(this.#limits.pageBytes, session.hello.maxBody - PAGE_ROOM);
    const context = { dock: this.#dock, limits: { ...this.#limits, pageBytes }, maxBody: session.hello.maxBody };
    return answer(op, params, { ...context, model: MODEL, uptimeMs: Math.floor(this.#options.uptime()) });
  }

  #openStream(session: SessionState, id: number, params: unknown): void {
    const asked = v.safeParse(operations["image.get"].params, params);
    if (!asked.success) throw new Refusal("MALFORMED", "params of another shape than image.get has");
    const { image, from } = imageAsked(this.#dock, this.#limits, asked.output);
    makeRoom(session.streams, this.#limits.streams);
    const { tag, type, sha256, store, bytes } = image;
    const named = asked.output.token === undefined ? { tag } : {};
    const head = { ...named, type, size: bytes.length, store, generation: this.#dock.generation(store), sha256 };
    const stream = {
      image,
      head,
      from,
      offset: from,
      limit: asked.output.credit,
      reached: from,
      finished: false,
      answered: false,
    };
    session.streams.set(id, stream);
    this.#send({ type: "head", id, meta: head });
    this.#pump(session, id, stream);
  }

  /** Sends what the credit allows, and the result after the last byte. */
  #pump(session: SessionState, id: number, stream: Stream): void {
    const { bytes } = stream.image;
    const end = Math.min(stream.limit, bytes.length);
    while (stream.offset < end && !this.#options.line.isFull()) {
      const length = Math.min(end - stream.offset, session.hello.maxBody - DATA_OVERHEAD, DATA_BYTES);
      const { offset } = stream;
      this.#send({ type: "dockData", id, offset, bytes: bytes.subarray(offset, offset + length) });
      stream.offset += length;
      stream.reached = Math.max(stream.reached, stream.offset);
      this.#flush();
    }
    if (stream.offset < bytes.length || stream.finished) return;
    stream.finished = stream.answered = true;
    const whole = stream.from === 0;
    const sha256 = whole ? stream.image.sha256 : createHash("sha256").update(bytes.subarray(stream.from)).digest();
    this.#settle(session, id, { type: "result", value: { size: bytes.length, sha256 } });
  }

  #credit(session: SessionState, id: number, limit: number): void {
    const stream = session.streams.get(id);
    if (stream === undefined) return;
    stream.limit = Math.max(stream.limit, limit);
    this.#pump(session, id, stream);
  }

  #resend(session: SessionState, id: number, from: number, limit: number): void {
    const stream = session.streams.get(id);
    if (stream === undefined) return this.#fail(id, "STALE", "no such stream");
    if (from < stream.from || from > stream.reached) return this.#fail(id, "INVALID", "resend from outside of the stream");
    stream.offset = from;
    stream.limit = Math.max(stream.limit, limit);
    stream.finished = false;
    this.#pump(session, id, stream);
  }

  #cancel(session: SessionState, id: number): void {
    if (this.#answerAgain(session, id)) return;
    session.streams.delete(id);
    this.#settle(session, id, { type: "failure", code: "CANCELLED", message: "cancelled by the host" });
  }

  #settle(session: SessionState, id: number, answer: Answer): void {
    session.answers.delete(id);
    session.answers.set(id, answer);
    const [oldest] = session.answers.keys();
    if (session.answers.size > REMEMBERED_ANSWERS && oldest !== undefined) session.answers.delete(oldest);
    this.#sendAnswer(id, answer);
  }

  #answerAgain(session: SessionState, id: number): boolean {
    const answer = session.answers.get(id);
    if (answer !== undefined) this.#sendAnswer(id, answer);
    return answer !== undefined;
  }

  #sendAnswer(id: number, answer: Answer): void {
    if (answer.type === "result") this.#send({ type: "result", id, value: answer.value });
    else this.#fail(id, answer.code, answer.message, answer.limit);
  }

  #fail(id: number, code: FailureCode, message: string, limit?: number): void {
    const failure = { code, message, retryable: code === "BUSY", ...(limit === undefined ? {} : { limit }) };
    this.#send({ type: "failure", id, failure });
  }

  #print(line: string): void {
    this.#outgoing.push(Buffer.from(`${line}\r\n\0`));
  }

  #send(message: DockMessage): void {
    this.#outgoing.push(encodeFrame(encodeMessage(message)));
  }

  #flush(): void {
    if (this.#outgoing.length === 0) return;
    const bytes = Buffer.concat([DELIMITER_BYTES, ...this.#outgoing]);
    this.#outgoing = [];
    this.#options.line.send(bytes);
  }
}

const MODEL = "DL-7450 mock";
/** Bytes of an image in one data message, where the host takes as many. */
const DATA_BYTES = 8_192;
/** What a page needs besides its entries, in bytes (SPEC §7.1). */
const PAGE_ROOM = 256;

function imageAsked(
  dock: DockModel,
  limits: Limits,
  asked: v.InferOutput<(typeof operations)["image.get"]["params"]>,
): { image: StoredImage; from: number } {
  const { tag, token, store, from = 0, ifSha256 } = asked;
  let image: StoredImage | undefined;
  if (token !== undefined) {
    image = dock.imageOfToken(token);
    if (image === undefined) throw new Refusal("STALE", "no such token since the dock has started");
  } else if (tag !== undefined) {
    image = findImage(dock, limits, tag, store);
  }
  if (image === undefined) throw new Refusal("NOT_FOUND", "no image of that tag");
  if (ifSha256 !== undefined && Buffer.compare(ifSha256, image.sha256) !== 0)
    throw new Refusal("CHANGED", "the image is another one now");
  if (from > image.bytes.length) throw new Refusal("INVALID", "an offset beyond the end");
  return { image, from };
}

/** Drops the oldest finished stream when there is no place for another; `BUSY` when all are at work. */
function makeRoom(streams: Map<number, Stream>, most: number): void {
  if (streams.size < most) return;
  for (const [id, { answered }] of streams) {
    if (!answered) continue;
    streams.delete(id);
    return;
  }
  throw new Refusal("BUSY", `${most} streams are open`);
}
