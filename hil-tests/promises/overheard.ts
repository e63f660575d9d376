/** What a dock has said, held against the rules that hold whatever its host says (SPEC §2, §4.3, §5.1, §7). */
import * as v from "valibot";
import {
  DELIMITER,
  type DockMessage,
  decodeFrame,
  encodeMessage,
  HANDSHAKE_BODY,
  type Hello,
  type HostMessage,
  imageHead,
  isOperation,
  LARGEST_BODY,
  operations,
  parseDockMessage,
  parseHostMessage,
  REMEMBERED_ANSWERS,
  type Welcome,
} from "../../protocol/index.js";

type Said = Extract<DockMessage, { id: number }>;

/** No nonce is like that. */
const NO_SESSION = "none";
/** A hello that was refused has ended the session, and begun none. */
const NOBODY = { nonce: new Uint8Array(), maxBody: HANDSHAKE_BODY };

/** Operations that change something, whose answers every dock remembers. */
const WRITES: ReadonlySet<string> = new Set(["kv.set", "kv.delete", "image.put", "image.delete"]);

export class Overheard {
  readonly #remembers: "all answers" | "writes";
  /** Rules that were broken. */
  readonly problems: string[] = [];
  /** The transaction that was opened last. */
  txn = 0;
  #session = NO_SESSION;
  #maxBody = HANDSHAKE_BODY;
  /** What ids have asked, also in the session before where this one goes on with it; nothing where an id has asked several things. */
  #ops = new Map<number, string>();
  /** Of this session: final answers by id, the oldest first; how far ids may be sent. */
  #finals = new Map<number, string>();
  #credits = new Map<number, number>();

  /** @param remembers which answers a dock keeps: one with little memory may forget those to operations that only read (SPEC §4.3) */
  constructor(remembers: "all answers" | "writes" = "all answers") {
    this.#remembers = remembers;
  }

  /** The dock has heard the first bytes, or a frame of the body, and said the second. */
  heard(body: Uint8Array, said: Uint8Array): void {
    const parsed = parseHostMessage(body);
    const message = parsed.kind === "message" ? parsed.message : undefined;
    if (message !== undefined) this.#noteHost(message);
    for (const answer of this.#messages(said)) this.#noteDock(message, answer);
  }

  /** There is no session any more. */
  ended(): void {
    this.#session = NO_SESSION;
    this.#maxBody = HANDSHAKE_BODY;
    this.#finals = new Map();
    this.#credits = new Map();
  }

  /** A session begins, unless it is the one that there is. In one that goes on, ids may mean what they meant before. */
  #begin({ nonce, maxBody }: Pick<Hello, "nonce" | "maxBody">, { resumed }: Pick<Welcome, "resumed">): void {
    const session = Buffer.from(nonce).toString("hex");
    if (session === this.#session) return;
    this.ended();
    if (resumed !== true) this.#ops = new Map();
    this.#session = session;
    this.#maxBody = maxBody;
  }

  #noteHost(message: HostMessage): void {
    switch (message.type) {
      case "request": {
        const { credit } = message.params;
        // An id that is used again may still mean what it meant before.
        if (!this.#ops.has(message.id)) this.#ops.set(message.id, message.op);
        else if (this.#ops.get(message.id) !== message.op) this.#ops.set(message.id, "");
        return typeof credit === "number" ? this.#grant(message.id, credit) : undefined;
      }
      case "hostCredit":
      case "hostResend":
        return this.#grant(message.id, message.limit);
    }
  }

  #grant(id: number, limit: number): void {
    this.#credits.set(id, Math.max(limit, this.#credits.get(id) ?? 0));
  }

  /** The messages between what is printed. */
  *#messages(said: Uint8Array): Generator<DockMessage> {
    for (let at = 0; at < said.length; ) {
      const delimiter = said.indexOf(DELIMITER, at);
      const run = Buffer.from(said.subarray(at, delimiter < 0 ? said.length : delimiter));
      at = delimiter < 0 ? said.length : delimiter + 1;
      const [, second = 0] = run;
      if (second < 0x81 || second > 0x97) continue; // console text (SPEC §1.5)
      const frame = decodeFrame(run, LARGEST_BODY);
      const parsed = frame.kind === "body" ? parseDockMessage(frame.body) : frame;
      if (parsed.kind === "message") yield parsed.message;
      else this.problems.push(`no message: ${JSON.stringify(parsed)}`);
      if (frame.kind === "body" && frame.body.length > this.#maxBody)
        this.problems.push(`a body of ${frame.body.length} bytes`);
    }
  }

  #noteDock(heard: HostMessage | undefined, said: DockMessage): void {
    switch (said.type) {
      case "welcome":
        return heard?.type === "hello"
          ? this.#begin(heard.hello, said.welcome)
          : void this.problems.push("a welcome to no hello");
      case "dockData":
        if (said.offset + said.bytes.length <= (this.#credits.get(said.id) ?? 0)) return;
        this.problems.push(`data of ${said.id} to ${said.offset + said.bytes.length}, beyond the credit`);
        return;
      case "head":
        if (!v.is(imageHead, said.meta)) this.problems.push(`no head: ${JSON.stringify(said.meta)}`);
        return;
      case "result":
        this.#noteResult(said);
        return this.#noteFinal(said);
      case "failure":
        if (said.id === 0) return this.#begin(NOBODY, { resumed: true });
        return isFinal(heard, said) ? this.#noteFinal(said) : undefined;
    }
  }

  #noteResult({ id, value }: Extract<DockMessage, { type: "result" }>): void {
    const op = this.#ops.get(id) ?? "";
    if (isOperation(op) && !v.is(operations[op].result, value))
      this.problems.push(`no result of ${op}: ${JSON.stringify(value)}`);
    if (typeof value.txn === "number") this.txn = value.txn;
  }

  /** The same as before, unless so many others were given since that it may be forgotten. */
  #noteFinal(said: Said): void {
    if (this.#remembers === "writes" && !WRITES.has(this.#ops.get(said.id) ?? "")) return;
    const now = Buffer.from(encodeMessage(said)).toString("latin1");
    const before = this.#finals.get(said.id);
    if (before !== undefined && before !== now)
      this.problems.push(`another final answer of ${said.id}: ${JSON.stringify(said)}`);
    if (before === undefined) this.#finals.set(said.id, now);
    const [oldest] = this.#finals.keys();
    if (this.#finals.size > REMEMBERED_ANSWERS && oldest !== undefined) this.#finals.delete(oldest);
  }
}

/** What isn't remembered, and so may be followed by another answer (SPEC §4.5). */
function isFinal(heard: HostMessage | undefined, { failure: { code } }: Extract<DockMessage, { type: "failure" }>): boolean {
  if (heard === undefined) return code !== "MALFORMED";
  return (
    code !== "NO_SESSION" && code !== "VERSION" && !(heard.type === "hostResend" && (code === "STALE" || code === "INVALID"))
  );
}
