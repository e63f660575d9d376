/** A dock that does what SPEC.md says, for what reading needs: images, keys, streams with credit, repeated requests. */
import { type DockMessage, type HostMessage, type Item, USUAL_LIMITS } from "../../protocol/index.js";
import { headOf, PIECE, sha256Of } from "./picture.js";
import type { Said, Script, ScriptedDock, ScriptedDockOptions } from "./scripted-dock.js";

export interface Holdings {
  readonly images?: { readonly [tag: string]: Uint8Array };
  readonly keys?: { readonly [key: string]: Item };
  /** Whether the dock knows the SHA-256 of an image before it has sent it; it does unless told. */
  readonly sha256?: "known" | "unknown";
}

interface Stream {
  readonly tag: string;
  readonly image: Uint8Array;
  readonly from: number;
  limit: number;
  /** The next byte to be sent in its turn. */
  next: number;
  /** The byte after the last that was ever sent. */
  reached: number;
}

/** Answers that are remembered for repetition (SPEC §4.3). */
const REMEMBERED = 64;

/** What makes a scripted dock an honest one. */
export function honestDock(holdings: Holdings): Required<Pick<ScriptedDockOptions, "hello" | "script">> {
  let state: State | undefined;
  const hello: Script = (message, dock) => {
    if (message.type !== "hello") return;
    state = new State(holdings, dock);
    dock.welcome(message);
  };
  const script: Script = (message, dock) => {
    if (state !== undefined) return state.receive(message);
    if (message.type !== "hello") dock.failure(message.id, "NO_SESSION");
  };
  return { hello, script };
}

/** What a dock knows of one session. */
class State {
  readonly #holdings: Holdings;
  readonly #dock: ScriptedDock;
  readonly #streams = new Map<number, Stream>();
  readonly #answers = new Map<number, DockMessage>();

  constructor(holdings: Holdings, dock: ScriptedDock) {
    this.#holdings = holdings;
    this.#dock = dock;
  }

  receive(message: HostMessage): void {
    switch (message.type) {
      case "request":
        return this.#request(message);
      case "hostCredit":
        return this.#grant(message.id, message.limit);
      case "hostResend":
        return this.#resend(message);
      case "cancel":
        if (!this.#answers.has(message.id)) this.#streams.delete(message.id);
        if (this.#repeat(message.id) === undefined) this.#fail(message.id, "CANCELLED");
    }
  }

  /** SPEC §4.3: an id that was met before isn't carried out again. */
  #request(message: Said<"request">): void {
    const stream = this.#streams.get(message.id);
    if (stream !== undefined) this.#head(message.id, stream);
    if (this.#repeat(message.id) !== undefined || stream !== undefined) return;
    const { key, tag } = message.params;
    switch (message.op) {
      case "kv.get":
        return this.#answer({ type: "result", id: message.id, value: this.#value(String(key)) });
      case "kv.list": {
        const entries = Object.keys(this.#holdings.keys ?? {})
          .sort()
          .map((name) => [name, "factory", 1, false]);
        return this.#answer({ type: "result", id: message.id, value: { entries, generation: 1 } });
      }
      case "image.get":
        return this.#open(message, String(tag));
      default:
        return this.#fail(message.id, "UNSUPPORTED");
    }
  }

  #value(key: string): { readonly [key: string]: Item } {
    const { keys = {} } = this.#holdings;
    const value = keys[key];
    return value === undefined ? { found: false } : { found: true, value, store: "factory", upd: false };
  }

  /** SPEC §5.1. */
  #open({ id, params }: Said<"request">, tag: string): void {
    const image = this.#holdings.images?.[tag];
    const { from = 0, ifSha256, credit } = params;
    if (image === undefined) return this.#fail(id, "NOT_FOUND");
    if (typeof from !== "number" || typeof credit !== "number" || from > image.length) return this.#fail(id, "INVALID");
    if (ifSha256 instanceof Uint8Array && !sha256Of(image).equals(ifSha256)) return this.#fail(id, "CHANGED");
    if ([...this.#streams.keys()].filter((id) => !this.#answers.has(id)).length >= USUAL_LIMITS.streams)
      return this.#fail(id, "BUSY");
    this.#makeRoom();
    const stream = { tag, image, from, limit: credit, next: from, reached: from };
    this.#streams.set(id, stream);
    this.#head(id, stream);
    this.#pump(id, stream);
  }

  /** Streams are kept after their result until a newer one needs the place: the oldest goes first. */
  #makeRoom(): void {
    for (const id of this.#streams.keys()) {
      if (this.#streams.size >= USUAL_LIMITS.streams && this.#answers.has(id)) this.#streams.delete(id);
    }
  }

  #head(id: number, { image, tag }: Stream): void {
    const { sha256 = null, ...rest } = headOf(image, { tag });
    this.#dock.send({ type: "head", id, meta: this.#holdings.sha256 === "unknown" ? rest : { ...rest, sha256 } });
  }

  #grant(id: number, limit: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined || limit <= stream.limit) return;
    stream.limit = limit;
    this.#pump(id, stream);
  }

  /** SPEC §5.4: what lies before the next byte is sent again, then it goes on; from beyond it, it goes back. */
  #resend({ id, from, to, limit }: Said<"hostResend">): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#dock.failure(id, "STALE"); // no final answer, and so not remembered (SPEC §4.5)
    if (from < stream.from || from > stream.reached) return this.#dock.failure(id, "INVALID");
    stream.limit = Math.max(stream.limit, limit);
    if (to < stream.next) this.#data(id, stream.image.subarray(0, to), from);
    else if (from < to) stream.next = Math.min(stream.next, from);
    this.#pump(id, stream);
  }

  /** Sends what there is credit for, and the result after the last byte. */
  #pump(id: number, stream: Stream): void {
    const { image, from, limit, next } = stream;
    const end = Math.min(limit, image.length);
    this.#data(id, image.subarray(0, end), next);
    stream.next = Math.max(next, end);
    stream.reached = Math.max(stream.reached, stream.next);
    if (stream.next < image.length) return;
    this.#answer({ type: "result", id, value: { size: image.length, sha256: sha256Of(image.subarray(from)) } });
  }

  /** Sends bytes from an offset on. */
  #data(id: number, bytes: Uint8Array, from: number): void {
    for (let at = from; at < bytes.length; at += PIECE) {
      this.#dock.send({ type: "dockData", id, offset: at, bytes: bytes.subarray(at, at + PIECE) });
    }
  }

  #fail(id: number, code: string): void {
    this.#answer({ type: "failure", id, failure: { code, message: code, retryable: false } });
  }

  /** Gives a final answer and remembers it. */
  #answer(answer: DockMessage & { readonly id: number }): void {
    this.#answers.set(answer.id, answer);
    for (const id of this.#answers.keys()) if (this.#answers.size > REMEMBERED) this.#answers.delete(id);
    this.#dock.send(answer);
  }

  /** Sends a final answer again, if there is one. */
  #repeat(id: number): true | undefined {
    const answer = this.#answers.get(id);
    if (answer === undefined) return undefined;
    this.#dock.send(answer);
    return true;
  }
}
