/** What one layer holds: its images and keys, and how much room they take (SPEC §6). */
import { type ImageType, type KvValue, type Layer, utf8Length } from "../protocol/index.js";
import { ByName, type Named } from "./by-name.js";
import { Refusal } from "./refusal.js";

export interface StoredImage {
  readonly tag: string;
  readonly type: ImageType;
  readonly bytes: Uint8Array;
  readonly sha256: Uint8Array;
  readonly store: Layer;
}

export interface StoredKey {
  readonly key: string;
  readonly value: KvValue;
  /** Size of the value as encoded (SPEC §6). */
  readonly size: number;
  /** Unique per dock. */
  readonly upd: boolean;
  readonly store: Layer;
}

export class LayerContents {
  readonly store: Layer;
  /** Bytes that images, values and their names may take together. */
  readonly capacity: number;
  readonly #images: ByName<StoredImage>;
  readonly #keys: ByName<StoredKey>;
  /** Kept as it goes: to sum everything up at each write would take longer with each. */
  #used: number;

  /** Empty, or a copy of what another one holds; the copy shares the images and values, which never change. */
  constructor(store: Layer, capacity: number, from?: LayerContents) {
    this.store = store;
    this.capacity = capacity;
    this.#images = new ByName(from === undefined ? undefined : from.#images);
    this.#keys = new ByName(from === undefined ? undefined : from.#keys);
    this.#used = from === undefined ? 0 : from.#used;
  }

  get images(): Named<StoredImage> {
    return this.#images;
  }

  get keys(): Named<StoredKey> {
    return this.#keys;
  }

  get used(): number {
    return this.#used;
  }

  get isEmpty(): boolean {
    return this.#images.size + this.#keys.size === 0;
  }

  /** Bytes that an image may take together with its tag, what it replaces being counted as free. Below 0 in a layer that is too full. */
  roomForImage(tag: string): number {
    return this.capacity - this.#used + sizeOfImage(this.#images.get(tag));
  }

  /** Makes or replaces. Throws `NO_SPACE` when it doesn't fit, as `putKey` does, and then changes nothing. */
  putImage(image: StoredImage): void {
    this.#take(sizeOfImage(image), sizeOfImage(this.#images.get(image.tag)));
    this.#images.set(image.tag, image);
  }

  putKey(key: StoredKey): void {
    this.#take(sizeOfKey(key), sizeOfKey(this.#keys.get(key.key)));
    this.#keys.set(key.key, key);
  }

  deleteImage(tag: string): void {
    this.#used -= sizeOfImage(this.#images.get(tag));
    this.#images.delete(tag);
  }

  deleteKey(key: string): void {
    this.#used -= sizeOfKey(this.#keys.get(key));
    this.#keys.delete(key);
  }

  #take(bytes: number, replaced: number): void {
    checkRoom(this.store, bytes, this.capacity - this.#used + replaced);
    this.#used += bytes - replaced;
  }
}

/** Throws `NO_SPACE` when there is less room in a layer than something needs, both in bytes. */
export function checkRoom(store: Layer, bytes: number, room: number): void {
  const free = Math.max(0, room);
  if (bytes > free)
    throw new Refusal("NO_SPACE", `the layer ${store} has room for ${free} bytes, not for ${bytes}`, { store, free });
}

function sizeOfImage(image: StoredImage | undefined): number {
  return image === undefined ? 0 : utf8Length(image.tag) + image.bytes.length;
}

function sizeOfKey(key: StoredKey | undefined): number {
  return key === undefined ? 0 : utf8Length(key.key) + key.size;
}
