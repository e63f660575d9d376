/** What a dock answers to everything but `image.get`, which is a stream: from params to result. */
import * as v from "valibot";
import {
  encodeBody,
  type FailureCode,
  type Item,
  isOperation,
  type Layer,
  type Limits,
  type Operation,
  operations,
  utf8Length,
} from "../protocol/index.js";
import type { DockModel, StoredImage } from "./dock.js";

/** A request that can't be carried out. */
export class Refusal extends Error {
  readonly failure: { readonly code: FailureCode; readonly message: string; readonly limit?: number };

  constructor(code: FailureCode, message: string, limit?: number) {
    super(message);
    this.failure = { code, message, ...(limit === undefined ? {} : { limit }) };
  }
}

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
    default:
      throw new Refusal("UNSUPPORTED", `${op} needs a feature that this dock doesn't have`);
  }
}

/** An image by its tag, where the dock can look for it. */
export function findImage(dock: DockModel, limits: Limits, tag: string, store: Layer | undefined): StoredImage | undefined {
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
  if (found.size > limit) throw new Refusal("TOO_LARGE", "the value doesn't fit into a frame", limit);
  return { found: true, value: found.value, store: found.store, upd: found.upd };
}

/** What the answer to `kv.get` needs besides the value, in bytes (SPEC §7.1). */
const VALUE_ROOM = 128;

function checked<Op extends Operation>(op: Op, params: unknown): v.InferOutput<(typeof operations)[Op]["params"]> {
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
  if (utf8Length(name) > limit) throw new Refusal("TOO_LARGE", `a ${what} has at most ${limit} bytes`, limit);
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
