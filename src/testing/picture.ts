/** Images for tests, and a dock that hands one out piece by piece as a test says. */
import { createHash } from "node:crypto";
import type { Item } from "../../protocol/index.js";
import { Random } from "./random.js";
import type { Said, ScriptedDock } from "./scripted-dock.js";

/** Bytes of one data message, as usual. */
export const PIECE = 8_192;

/** Bytes that look like none of their parts. */
export function picture(size: number, seed = 1): Buffer {
  return new Random(seed).bytes(size);
}

export function sha256Of(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

/** What a dock says of an image before its bytes. */
export function headOf(image: Uint8Array, other: { readonly [key: string]: Item } = {}): { readonly [key: string]: Item } {
  return {
    tag: "default",
    type: "png",
    size: image.length,
    store: "factory",
    generation: 3,
    sha256: sha256Of(image),
    ...other,
  };
}

/** A dock's side of one stream: says one thing after the other about an image, and no more than it is told. */
export class Serving {
  readonly #dock: ScriptedDock;
  readonly #image: Uint8Array;
  readonly request: Said<"request">;

  /** Answers the last request that the host has made. */
  constructor(dock: ScriptedDock, image: Uint8Array) {
    this.#dock = dock;
    this.#image = image;
    this.request = dock.last("request");
  }

  get id(): number {
    return this.request.id;
  }

  /** The highest offset up to which the host lets data come. */
  get credit(): number {
    const limits = this.#dock.heard.map(({ message }) => {
      if (message.type === "request" && message.id === this.id) return Number(message.params.credit);
      return (message.type === "hostCredit" || message.type === "hostResend") && message.id === this.id ? message.limit : 0;
    });
    return Math.max(...limits);
  }

  head(other: { readonly [key: string]: Item } = {}): this {
    const { tag } = this.request.params;
    const asked = typeof tag === "string" ? { tag } : {};
    this.#dock.send({ type: "head", id: this.id, meta: headOf(this.#image, { ...asked, ...other }) });
    return this;
  }

  /** The bytes from `from` to `to`, in messages of the usual length. */
  data(from: number, to: number): this {
    for (let at = from; at < to; at += PIECE) {
      const bytes = this.#image.subarray(at, Math.min(at + PIECE, to));
      this.#dock.send({ type: "dockData", id: this.id, offset: at, bytes });
    }
    return this;
  }

  /** The result for what was read from `from` on. */
  result(from = 0, other: { readonly [key: string]: Item } = {}): this {
    this.#dock.result(this.id, { size: this.#image.length, sha256: sha256Of(this.#image.subarray(from)), ...other });
    return this;
  }

  /** Bytes at an offset, whatever they are. */
  at(offset: number, bytes: Uint8Array): this {
    this.#dock.send({ type: "dockData", id: this.id, offset, bytes });
    return this;
  }

  /** A result with nothing in it but this. */
  answer(value: { readonly [key: string]: Item }): this {
    this.#dock.result(this.id, value);
    return this;
  }

  failure(code: string, more: { readonly [key: string]: Item } = {}): this {
    this.#dock.failure(this.id, code, more);
    return this;
  }

  pending(): this {
    this.#dock.send({ type: "pending", id: this.id });
    return this;
  }

  /** A message with this id, which may break the protocol. */
  item(type: number, ...items: readonly Item[]): this {
    this.#dock.sendItem([type, this.id, ...items]);
    return this;
  }
}
