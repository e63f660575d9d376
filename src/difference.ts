/** How what a layer holds differs from what it should hold, and how it comes to hold that: by what differs alone. */
import { type KvValue, type Layer, utf8Length } from "../protocol/index.js";
import { atOnce } from "./at-once.js";
import type { Contents, ImageContent } from "./contents.js";
import type { Dock } from "./dock.js";
import { DockError } from "./errors.js";
import { encodedSize, sameValue } from "./kv-value.js";
import { checkName, type WriteOptions } from "./layers.js";
import type { CallOptions } from "./session.js";
import type { ImageSource } from "./source.js";
import type { Transaction } from "./transaction.js";
import { quoted } from "./visible.js";
import { checkValueSize } from "./writing.js";

/** One name whose image or value isn't what it should be: `is` absent when there is none, `wanted` when there should be none. */
export type Difference =
  | { readonly kind: "image"; readonly name: string; readonly is?: ImageContent; readonly wanted?: ImageContent }
  | { readonly kind: "key"; readonly name: string; readonly is?: KvValue; readonly wanted?: KvValue };

/** What is different in a layer, seen from the dock: `wanted` is what it should hold. */
export interface LayerDifference {
  readonly store: Layer;
  readonly differences: readonly Difference[];
}

/** The differences, images first, each kind ordered by the bytes of its names. Whether a value is unique per dock makes none. */
export function differences(is: Contents, wanted: Contents): Difference[] {
  const found: Difference[] = [];
  for (const name of namesOf(is.images, wanted.images)) {
    const [a, b] = [is.images.get(name), wanted.images.get(name)];
    if (a === undefined || b === undefined || !sameImage(a, b)) found.push({ kind: "image", name, ...both(a, b) });
  }
  for (const name of namesOf(is.keys, wanted.keys)) {
    const [a, b] = [is.keys.get(name), wanted.keys.get(name)];
    if (a === undefined || b === undefined || !sameValue(a.value, b.value)) {
      found.push({ kind: "key", name, ...both(a?.value, b?.value) });
    }
  }
  return found;
}

/** What `reconcile` needs beside the differences. */
export interface ReconcileOptions extends CallOptions {
  /** For the factory layer, the dock's name: so that no other dock is meant. */
  readonly confirm?: string | undefined;
  /** The bytes of the image that is wanted under a tag. */
  readonly sourceOf: (tag: string) => ImageSource;
  /** Called as bytes of images are sent: how many of all that there are to send. */
  readonly onProgress?: ((progress: { readonly sent: number; readonly size: number }) => void) | undefined;
}

/**
 * Makes a layer hold what is wanted, in one transaction, or one by one on a dock that knows no transactions; nothing is sent where there are no differences.
 * Fails as a transaction does, and with `SOURCE` when the bytes of an image aren't those that were wanted; nothing is changed then by a transaction.
 */
export async function reconcile(
  dock: Dock,
  store: Layer,
  found: readonly Difference[],
  { confirm, signal, timeout, sourceOf, onProgress }: ReconcileOptions,
): Promise<void> {
  if (found.length === 0) return;
  const size = bytesToSend(found);
  let before = 0;
  const write = async (to: Writes): Promise<void> => {
    // What goes makes room for what comes.
    await atOnce(found, async (it) => it.wanted === undefined && (await to[storeOf(it)].delete(it.name)));
    await atOnce(found, async (it) => {
      if (it.kind === "key" && it.wanted !== undefined) await to.kv.set(it.name, it.wanted);
    });
    for (const it of found) {
      if (it.kind !== "image" || it.wanted === undefined) continue;
      const progress = ({ sent }: { sent: number }): void => onProgress?.({ sent: before + sent, size });
      await putWanted(to, it.name, it.wanted, sourceOf(it.name), progress);
      before += it.wanted.size;
    }
  };
  const options = { confirm, signal, timeout };
  if (dock.features.includes("txn")) await dock.transaction(store, write, options);
  else await write(oneByOne(dock, { ...options, store }));
}

/** What writes to a layer, in a transaction or not. */
type Writes = Pick<Transaction, "kv" | "images">;

function oneByOne({ kv, images }: Dock, all: WriteOptions): Writes {
  return {
    kv: {
      set: (key, value, options) => kv.set(key, value, { ...all, ...options }),
      delete: (key, options) => kv.delete(key, { ...all, ...options }),
    },
    images: {
      put: (tag, source, options) => images.put(tag, source, { ...all, ...options }),
      delete: (tag, options) => images.delete(tag, { ...all, ...options }),
    },
  };
}

/**
 * Fails where `reconcile` would, as far as the dock needn't be asked to: before one layer is written and another can't be. `check` looks at the image
 * that is wanted under a tag.
 */
export async function checkPossible(
  dock: Dock,
  store: Layer,
  found: readonly Difference[],
  {
    confirm,
    check,
    ...options
  }: CallOptions & { readonly confirm?: string | undefined; readonly check: (tag: string) => Promise<unknown> },
): Promise<void> {
  if (found.length === 0) return;
  dock.requireWritable({ store, confirm });
  if (!dock.features.includes("txn")) {
    throw new DockError({
      code: "UNSUPPORTED",
      message: 'This dock can\'t do several writes at once: it lacks the feature "txn".',
    });
  }
  for (const { kind, name, wanted } of found) {
    if (wanted === undefined) continue;
    checkName(kind === "image" ? "tag" : "key", name, dock.limits);
    if (kind === "key") checkValueSize(wanted, dock.limits);
    else await check(name);
  }
  await checkRoom(dock, store, found, options);
}

async function checkRoom(dock: Dock, store: Layer, found: readonly Difference[], options: CallOptions): Promise<void> {
  const { stores } = await dock.info(options);
  const { capacity = 0, used = 0 } = stores.find((it) => it.store === store) ?? {};
  const more = found.reduce((sum, it) => sum + takenBy(it, "wanted") - takenBy(it, "is"), 0);
  const free = capacity - used;
  if (more <= free) return;
  const message = `The layer ${store} has ${free} bytes left, and ${more} more are needed: nothing was written.`;
  throw new DockError({ code: "NO_SPACE", message, details: { free } });
}

/** Bytes that an image or a value takes at least, with its name. */
function takenBy(difference: Difference, side: "is" | "wanted"): number {
  const content = difference[side];
  if (content === undefined) return 0;
  const name = utf8Length(difference.name);
  return difference.kind === "image" ? name + (difference[side]?.size ?? 0) : name + encodedSize(difference[side] ?? null);
}

/** Bytes of images that have to move, unless the dock has them under another tag. */
function bytesToSend(found: readonly Difference[]): number {
  return found.reduce((sum, { kind, wanted }) => (kind === "image" ? sum + (wanted?.size ?? 0) : sum), 0);
}

async function putWanted(
  to: Writes,
  tag: string,
  wanted: ImageContent,
  source: ImageSource,
  onProgress: (progress: { sent: number }) => void,
): Promise<void> {
  const put = await to.images.put(tag, source, { type: wanted.type, onProgress });
  if (put.sha256 === wanted.sha256) return;
  throw new DockError({
    code: "SOURCE",
    message: `The image ${quoted(tag)} has changed while it was looked at: nothing was written.`,
  });
}

function storeOf({ kind }: Difference): "images" | "kv" {
  return kind === "image" ? "images" : "kv";
}

function sameImage(a: ImageContent, b: ImageContent): boolean {
  return a.sha256 === b.sha256 && a.type === b.type && a.size === b.size;
}

function both<T>(is: T | undefined, wanted: T | undefined): { is?: T; wanted?: T } {
  return { ...(is === undefined ? {} : { is }), ...(wanted === undefined ? {} : { wanted }) };
}

function namesOf(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
