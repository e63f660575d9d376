/** What a dock holds: three layers, their lookup order, writes and transactions, tokens. Knows no bytes of any line. */
import { createHash, randomBytes } from "node:crypto";
import { encodeBody, type ImageType, type KvValue, type Layer, typeOf, utf8Length } from "../protocol/index.js";
import { checkRoom, LayerContents, type StoredImage, type StoredKey } from "./layer.js";
import { countChange, emptyLayers, find, type LayerState, type Layers, layersAsked, list } from "./lookup.js";
import { isKept } from "./manifest.js";
import { CAPACITIES, type Profile } from "./profiles.js";
import { Refusal } from "./refusal.js";
import type { StateFolder } from "./state.js";
import { Transactions } from "./transactions.js";
import { PartialUploads, Reservations } from "./uploads.js";

export type { StoredImage, StoredKey } from "./layer.js";
export { PROFILES, type Profile, type ProfileName } from "./profiles.js";

/** Of a state folder, what a dock needs. */
type KeptState = Pick<StateFolder, "layers" | "save">;

export interface DockOptions {
  /** Unique per dock, 1 to 64 bytes; made of the name unless told. */
  readonly id?: string;
  /** The application's code; empty unless told. */
  readonly code?: Uint8Array;
  /** Bytes that layers hold, where it isn't what a DL-7450's hold. */
  readonly capacities?: { readonly [store in Layer]?: number };
  /** Where factory and runtime come from, and are saved to. */
  readonly state?: KeptState;
}

/** What a write comes to: the generation of its layer, outside of the transaction that it belongs to. */
export interface Written {
  readonly generation: number;
}

/** `existed`: whether there was something to delete or replace. */
export interface Replaced extends Written {
  readonly existed: boolean;
}

export class DockModel {
  readonly profile: Profile;
  /** The dock's label. */
  readonly name: string;
  /** Unique per dock; 64 hexadecimal digits unless told. */
  readonly id: string;
  /** The application's code. */
  readonly code: Uint8Array;
  /** Whether there was nothing to load: somebody is to fill it. */
  readonly isFresh: boolean;
  readonly #state: KeptState | undefined;
  readonly #layers: Layers;
  /** The generations that are in the state folder. */
  readonly #saved = new Map<Layer, number>();
  readonly #partials = new PartialUploads();
  readonly #reservations = new Reservations();
  readonly #transactions = new Transactions();
  #bootId: Uint8Array = randomBytes(8);

  /** Throws an Error when what the state folder has doesn't fit into its layer. */
  constructor(profile: Profile, name: string, { id, code, capacities, state }: DockOptions = {}) {
    this.profile = profile;
    this.name = name;
    this.id = id ?? createHash("sha256").update(`dl7450 mock dock ${name}`).digest("hex");
    this.code = code ?? new Uint8Array();
    this.#state = state;
    this.isFresh = state === undefined || state.layers.length === 0;
    this.#layers = emptyLayers(profile.stores, (store) => capacities?.[store] ?? CAPACITIES[store]);
    for (const saved of state?.layers ?? []) {
      const layer = this.#layers.get(saved.store);
      if (layer === undefined) continue;
      for (const image of saved.images) layer.contents.putImage(image);
      for (const key of saved.keys) layer.contents.putKey(key);
      layer.generation = saved.generation;
      this.#saved.set(saved.store, saved.generation);
    }
  }

  /** Random, new with each start of the dock. */
  get bootId(): Uint8Array {
    return this.#bootId;
  }

  /** The images of a layer, or those that the lookup order answers with, ordered by the bytes of their tags. */
  images(store?: Layer): StoredImage[] {
    return list(
      layersAsked(this.#layers, store),
      ({ images }) => images,
      ({ tag }) => tag,
    );
  }

  /** As `images`. */
  keys(store?: Layer): StoredKey[] {
    return list(
      layersAsked(this.#layers, store),
      ({ keys }) => keys,
      ({ key }) => key,
    );
  }

  image(tag: string, store?: Layer): StoredImage | undefined {
    return find(layersAsked(this.#layers, store), ({ images }) => images.get(tag));
  }

  key(key: string, store?: Layer): StoredKey | undefined {
    return find(layersAsked(this.#layers, store), ({ keys }) => keys.get(key));
  }

  /** A token for an image as it is, good until the dock restarts (SPEC §6). */
  tokenFor({ store, tag, type, sha256 }: StoredImage): Uint8Array {
    const token = createHash("sha256").update(this.#bootId).update(`${store}\0${tag}\0${type}\0`).update(sha256).digest();
    return token.subarray(0, 16);
  }

  /** The image that a token stands for, as long as it is there. */
  imageOfToken(token: Uint8Array): StoredImage | undefined {
    return this.#imageWhere((image) => Buffer.compare(this.tokenFor(image), token) === 0);
  }

  /** The bytes of any image with this SHA-256, also of one that a transaction is yet to show. */
  contentOf(sha256: Uint8Array): Uint8Array | undefined {
    const hasIt = (image: StoredImage): boolean => Buffer.compare(image.sha256, sha256) === 0;
    const found = this.#imageWhere(hasIt) ?? [...(this.#transactions.stage?.images ?? [])].find(hasIt);
    return found?.bytes;
  }

  /** The generation of a layer, or the sum of all (SPEC §7.3). */
  generation(store?: Layer): number {
    return layersAsked(this.#layers, store).reduce((sum, { generation }) => sum + generation, 0) % 2 ** 32;
  }

  capacity(store: Layer): number {
    return this.#layers.get(store)?.capacity ?? 0;
  }

  /** Bytes that images, values and their names take in a layer. */
  used(store: Layer): number {
    return this.#layers.get(store)?.contents.used ?? 0;
  }

  /** Gives a key a value, which is then no longer unique per dock. Like all writes: `txn` stages it for the commit. */
  setKey(store: Layer, key: string, value: KvValue, txn?: number): Written {
    const { layer, contents } = this.#target(store, txn);
    contents.putKey({ key, value, size: encodeBody(value).length, upd: false, store });
    return { generation: this.#changed(layer, contents) };
  }

  deleteKey(store: Layer, key: string, txn?: number): Replaced {
    const { layer, contents } = this.#target(store, txn);
    if (contents.keys.get(key) === undefined) return { generation: layer.generation, existed: false };
    contents.deleteKey(key);
    return { generation: this.#changed(layer, contents), existed: true };
  }

  /** Takes `bytes` over; `sha256` is theirs. Nothing changes when the image is there already. */
  putImage(store: Layer, tag: string, type: ImageType, bytes: Uint8Array, sha256: Uint8Array, txn?: number): Replaced {
    const { layer, contents } = this.#target(store, txn);
    if (type !== "none" && typeOf(bytes) !== type) throw new Refusal("INVALID", `the content isn't ${type}`);
    const before = contents.images.get(tag);
    if (before?.type === type && Buffer.compare(before.sha256, sha256) === 0) {
      return { generation: layer.generation, existed: true };
    }
    contents.putImage({ tag, type, bytes, sha256, store });
    return { generation: this.#changed(layer, contents), existed: before !== undefined };
  }

  deleteImage(store: Layer, tag: string, txn?: number): Replaced {
    const { layer, contents } = this.#target(store, txn);
    if (contents.images.get(tag) === undefined) return { generation: layer.generation, existed: false };
    contents.deleteImage(tag);
    return { generation: this.#changed(layer, contents), existed: true };
  }

  /** Puts in what a dock is made with, which may be unique per dock. Throws a RangeError when it doesn't fit, as `fillImage` does. */
  fillKey(store: Layer, key: string, { value, upd }: { readonly value: KvValue; readonly upd: boolean }): void {
    this.#fill(store, key, (contents) => contents.putKey({ key, value, size: encodeBody(value).length, upd, store }));
  }

  /** The type is taken as it is told. */
  fillImage(store: Layer, tag: string, type: ImageType, bytes: Uint8Array): void {
    const sha256 = createHash("sha256").update(bytes).digest();
    this.#fill(store, tag, (contents) => contents.putImage({ tag, type, bytes, sha256, store }));
  }

  /** Keeps room for an upload that begins, until the function that comes back is called. */
  reserve(store: Layer, tag: string, size: number, txn?: number): () => void {
    const { layer, contents } = this.#target(store, txn);
    const limit = layer.capacity;
    if (size > limit) throw new Refusal("TOO_LARGE", `the layer ${store} holds ${limit} bytes`, { limit });
    const bytes = utf8Length(tag) + size;
    const room = contents.roomForImage(tag);
    checkRoom(store, bytes, room - this.#reservations.in(store));
    const replaced = room - (limit - contents.used);
    return this.#reservations.hold(store, Math.max(0, bytes - replaced));
  }

  /** Keeps what came of a content whose upload broke off. */
  keepPartial(sha256: Uint8Array, size: number, bytes: Uint8Array): void {
    this.#partials.keep(sha256, size, bytes);
  }

  /** Hands out what there is of a content of `size` bytes, and keeps it no longer. */
  takePartial(sha256: Uint8Array, size: number): Uint8Array | undefined {
    return this.#partials.take(sha256, size);
  }

  /** Begins a transaction on a layer: from what is there, or from nothing. */
  begin(store: Layer, replace: boolean): number {
    return this.#transactions.begin(this.#layer(store), replace);
  }

  /** Shows all that was staged, as one change. */
  commit(txn: number): Written {
    const { layer, stage } = this.#transactions.end(txn);
    layer.contents = stage;
    return { generation: countChange(layer) };
  }

  /** Whether a transaction isn't over. */
  isOpen(txn: number): boolean {
    return this.#transactions.isOpen(txn);
  }

  rollback(txn: number): void {
    this.#transactions.end(txn);
  }

  /** Drops the open transaction, if there is one: its session has ended. */
  rollbackOpen(): void {
    this.#transactions.drop();
  }

  /** A factory reset: clears runtime and ephemeral. */
  reset(): void {
    this.rollbackOpen();
    this.#partials.clear();
    for (const layer of this.#layers.values()) {
      if (layer.store === "factory" || layer.contents.isEmpty) continue;
      layer.contents = new LayerContents(layer.store, layer.capacity);
      countChange(layer);
    }
  }

  /** Starts again: what isn't in factory or runtime is gone. */
  restart(): void {
    this.rollbackOpen();
    this.#partials.clear();
    this.#reservations.clear();
    this.#bootId = randomBytes(8);
    const ephemeral = this.#layers.get("ephemeral");
    if (ephemeral === undefined) return;
    ephemeral.contents = new LayerContents("ephemeral", ephemeral.capacity);
    ephemeral.generation = 0;
  }

  /** Brings the state folder, if there is one, up to what factory and runtime hold now. Throws when it can't be written; the next call tries again. */
  save(): void {
    if (this.#state === undefined) return;
    const layers = [];
    for (const { store, generation, contents } of this.#layers.values()) {
      if (isKept(store)) layers.push({ store, generation, images: contents.images, keys: contents.keys });
    }
    if (layers.every(({ store, generation }) => this.#saved.get(store) === generation)) return;
    this.#state.save(this.name, layers);
    for (const { store, generation } of layers) this.#saved.set(store, generation);
  }

  /** What a write changes, and the layer that it is for. */
  #target(store: Layer, txn: number | undefined): { layer: LayerState; contents: LayerContents } {
    const layer = this.#layer(store);
    return { layer, contents: this.#transactions.target(layer, txn) };
  }

  #layer(store: Layer): LayerState {
    const layer = this.#layers.get(store);
    if (layer === undefined) throw new Refusal("UNSUPPORTED", `this dock has no layer ${store}`);
    return layer;
  }

  /** The generation that a write makes: what is staged is no change yet. */
  #changed(layer: LayerState, contents: LayerContents): number {
    return layer.contents === contents ? countChange(layer) : layer.generation;
  }

  #fill(store: Layer, name: string, put: (contents: LayerContents) => void): void {
    const layer = this.#layer(store);
    try {
      put(layer.contents);
    } catch (cause) {
      throw new RangeError(`${name} doesn't fit into the layer ${store}`, { cause });
    }
    countChange(layer);
  }

  #imageWhere(fits: (image: StoredImage) => boolean): StoredImage | undefined {
    return find([...this.#layers.values()], ({ images }) => [...images].find(fits));
  }
}
