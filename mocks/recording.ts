/** A dock's part of a trace: what it was asked, in order, and what it answered. */
import { createHash } from "node:crypto";
import * as v from "valibot";
import {
  Assembly,
  type DockMessage,
  encodeBody,
  type HostMessage,
  type Item,
  imageHead,
  isArray,
  parseDockMessage,
  parseHostMessage,
  type TraceRecord,
  type Welcome,
} from "../protocol/index.js";
import type { Asked, Remark } from "./behind.js";

/** An answer as it was on the line, and what was said before it; after the last of all also what was said then. */
export interface RecordedAnswer {
  /** The body of its message: decoded it would be many times as large. */
  readonly body: Uint8Array;
  readonly before: readonly Remark[];
  after: readonly Remark[];
}

/** The bytes of an image, as far as they came. */
export class RecordedContent {
  /** Where they begin. */
  readonly start: number;
  readonly #assembly: Assembly;
  #pieces: Uint8Array[] = [];

  constructor(start: number) {
    this.start = start;
    this.#assembly = new Assembly(start);
  }

  /** The offset after the last byte that there is, without a gap. */
  get end(): number {
    return this.#assembly.expected;
  }

  /** Those from `start` to `end`. */
  get bytes(): Uint8Array {
    const whole = Buffer.concat(this.#pieces);
    this.#pieces = [whole];
    return whole;
  }

  take(offset: number, bytes: Uint8Array): void {
    const taken = this.#assembly.take(offset, bytes);
    if (taken.kind === "next") this.#pieces.push(...taken.pieces);
  }
}

/** A request, and what came of it. */
export interface Exchange {
  /** Where a read began. */
  readonly from: number;
  head?: RecordedAnswer;
  /** Of a read. Reads of the same content share it: the one may have gone on where the other was broken off. */
  content?: RecordedContent;
  /** Whether the dock has asked for the bytes of an upload. */
  wanted: boolean;
  /** Undefined when none came. */
  final?: RecordedAnswer;
}

/** Bytes that are kept of a trace at most. */
const MOST_BYTES = 512 * 1024 * 1024;
/** What a line costs in memory beside what it says, in bytes, rather more than less. */
const LINE_COST = 1_024;
/** Failures that answer something else than the request, or whose request is sent again on another line. */
const NOT_FINAL: ReadonlySet<string> = new Set(["NO_SESSION", "CANCELLED"]);
/** Those that answer a `resend` once a stream has begun (SPEC §4.5). */
const OF_RESEND: ReadonlySet<string> = new Set(["STALE", "INVALID"]);

type Said<Type extends (HostMessage | DockMessage)["type"]> = Extract<HostMessage | DockMessage, { type: Type }>;

export class Recording {
  /** In order; each answers a hello. */
  readonly greetings: RecordedAnswer[] = [];
  /** How many hosts there were, one after the other. One that has lost its line and come back is the same. */
  hosts = 0;
  readonly #exchanges = new Map<string, Exchange[]>();
  /** Those of the host that there is, by id, and what it wanted. */
  #open = new Map<number, { readonly op: string; readonly exchange: Exchange }>();
  readonly #contents = new Map<string, RecordedContent>();
  #host: Uint8Array | undefined;
  /** Of the hello that came last, and whether its welcome came. */
  #nonce: Uint8Array | undefined;
  #isWelcomed = false;
  #remarks: Remark[] = [];
  #last: RecordedAnswer | undefined;
  #bytes = 0;

  /** Takes what comes next in the trace. Throws a RangeError when that makes it too large to be kept. */
  add(record: TraceRecord): void {
    if (record.kind === "text") {
      this.#count(record.text.length * 2);
      return this.#remark(record.text);
    }
    if (record.kind !== "frame") return;
    this.#count(record.body.length);
    const parsed = record.dir === "out" ? parseHostMessage(record.body) : parseDockMessage(record.body);
    if (parsed.kind !== "message") return; // what was no message then is none now
    const { message } = parsed;
    switch (message.type) {
      case "hello":
        return this.#hello(message);
      case "request":
        return this.#request(message);
      case "welcome":
        return this.#welcome(message.welcome, record.body);
      case "head":
        return this.#head(message, record.body);
      case "dockData":
        return this.#open.get(message.id)?.exchange.content?.take(message.offset, message.bytes);
      case "dockResend":
        return this.#wants(message.id);
      case "result":
        return this.#final(message.id, record.body);
      case "failure":
        return this.#failure(message, record.body);
      case "log":
        return this.#remark(message);
    }
  }

  /** Nothing more comes. */
  end(): void {
    if (this.#last !== undefined) this.#last.after = this.#remarks;
  }

  /** What came of requests of an operation with such params, in order: in what doesn't count they may differ. */
  exchanges(key: string): readonly Exchange[] {
    return this.#exchanges.get(key) ?? [];
  }

  #hello({ hello: { session, nonce } }: Said<"hello">): void {
    if (this.#nonce !== undefined && Buffer.compare(nonce, this.#nonce) === 0) return; // the same, come again
    this.#nonce = nonce;
    this.#isWelcomed = false;
    if (isSameHost(session, this.#host) && this.hosts > 0) return;
    this.#host = session;
    this.hosts++;
    this.#open = new Map(); // ids begin anew
  }

  #welcome({ nonce }: Welcome, body: Uint8Array): void {
    if (this.#isWelcomed || this.#nonce === undefined || Buffer.compare(nonce, this.#nonce) !== 0) return;
    this.#isWelcomed = true;
    this.greetings.push(this.#answer(body));
  }

  /** A host that sends a request again gives it the id that it had. */
  #request({ id, op, params }: Said<"request">): void {
    if (this.#open.get(id)?.op === op) return;
    const { from } = params;
    const exchange = { from: typeof from === "number" ? from : 0, wanted: false };
    this.#open.set(id, { op, exchange });
    const key = keyOf(op, params);
    const before = this.#exchanges.get(key);
    if (before === undefined) this.#exchanges.set(key, [exchange]);
    else before.push(exchange);
  }

  #head({ id, meta }: Said<"head">, body: Uint8Array): void {
    const exchange = this.#open.get(id)?.exchange;
    if (exchange === undefined || exchange.head !== undefined) return;
    exchange.head = this.#answer(body);
    const head = v.safeParse(imageHead, meta);
    if (!head.success) return;
    const { sha256, size } = head.output;
    const name = sha256 === undefined ? undefined : `${Buffer.from(sha256).toString("hex")} ${size}`;
    const known = name === undefined ? undefined : this.#contents.get(name);
    exchange.content = known !== undefined && known.start <= exchange.from ? known : new RecordedContent(exchange.from);
    if (name !== undefined) this.#contents.set(name, exchange.content);
  }

  #wants(id: number): void {
    const open = this.#open.get(id);
    if (open !== undefined) open.exchange.wanted = true;
  }

  #failure({ id, failure: { code } }: Said<"failure">, body: Uint8Array): void {
    const isOfStream = this.#open.get(id)?.exchange.head !== undefined;
    if (!NOT_FINAL.has(code) && !(isOfStream && OF_RESEND.has(code))) this.#final(id, body);
  }

  #final(id: number, body: Uint8Array): void {
    const exchange = this.#open.get(id)?.exchange;
    if (exchange !== undefined && exchange.final === undefined) exchange.final = this.#answer(body);
  }

  #answer(body: Uint8Array): RecordedAnswer {
    this.#last = { body, before: this.#remarks, after: [] };
    this.#remarks = [];
    return this.#last;
  }

  #remark(remark: Remark): void {
    const before = this.#remarks.at(-1);
    if (typeof remark !== "string" || typeof before !== "string") this.#remarks.push(remark);
    else this.#remarks[this.#remarks.length - 1] = before + remark; // which was cut anywhere
  }

  #count(bytes: number): void {
    this.#bytes += bytes + LINE_COST;
    if (this.#bytes > MOST_BYTES) throw new RangeError(`is too large to be replayed: more than ${MOST_BYTES} bytes`);
  }
}

/** A host without a session of its own is another one each time (SPEC §3.4). */
export function isSameHost(session: Uint8Array | undefined, before: Uint8Array | undefined): boolean {
  return session !== undefined && before !== undefined && Buffer.compare(session, before) === 0;
}

/** What differs from one time to the next: credit and how far a read has come are the line's doing, the number of a transaction the dock's. */
const NOT_COMPARED: ReadonlySet<string> = new Set(["credit", "from", "ifSha256", "txn"]);

/** What an operation and its params are found by: the same whatever the order of keys. */
export function keyOf(op: string, params: Asked): string {
  const compared = Object.entries(params).filter(([key]) => !NOT_COMPARED.has(key));
  const body = encodeBody([op, ordered(Object.fromEntries(compared))]);
  return createHash("sha256").update(body).digest("base64");
}

/** A map as an array of its entries, ordered by their keys; others as they are. */
function ordered(item: Item): Item {
  if (typeof item !== "object" || item === null || item instanceof Uint8Array) return item;
  if (isArray(item)) return ["array", ...item.map(ordered)];
  const entries = Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1));
  return ["map", ...entries.map(([key, inner]) => [key, ordered(inner)])];
}
