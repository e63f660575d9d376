/** The other end of a line, in a few lines of a test: it knows the protocol, but only says what it is told to. */
import type { Duplex } from "node:stream";
import {
  DELIMITER_BYTES,
  type DockMessage,
  decodeFrame,
  encodeBody,
  encodeFrame,
  encodeMessage,
  type HostMessage,
  type Item,
  LARGEST_BODY,
  parseHostMessage,
  USUAL_LIMITS,
  type Welcome,
} from "../../protocol/index.js";
import type { Clock } from "../clock.js";

/** What a dock does with a message. */
export type Script = (message: HostMessage, dock: ScriptedDock) => void;

/** A message of one type. */
export type Said<Type extends HostMessage["type"]> = Extract<HostMessage, { readonly type: Type }>;

/** What a host has sent. */
export interface Heard {
  readonly at: number;
  readonly message: HostMessage;
  readonly frame: string;
}

export interface ScriptedDockOptions {
  /** Answers what isn't a hello; does nothing unless told. */
  readonly script?: Script | undefined;
  /** Answers a hello; welcomes unless told. */
  readonly hello?: Script | undefined;
  /** What a welcome says otherwise than usual. */
  readonly welcome?: Partial<Welcome> | undefined;
}

const USUAL_WELCOME: Omit<Welcome, "nonce"> = {
  version: 1,
  bootId: Uint8Array.from([0xb0, 7, 0, 0, 0, 0, 0xb0, 7]),
  dock: { id: "RW02-0005", model: "DL-7450", name: "Desk 12" },
  limits: USUAL_LIMITS,
  features: ["stores"],
  stores: ["factory", "runtime", "ephemeral"],
};

export class ScriptedDock {
  /** Everything that the host has sent, in order. */
  readonly heard: Heard[] = [];
  /** Frames of the host that couldn't be read. */
  lost = 0;
  readonly #line: Duplex;
  readonly #clock: Clock;
  readonly #options: ScriptedDockOptions;
  #rest = Buffer.alloc(0);

  constructor(line: Duplex, clock: Clock, options: ScriptedDockOptions = {}) {
    this.#line = line;
    this.#clock = clock;
    this.#options = options;
    line.on("data", (bytes: Buffer) => this.#receive(bytes));
    line.on("error", () => {});
  }

  /** The messages of a type that the host has sent. */
  said<Type extends HostMessage["type"]>(type: Type): Said<Type>[] {
    return this.heard.map(({ message }) => message).filter((message): message is Said<Type> => message.type === type);
  }

  /** The last message of a type, which there must be. */
  last<Type extends HostMessage["type"]>(type: Type): Said<Type> {
    const last = this.said(type).at(-1);
    if (last === undefined) throw new Error(`the host has sent no ${type}`);
    return last;
  }

  /** When the messages of a type came, in milliseconds. */
  timesOf(type: HostMessage["type"]): number[] {
    return this.heard.filter(({ message }) => message.type === type).map(({ at }) => at);
  }

  send(message: DockMessage): void {
    this.sendBody(encodeMessage(message));
  }

  /** Sends a message that may break the protocol, in a frame that doesn't. */
  sendItem(item: Item): void {
    this.sendBody(encodeBody(item));
  }

  sendBody(body: Uint8Array): void {
    this.raw(Buffer.concat([DELIMITER_BYTES, encodeFrame(body)]));
  }

  /** Puts bytes on the line as they are. */
  raw(bytes: Uint8Array | string): void {
    if (this.#line.writable) this.#line.write(bytes);
  }

  welcome(hello: Said<"hello">, other: Partial<Welcome> = {}): void {
    this.send({ type: "welcome", welcome: { ...USUAL_WELCOME, nonce: hello.hello.nonce, ...this.#options.welcome, ...other } });
  }

  result(id: number, value: { readonly [key: string]: Item }): void {
    this.send({ type: "result", id, value });
  }

  failure(id: number, code: string, more: { readonly [key: string]: Item } = {}): void {
    this.sendItem([14, id, { code, message: `what ${code} says`, retryable: false, ...more }]);
  }

  /** Closes the line once everything is out. */
  end(): void {
    this.#line.end();
  }

  /** The line goes away, as when a plug is pulled. */
  hangUp(): void {
    this.#line.destroy();
  }

  #receive(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (let end = this.#rest.indexOf(0); end >= 0; end = this.#rest.indexOf(0)) {
      const run = Buffer.from(this.#rest.subarray(0, end));
      this.#rest = this.#rest.subarray(end + 1);
      this.#run(run);
    }
  }

  #run(run: Buffer): void {
    const frame = run.toString("hex");
    const decoded = decodeFrame(run, LARGEST_BODY);
    if (decoded.kind === "empty") return;
    const parsed = decoded.kind === "body" ? parseHostMessage(decoded.body) : undefined;
    if (parsed?.kind !== "message") {
      this.lost++;
      return;
    }
    const { message } = parsed;
    this.heard.push({ at: this.#clock.now(), message, frame });
    if (message.type !== "hello") return this.#options.script?.(message, this);
    if (this.#options.hello !== undefined) return this.#options.hello(message, this);
    this.welcome(message);
  }
}
