/** A mock dock in the process of the test, on TCP: what it holds can be looked into, and put there, without asking it. */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { DockModel, type DockOptions, PROFILES, type ProfileName } from "../mocks/dock.js";
import { DockBehind } from "../mocks/dock-behind.js";
import { Memory, Service } from "../mocks/service.js";
import type { ImageType, KvValue, Layer } from "../protocol/index.js";
import { systemClock } from "../src/clock.js";

/** What a layer is to hold. */
export interface Held {
  readonly images?: Readonly<Record<string, readonly [type: ImageType, bytes: Uint8Array]>>;
  readonly keys?: Readonly<Record<string, KvValue>>;
  /** Keys that are unique per dock. */
  readonly unique?: Readonly<Record<string, KvValue>>;
}

export class ModelDock implements AsyncDisposable {
  readonly model: DockModel;
  /** Bytes that hosts have sent. */
  received = 0;
  readonly #memory = new Memory(systemClock.now());
  readonly #server: Server;
  #host: Socket | undefined;

  static async start(
    profile: ProfileName,
    layers: { readonly [store in Layer]?: Held } = {},
    { name = "RW02-0005", ...options }: DockOptions & { readonly name?: string } = {},
  ): Promise<ModelDock> {
    const dock = new ModelDock(new DockModel(PROFILES[profile], name, options), createServer());
    for (const [store, held] of Object.entries(layers)) {
      for (const layer of dock.model.profile.stores) if (layer === store) dock.hold(layer, held);
    }
    dock.#server.listen(0, "127.0.0.1");
    await once(dock.#server, "listening");
    return dock;
  }

  private constructor(model: DockModel, server: Server) {
    this.model = model;
    this.#server = server;
    server.on("connection", (host) => this.#serve(host));
  }

  /** For `Dock.open` and `--port`. */
  get target(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
    return `tcp://127.0.0.1:${address.port}`;
  }

  /** Puts something into a layer, besides what is there. */
  hold(store: Layer, { images = {}, keys = {}, unique = {} }: Held): void {
    for (const [tag, [type, bytes]] of Object.entries(images)) this.model.fillImage(store, tag, type, bytes);
    for (const [key, value] of Object.entries(keys)) this.model.fillKey(store, key, { value, upd: false });
    for (const [key, value] of Object.entries(unique)) this.model.fillKey(store, key, { value, upd: true });
  }

  /** What a layer holds: values by their keys, and the types and bytes of images by their tags. */
  held(store: Layer): Required<Pick<Held, "images" | "keys">> {
    const keys = this.model.keys(store).map(({ key, value }) => [key, structuredClone(value)] as const);
    const images = this.model.images(store).map(({ tag, type, bytes }) => [tag, [type, Uint8Array.from(bytes)]] as const);
    return { keys: Object.fromEntries(keys), images: Object.fromEntries(images) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#host?.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  /** One host at a time: a new one takes the place of the one before. */
  #serve(host: Socket): void {
    this.#host?.destroy();
    this.#host = host;
    const line = { send: (bytes: Uint8Array) => host.write(bytes), isFull: () => host.writableNeedDrain };
    const service = new Service(new DockBehind(this.model), this.#memory, { line, clock: systemClock });
    host.setNoDelay();
    host.on("data", (bytes) => {
      this.received += bytes.length;
      service.receive(bytes);
    });
    host.on("drain", () => service.drained());
    host.on("error", () => {}); // `close` follows
    host.on("close", () => service.hangUp());
  }
}
