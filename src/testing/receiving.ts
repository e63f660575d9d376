/** A dock's side of one upload: says one thing after the other, and shows what it was sent. */
import { type Item, UINT32_MAX } from "../../protocol/index.js";
import { type ImageInfo, ImageStore } from "../image-store.js";
import type { ImageSource } from "../source.js";
import type { PutOptions } from "../writing.js";
import { type OpenBench, openSession } from "./open-session.js";
import { image } from "./reading.js";
import type { Said, Script, ScriptedDock } from "./scripted-dock.js";
import { type Watched, watch } from "./watch.js";
import { REMOVED, WRITABLE } from "./writable.js";

export class Receiving {
  readonly #dock: ScriptedDock;
  readonly request: Said<"request">;

  /** Answers the last `image.put` that the host has sent. */
  constructor(dock: ScriptedDock) {
    this.#dock = dock;
    const request = dock.said("request").findLast(({ op }) => op === "image.put");
    if (request === undefined) throw new Error("the host has sent no image.put");
    this.request = request;
  }

  get id(): number {
    return this.request.id;
  }

  /** What was sent of the image: offset and end of each data message. */
  get ranges(): [number, number][] {
    return this.#data().map(({ offset, bytes }) => [offset, offset + bytes.length]);
  }

  /** How many bytes were sent, those that came again included. */
  get count(): number {
    return this.ranges.reduce((sum, [from, to]) => sum + to - from, 0);
  }

  /** The image as far as it was sent, put together. */
  get bytes(): Buffer {
    const size = Math.max(0, ...this.ranges.map(([, to]) => to));
    const bytes = Buffer.alloc(size);
    for (const { offset, bytes: part } of this.#data()) bytes.set(part, offset);
    return bytes;
  }

  /** Where the upload is, and how far to go. */
  at(from: number, limit: number): this {
    return this.resend(from, from, limit);
  }

  /** Asks for a range again. */
  resend(from: number, to: number, limit: number): this {
    this.#dock.send({ type: "dockResend", id: this.id, from, to, limit });
    return this;
  }

  /** Asks for everything from an offset on. */
  back(from: number, limit: number): this {
    return this.resend(from, UINT32_MAX, limit);
  }

  credit(limit: number): this {
    this.#dock.send({ type: "dockCredit", id: this.id, limit });
    return this;
  }

  /** It is there, and was checked. */
  done(value: { readonly [key: string]: Item } = REMOVED): this {
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

  #data(): Said<"hostData">[] {
    return this.#dock.said("hostData").filter(({ id }) => id === this.id);
  }
}

export interface Uploading extends OpenBench {
  readonly put: Watched<ImageInfo>;
  /** Settles when the upload does, whatever it ends with: what takes files takes time that no clock of a test turns. */
  readonly ended: Promise<unknown>;
  readonly receiving: Receiving;
}

/** An upload that has begun, and a dock that has been asked to take it and said nothing yet. */
export async function uploading(
  source: ImageSource = image,
  { script, ...options }: PutOptions & { readonly script?: Script } = {},
): Promise<Uploading> {
  let isAsked = (): void => {};
  const asked = new Promise<void>((resolve) => {
    isAsked = resolve;
  });
  const listening: Script = (message, dock) => {
    isAsked();
    script?.(message, dock);
  };
  const bench = await openSession({ welcome: WRITABLE, script: listening });
  const putting = new ImageStore(bench.session).put("logo", source, { store: "runtime", type: "none", ...options });
  const put = watch(putting);
  const ended = Promise.allSettled([putting]);
  await Promise.race([asked, ended]);
  await bench.clock.settle();
  return { ...bench, put, ended, receiving: new Receiving(bench.dock) };
}
