/** What a dock answers: from params to result, and what the streams of images begin with. */
import { createHash } from "node:crypto";
import * as v from "valibot";
import {
  crc32,
  encodeBody,
  type Item,
  isOperation,
  type Layer,
  type Limits,
  type Operation,
  operations,
  type Params,
  utf8Length,
} from "../protocol/index.js";
import type { DockModel, StoredImage } from "./dock.js";
import { Refusal } from "./refusal.js";
import type { Download } from "./stream.js";

export interface Context {
  readonly dock: DockModel;
  readonly limits: Limits;
  /** The host's body limit, in bytes. */
  readonly maxBody: number;
  readonly model: string;
  readonly uptimeMs: number;
}

/** The result of an operation, or a `Refusal`. */
export function answer(op: string, params: unknown, context: Context): Record<string, Item> {
  if (!isOperation(op)) throw new Refusal("UNSUPPORTED", "no such operation");
  switch (op) {
    case "dock.info":
      checked(op, params);
      return info(context);
    case "kv.list": {
      const { store, cursor } = checked(op, params);
      const { dock } = context;
      const entries = dock.keys(layerAsked(dock, store)).map((it) => [it.key, it.store, it.size, it.upd] as const);
      return page(entries, dock.generation(store), cursor, context.limits.pageBytes);
    }
    case "kv.get":
      return keyAsked(checked(op, params), context);
    case "image.list": {
      const { store, cursor } = checked(op, params);
      const { dock } = context;
      const images = dock.images(layerAsked(dock, store));
      const entries = images.map((it) => [it.tag, it.type, it.bytes.length, it.store, it.sha256] as const);
      return page(entries, dock.generation(store), cursor, context.limits.pageBytes);
    }
    case "image.token": {
      const { tag, store } = checked(op, params);
      const image = findImage(context.dock, context.limits, tag, store);
      if (image === undefined) throw new Refusal("NOT_FOUND", "no image of that tag");
      return { token: context.dock.tokenFor(image), store: image.store };
    }
    case "image.delete": {
      const { tag, store, txn } = checked(op, params);
      layerToWrite(context.dock, store);
      checkLength("tag", tag, context.limits.tagBytes);
      return { ...context.dock.deleteImage(store, tag, txn) };
    }
    case "kv.set": {
      const { key, value, store, txn } = checked(op, params);
      layerToWrite(context.dock, store);
      checkLength("key", key, context.limits.keyBytes);
      const limit = context.limits.valueBytes;
      if (encodeBody(value).length > limit) throw new Refusal("TOO_LARGE", `a value has at most ${limit} bytes`, { limit });
      return { ...context.dock.setKey(store, key, value, txn) };
    }
    case "kv.delete": {
      const { key, store, txn } = checked(op, params);
      layerToWrite(context.dock, store);
      checkLength("key", key, context.limits.keyBytes);
      return { ...context.dock.deleteKey(store, key, txn) };
    }
    default:
      return answerFeature(op, params, context.dock);
  }
}

/** What a dock answers to what not every dock can do. */
function answerFeature(op: Operation, params: unknown, dock: DockModel): Record<string, Item> {
  const { feature } = operations[op];
  if (!dock.profile.features.includes(feature)) throw new Refusal("UNSUPPORTED", `${op} needs the feature ${feature}`);
  switch (op) {
    case "txn.begin": {
      const { store, replace = false } = checked(op, params);
      layerToWrite(dock, store);
      return { txn: dock.begin(store, replace) };
    }
    case "txn.commit":
      return { ...dock.commit(checked(op, params).txn) };
    case "txn.rollback":
      dock.rollback(checked(op, params).txn);
      return {};
    case "dock.restart": // what is left to do, the service does when this is on the line
      checked(op, params);
      return {};
    case "dock.reset":
      checked(op, params);
      dock.reset();
      return {};
    case "code.info":
      checked(op, params);
      return { size: dock.code.length, crc32: crc32(dock.code) };
    default:
      throw new Refusal("UNSUPPORTED", `this dock can't do ${op}`);
  }
}

/** The image that `image.get` asks for. */
export function imageToRead(params: unknown, { dock, limits }: Context): Download {
  const { tag, token, store, from = 0, ifSha256, credit } = checked("image.get", params);
  const image = token === undefined ? findImage(dock, limits, tag ?? "", store) : dock.imageOfToken(token);
  if (image === undefined && token !== undefined) throw new Refusal("STALE", "no such token since the dock has started");
  if (image === undefined) throw new Refusal("NOT_FOUND", "no image of that tag");
  if (ifSha256 !== undefined && Buffer.compare(ifSha256, image.sha256) !== 0)
    throw new Refusal("CHANGED", "the image is another one now");
  if (from > image.bytes.length) throw new Refusal("INVALID", "an offset beyond the end");
  const { type, sha256, bytes } = image;
  const named = token === undefined ? { tag: image.tag } : {};
  const head = { ...named, type, size: bytes.length, store: image.store, generation: dock.generation(image.store), sha256 };
  const sha256Read = (): Uint8Array => (from === 0 ? sha256 : createHash("sha256").update(bytes.subarray(from)).digest());
  return { bytes, head, from, credit, result: () => ({ size: bytes.length, sha256: sha256Read() }) };
}

/** The image that `image.put` announces. */
export function imageToWrite(params: unknown, { dock, limits }: Context): Params<"image.put"> {
  const asked = checked("image.put", params);
  layerToWrite(dock, asked.store);
  checkLength("tag", asked.tag, limits.tagBytes);
  return asked;
}

function layerToWrite({ profile }: DockModel, store: Layer): void {
  if (!profile.features.includes(`write.${store}`))
    throw new Refusal("UNSUPPORTED", `this dock's layer ${store} can't be written`);
}

/** An image by its tag, where the dock can look for it. */
function findImage(dock: DockModel, limits: Limits, tag: string, store: Layer | undefined): StoredImage | undefined {
  const layer = layerAsked(dock, store);
  checkLength("tag", tag, limits.tagBytes);
  return dock.image(tag, layer);
}

function info({ dock, model, uptimeMs }: Context): Record<string, Item> {
  const { id, name, bootId, profile } = dock;
  const stores = profile.stores.map((store) => ({ store, capacity: dock.capacity(store), used: dock.used(store) }));
  return { id, model, name, firmware: "mock", sdk: "", bootId, uptimeMs, features: [...profile.features], stores };
}

function keyAsked({ key, store }: { key: string; store?: Layer }, { dock, limits, maxBody }: Context): Record<string, Item> {
  const layer = layerAsked(dock, store);
  checkLength("key", key, limits.keyBytes);
  const found = dock.key(key, layer);
  if (found === undefined) return { found: false };
  const limit = Math.min(limits.valueBytes, maxBody - VALUE_ROOM);
  if (found.size > limit) throw new Refusal("TOO_LARGE", "the value doesn't fit into a frame", { limit });
  return { found: true, value: found.value, store: found.store, upd: found.upd };
}

/** What the answer to `kv.get` needs besides the value, in bytes (SPEC §7.1). */
const VALUE_ROOM = 128;

/** The params of an operation. Throws a `Refusal` when they aren't. */
export function checked<Op extends Operation>(op: Op, params: unknown): v.InferOutput<(typeof operations)[Op]["params"]> {
  const schema: v.GenericSchema<unknown, v.InferOutput<(typeof operations)[Op]["params"]>> = operations[op].params;
  const parsed = v.safeParse(schema, params);
  if (!parsed.success) throw new Refusal("MALFORMED", `params of another shape than ${op} has`);
  return parsed.output;
}

function layerAsked(dock: DockModel, store: Layer | undefined): Layer | undefined {
  if (store === undefined) return undefined;
  if (!dock.profile.features.includes("stores")) throw new Refusal("UNSUPPORTED", "this dock's layers can't be named");
  if (!dock.profile.stores.includes(store)) throw new Refusal("UNSUPPORTED", `this dock has no layer ${store}`);
  return store;
}

function checkLength(what: string, name: string, limit: number): void {
  if (utf8Length(name) > limit) throw new Refusal("TOO_LARGE", `a ${what} has at most ${limit} bytes`, { limit });
}

/** One page of a list. The cursor says how the layers were and which name came last. */
function page<Entry extends readonly [string, ...Item[]]>(
  entries: readonly Entry[],
  generation: number,
  cursor: Uint8Array | undefined,
  pageBytes: number,
): Record<string, Item> {
  let first = 0;
  if (cursor !== undefined) {
    const [then, last] = readCursor(cursor);
    if (then !== generation) throw new Refusal("STALE", "the list has changed; begin again");
    first = entries.findIndex(([name]) => Buffer.compare(Buffer.from(name), last) > 0);
    if (first < 0) first = entries.length;
  }
  const taken: Entry[] = [];
  let bytes = 0;
  for (const entry of entries.slice(first)) {
    bytes += encodeBody([...entry]).length;
    if (taken.length > 0 && bytes > pageBytes) break;
    taken.push(entry);
  }
  const last = taken.at(-1);
  const more = last !== undefined && first + taken.length < entries.length;
  const next = more ? { cursor: makeCursor(generation, last[0]) } : {};
  return { entries: taken.map((entry) => [...entry]), generation, ...next };
}

function makeCursor(generation: number, last: string): Uint8Array {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(generation);
  return Buffer.concat([head, Buffer.from(last)]);
}

function readCursor(cursor: Uint8Array): [generation: number, last: Uint8Array] {
  if (cursor.length < 4) throw new Refusal("STALE", "a cursor that this dock didn't give");
  return [Buffer.from(cursor).readUInt32LE(), cursor.subarray(4)];
}
