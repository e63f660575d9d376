/** What a dock holds: three layers, their lookup order, tokens. Knows no bytes of any line. */
import { createHash, randomBytes } from "node:crypto";
import { encodeBody, type ImageType, type KvValue, LAYERS, type Layer, utf8Length } from "../protocol/index.js";

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

/** What a kind of firmware can do. */
export interface Profile {
  readonly features: readonly string[];
  readonly stores: readonly Layer[];
}

/** `preview` is what the vendor documents today: factory data only, no layer can be named. `full` has all three. */
export const PROFILES = {
  preview: { features: [], stores: ["factory"] },
  full: { features: ["stores", "log"], stores: ["factory", "runtime", "ephemeral"] },
} as const satisfies Record<string, Profile>;
export type ProfileName = keyof typeof PROFILES;

/** Bytes that each layer holds: 13, 13 and 128 MB, as the vendor says. */
const CAPACITIES: Readonly<Record<Layer, number>> = { factory: 13_000_000, runtime: 13_000_000, ephemeral: 128_000_000 };

export class DockModel {
  readonly profile: Profile;
  /** The dock's label. */
  readonly name: string;
  /** 64 hexadecimal digits, unique per dock. */
  readonly id: string;
  readonly bootId: Uint8Array = randomBytes(8);
  readonly #images = new Map<Layer, Map<string, StoredImage>>();
  readonly #keys = new Map<Layer, Map<string, StoredKey>>();
  readonly #generations = new Map<Layer, number>();
  readonly #tokens = new Map<string, StoredImage>();

  constructor(profile: Profile, name: string) {
    this.profile = profile;
    this.name = name;
    this.id = createHash("sha256").update(`dl7450 mock dock ${name}`).digest("hex");
    for (const layer of profile.stores) {
      this.#images.set(layer, new Map());
      this.#keys.set(layer, new Map());
      this.#generations.set(layer, 0);
    }
  }

  /** Puts an image into a layer. Throws a RangeError when it doesn't fit. */
  putImage(store: Layer, tag: string, type: ImageType, bytes: Uint8Array): void {
    const sha256 = createHash("sha256").update(bytes).digest();
    this.#put(store, this.#images, tag, { tag, type, bytes, sha256, store });
  }

  /** Gives a key a value in a layer. Throws a RangeError when it doesn't fit. */
  putKey(store: Layer, key: string, value: KvValue, upd = false): void {
    this.#put(store, this.#keys, key, { key, value, size: encodeBody(value).length, upd, store });
  }

  /** The images of a layer, or those that the lookup order answers with, ordered by the bytes of their tags. */
  images(store?: Layer): StoredImage[] {
    return this.#all(this.#images, store);
  }

  /** As `images`. */
  keys(store?: Layer): StoredKey[] {
    return this.#all(this.#keys, store);
  }

  image(tag: string, store?: Layer): StoredImage | undefined {
    return this.#find(this.#images, tag, store);
  }

  key(key: string, store?: Layer): StoredKey | undefined {
    return this.#find(this.#keys, key, store);
  }

  /** A token for an image, good until the dock restarts. */
  tokenFor(image: StoredImage): Uint8Array {
    const token = createHash("sha256")
      .update(this.bootId)
      .update(image.store)
      .update("\0")
      .update(image.tag)
      .update(image.sha256)
      .digest();
    const short = token.subarray(0, 16);
    this.#tokens.set(short.toString("hex"), image);
    return short;
  }

  imageOfToken(token: Uint8Array): StoredImage | undefined {
    return this.#tokens.get(Buffer.from(token).toString("hex"));
  }

  /** The sum of the generations of a layer, or of all (SPEC §7.3). */
  generation(store?: Layer): number {
    const layers = store === undefined ? this.profile.stores : [store];
    return layers.reduce((sum, layer) => sum + (this.#generations.get(layer) ?? 0), 0);
  }

  capacity(store: Layer): number {
    return CAPACITIES[store];
  }

  /** Bytes that images, values and their names take in a layer. */
  used(store: Layer): number {
    const images = [...(this.#images.get(store)?.values() ?? [])].map(({ tag, bytes }) => utf8Length(tag) + bytes.length);
    const keys = [...(this.#keys.get(store)?.values() ?? [])].map(({ key, size }) => utf8Length(key) + size);
    return [...images, ...keys].reduce((sum, size) => sum + size, 0);
  }

  #put<T>(store: Layer, layers: Map<Layer, Map<string, T>>, name: string, thing: T): void {
    const layer = layers.get(store);
    if (layer === undefined) throw new RangeError(`this dock has no layer ${store}`);
    const before = layer.get(name);
    layer.set(name, thing);
    if (this.used(store) > this.capacity(store)) {
      if (before === undefined) layer.delete(name);
      else layer.set(name, before);
      throw new RangeError(`${name} doesn't fit into the layer ${store}`);
    }
    this.#generations.set(store, (this.#generations.get(store) ?? 0) + 1);
  }

  #find<T>(layers: Map<Layer, Map<string, T>>, name: string, store: Layer | undefined): T | undefined {
    const order = store === undefined ? LAYERS : [store];
    for (const layer of order) {
      const thing = layers.get(layer)?.get(name);
      if (thing !== undefined) return thing;
    }
    return undefined;
  }

  #all<T>(layers: Map<Layer, Map<string, T>>, store: Layer | undefined): T[] {
    const order = store === undefined ? LAYERS : [store];
    const found = new Map<string, T>();
    for (const layer of order) {
      for (const [name, thing] of layers.get(layer) ?? []) if (!found.has(name)) found.set(name, thing);
    }
    return [...found].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))).map(([, thing]) => thing);
  }
}
