/** What a layer holds, as far as it takes to tell it from another: values, and images by their SHA-256. */
import { createHash } from "node:crypto";
import type { ImageType, KvValue, Layer } from "../protocol/index.js";
import { atOnce } from "./at-once.js";
import type { Dock } from "./dock.js";
import { DockError } from "./errors.js";
import type { ImageEntry } from "./image-store.js";
import { checkedType } from "./image-type.js";
import type { CallOptions } from "./session.js";
import { openSource, type SourceOptions } from "./source.js";

export interface ImageContent {
  readonly type: ImageType;
  /** Bytes. */
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

interface KeyContent {
  readonly value: KvValue;
  /** Whether the value is unique per dock. */
  readonly upd: boolean;
}

export interface Contents {
  readonly images: ReadonlyMap<string, ImageContent>;
  readonly keys: ReadonlyMap<string, KeyContent>;
}

/**
 * What a layer of a dock holds, each image and value as it was when it was asked for. Images move only where the dock doesn't know their
 * SHA-256. Fails as the calls that list and read do, and with `CHANGED` when a key goes meanwhile.
 */
export async function contentsOf(dock: Dock, store: Layer, options: CallOptions = {}): Promise<Contents> {
  // A dock whose layers can't be named answers with the one that it has.
  const where = { ...options, ...(dock.features.includes("stores") ? { store } : {}) };
  const isThere = (entry: { readonly store: Layer }): boolean => entry.store === store;
  const images = async (): Promise<Contents["images"]> => {
    const found = new Map<string, ImageContent>();
    for (const entry of (await dock.images.list(where)).filter(isThere)) {
      found.set(entry.tag, await imageContent(dock, entry, where));
    }
    return found;
  };
  const keys = async (): Promise<Contents["keys"]> => {
    const found = await atOnce((await dock.kv.list(where)).filter(isThere), async ({ key, upd }) => {
      const answer = await dock.kv.find(key, where);
      if (answer !== undefined) return [key, { value: answer.value, upd }] as const;
      throw new DockError({ code: "CHANGED", message: `The layer ${store} changed while it was read.`, retryable: true });
    });
    return new Map(found);
  };
  const [imagesThere, keysThere] = await Promise.all([images(), keys()]);
  return { images: imagesThere, keys: keysThere };
}

/** What an image is that isn't on a dock yet: of the type `said`, or what its bytes say. Fails as `images.put` does with such bytes. */
export async function contentOfImage(
  source: Uint8Array | { readonly file: string },
  said: ImageType | undefined,
  options: SourceOptions = {},
): Promise<ImageContent> {
  await using opened = await openSource(source, options);
  const { head, size, sha256 } = opened;
  return { type: checkedType(head, said), size, sha256: Buffer.from(sha256).toString("hex") };
}

/** What an image in a list is, which moves where the dock doesn't know its SHA-256. */
export async function imageContent(
  dock: Dock,
  { tag, type, size, sha256 }: ImageEntry,
  where: CallOptions & { readonly store?: Layer },
): Promise<ImageContent> {
  if (sha256 !== undefined) return { type, size, sha256 };
  const hash = createHash("sha256");
  const stream = dock.images.stream(tag, where);
  const info = await stream.info();
  for await (const chunk of stream) hash.update(chunk);
  return { type: info.type, size: info.size, sha256: hash.digest("hex") };
}

/** Fails with `UNSUPPORTED` when a dock has no such layer. */
export function requireLayer(dock: Dock, store: Layer): void {
  if (dock.stores.includes(store)) return;
  const message = `This dock has no layer ${store}. It has ${dock.stores.join(", ")}.`;
  throw new DockError({ code: "UNSUPPORTED", message });
}
