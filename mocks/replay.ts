/** A dock that answers as one did whose trace there is. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import {
  type DockMessage,
  type Failure,
  type Hello,
  type Item,
  isFailureCode,
  type Limits,
  parseDockMessage,
  TraceReader,
  type Welcome,
} from "../protocol/index.js";
import { checked } from "./answers.js";
import type { Asked, Begun, Behind, Circumstances } from "./behind.js";
import { type Exchange, isSameHost, keyOf, type RecordedAnswer, type RecordedContent, Recording } from "./recording.js";
import { Refusal } from "./refusal.js";
import type { Download } from "./stream.js";

/** Bytes of the largest image that is served: those of the largest layer of a DL-7450, and some. */
const LARGEST_IMAGE = 256 * 1024 * 1024;

/** Reads a trace. Broken lines are passed over, and told of. Rejects when it can't be read, or holds nothing to greet a host with. */
export async function readRecording(path: string, broken: (line: number, why: string) => void): Promise<Recording> {
  if (!(await stat(path)).isFile()) throw new RangeError("is no regular file"); // a pipe could keep it waiting for ever
  const reader = new TraceReader();
  const recording = new Recording();
  const add = (lines: ReturnType<TraceReader["feed"]>): void => {
    for (const line of lines) {
      if (line.kind === "record") recording.add(line.record);
      else broken(line.number, line.why);
    }
  };
  for await (const chunk of createReadStream(path)) add(reader.feed(chunk));
  add(reader.end());
  recording.end();
  if (recording.greetings.length === 0)
    throw new RangeError("has no handshake in it: nothing that a host could be greeted with");
  return recording;
}

/**
 * Requests of the same operation and params are answered as they were recorded, one after the other, the last one again and again. When as
 * many hosts have come as there were, the next one finds the recording from its beginning.
 */
export class Replay implements Behind {
  readonly model = undefined;
  readonly #recording: Recording;
  /** How many of the exchanges of a kind are used up. */
  readonly #used = new Map<string, number>();
  #greeted = 0;
  #hosts = 0;
  #host: Uint8Array | undefined;

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  /** What the dock took when it was first greeted. */
  get limits(): Limits {
    const [first] = this.#recording.greetings;
    if (first === undefined) throw new Error("a recording without a handshake isn't replayed");
    return welcomeIn(first).limits;
  }

  greet({ session }: Hello, circumstances: Circumstances): ReturnType<Behind["greet"]> {
    if (this.#hosts === 0 || !isSameHost(session, this.#host)) this.#newHost(session);
    const greeting = inTurn(this.#recording.greetings, this.#greeted++);
    if (greeting === undefined) throw new Error("a recording without a handshake isn't replayed");
    sayRemarks(greeting, circumstances);
    const { bootId, dock, features, stores } = welcomeIn(greeting);
    return { bootId, dock, features, stores };
  }

  answer(op: string, params: Asked, circumstances: Circumstances): Record<string, Item> {
    return finalOf(this.#take(op, params), circumstances);
  }

  read(params: Asked, circumstances: Circumstances): Download {
    const { from = 0, ifSha256, credit } = checked("image.get", params);
    const exchange = this.#take("image.get", params);
    const { head, content } = exchange;
    if (head === undefined || content === undefined) {
      finalOf(exchange, circumstances); // a read without a head has failed
      throw notRecorded("the image's head");
    }
    const meta = metaIn(head);
    const { sha256, size } = meta;
    if (ifSha256 !== undefined && !(sha256 instanceof Uint8Array && Buffer.compare(sha256, ifSha256) === 0))
      throw new Refusal("CHANGED", "another image, or one of unknown content, is in the recording");
    if (from < content.start || from > content.end || content.end > LARGEST_IMAGE) throw notRecorded("the image from there on");
    sayRemarks(head, circumstances);
    const bytes = fromItsBeginning(content);
    const isWhole = typeof size === "number" && content.end >= size;
    let wasGiven = false;
    const result = (): Record<string, Item> => {
      if (isWhole && (from !== exchange.from || exchange.final === undefined)) {
        return { size, sha256: createHash("sha256").update(bytes.subarray(from)).digest() };
      }
      const value = finalOf(exchange, wasGiven ? SILENT : circumstances);
      wasGiven = true;
      if (!isWhole) throw new Refusal("INTERNAL", "the recording lacks the rest of the image");
      return value;
    };
    return { bytes, head: meta, from, credit, result };
  }

  write(params: Asked, circumstances: Circumstances): Begun {
    const asked = checked("image.put", params);
    const exchange = this.#take("image.put", params);
    const put = (): Record<string, Item> => finalOf(exchange, circumstances);
    if (!exchange.wanted) return { kind: "done", value: put() };
    if (asked.size > LARGEST_IMAGE) throw notRecorded("an image of that size");
    const upload = { params: asked, reserve: () => nothing, takePartial: nothing, keepPartial: nothing, put };
    return { kind: "upload", upload };
  }

  /** What became of it is recorded. */
  isOpen(): boolean {
    return true;
  }

  rollbackOpen(): void {}

  restart(): void {}

  save(): void {}

  #newHost(session: Uint8Array | undefined): void {
    this.#host = session;
    this.#hosts++;
    if (this.#hosts <= this.#recording.hosts) return;
    this.#hosts = 1;
    this.#greeted = 0;
    this.#used.clear();
  }

  #take(op: string, params: Asked): Exchange {
    const key = keyOf(op, params);
    const used = this.#used.get(key) ?? 0;
    const exchange = inTurn(this.#recording.exchanges(key), used);
    if (exchange === undefined) throw notRecorded(requestText(op, params));
    this.#used.set(key, used + 1);
    return exchange;
  }
}

/** What is said again when an answer is given again: nothing. */
const SILENT: Pick<Circumstances, "say" | "sayAfter"> = { say: nothing, sayAfter: nothing };

/** The one whose turn it is; the last when they are used up. */
function inTurn<T>(all: readonly T[], turn: number): T | undefined {
  return all[Math.min(turn, all.length - 1)];
}

/** Gives the result that was recorded, or throws the failure as a `Refusal`. */
function finalOf({ final }: Exchange, circumstances: Pick<Circumstances, "say" | "sayAfter">): Record<string, Item> {
  if (final === undefined) throw new Refusal("INTERNAL", "the recording ends before this was answered");
  sayRemarks(final, circumstances);
  const message = messageIn(final);
  if (message.type === "result") return message.value;
  if (message.type === "failure") throw refusalOf(message.failure);
  throw new Error("neither a result nor a failure was recorded as a final answer");
}

function sayRemarks({ before, after }: RecordedAnswer, { say, sayAfter }: Pick<Circumstances, "say" | "sayAfter">): void {
  before.forEach(say);
  after.forEach(sayAfter);
}

function refusalOf({ code, message, retryable, limit, free, store }: Failure): Refusal {
  const details = {
    retryable,
    ...(limit === undefined ? {} : { limit }),
    ...(free === undefined ? {} : { free }),
    ...(store === undefined ? {} : { store }),
  };
  return new Refusal(isFailureCode(code) ? code : "INTERNAL", message, details); // as a host treats one that it doesn't know
}

function notRecorded(what: string): Refusal {
  return new Refusal("UNSUPPORTED", `${what} is not in the recording`);
}

/** A message has at most 256 bytes (SPEC §8). */
function requestText(op: string, { tag, key }: Asked): string {
  const name = tag ?? key;
  return typeof name === "string" ? `${op.slice(0, 20)} of "${name.slice(0, 40)}"` : op.slice(0, 20);
}

/** What wasn't read of the beginning is never sent: it only makes the offsets those of the image. */
function fromItsBeginning(content: RecordedContent): Uint8Array {
  if (content.start === 0) return content.bytes;
  const bytes = Buffer.alloc(content.end);
  bytes.set(content.bytes, content.start);
  return bytes;
}

function welcomeIn(answer: RecordedAnswer): Welcome {
  const message = messageIn(answer);
  if (message.type === "welcome") return message.welcome;
  throw new Error("something else than a welcome was recorded as one");
}

function metaIn(answer: RecordedAnswer): Record<string, Item> {
  const message = messageIn(answer);
  if (message.type === "head") return message.meta;
  throw new Error("something else than a head was recorded as one");
}

function messageIn({ body }: RecordedAnswer): DockMessage {
  const parsed = parseDockMessage(body);
  if (parsed.kind === "message") return parsed.message;
  throw new Error("a message was recorded that is none");
}

function nothing(): undefined {
  return undefined;
}
