/** What a host can ask of a dock: the one table of SPEC §7, from which the types, the checks and the dispatch come. */
import * as v from "valibot";
import { bytesOfLength, eightBytes, features, imageType, layer, name, sha256, text, uint32, uint53, value } from "./fields.js";
import type { Limits } from "./limits.js";

const nothing = v.object({});
const absent = v.exactOptional(v.never());
const generation = uint32;
const cursor = bytesOfLength(1, 192);
const token = bytesOfLength(1, 64);
const store = v.exactOptional(layer);
const txn = v.exactOptional(uint32);
const listing = { store, cursor: v.exactOptional(cursor) };

const imageGetParams = v.pipe(
  v.object({
    tag: v.exactOptional(name),
    token: v.exactOptional(token),
    store,
    from: v.exactOptional(uint32),
    ifSha256: v.exactOptional(sha256),
    credit: uint32,
  }),
  v.check((it) => (it.tag === undefined) !== (it.token === undefined), "not one of tag and token"),
  v.check((it) => it.token === undefined || it.store === undefined, "a store with a token"),
  v.check((it) => it.credit >= (it.from ?? 0), "credit below from"),
);

/** What an image is, before its bytes come (SPEC §7.5). */
export const imageHead = v.object({
  tag: v.exactOptional(name),
  type: imageType,
  size: uint32,
  store: layer,
  generation,
  sha256: v.exactOptional(sha256),
});
export type ImageHead = v.InferOutput<typeof imageHead>;

const keyEntry = v.strictTuple([name, layer, uint32, v.boolean()]);
const imageEntry = v.union([
  v.strictTuple([name, imageType, uint32, layer, sha256]),
  v.strictTuple([name, imageType, uint32, layer]),
]);
const written = v.object({ generation });
const removed = v.object({ generation, existed: v.boolean() });

/** The largest answer that is neither a value nor a page, in bytes (SPEC §7.1). */
const SMALL_ANSWER = 1_024;
const small = (): number => SMALL_ANSWER;

/**
 * Each operation: the schemas of its params and its result, the feature that it needs (`write` stands for that of the layer
 * written to), how its bytes go when it moves an image, and the size of its largest answer in bytes.
 */
export const operations = {
  "dock.info": {
    params: nothing,
    result: v.object({
      id: text(1, 64),
      model: text(0, 32),
      name: text(0, 64),
      firmware: text(0, 32),
      sdk: text(0, 32),
      bootId: eightBytes,
      uptimeMs: uint53,
      features,
      stores: v.pipe(v.array(v.object({ store: layer, capacity: uint32, used: uint32 })), v.minLength(1), v.maxLength(3)),
    }),
    feature: "",
    answer: small,
  },
  "dock.restart": { params: nothing, result: nothing, feature: "restart", answer: small },
  "dock.reset": { params: nothing, result: nothing, feature: "reset", answer: small },
  "kv.list": {
    params: v.object(listing),
    result: v.object({ entries: v.array(keyEntry), generation, cursor: v.exactOptional(cursor) }),
    feature: "",
    answer: (limits: Limits) => limits.pageBytes + 320,
  },
  "kv.get": {
    params: v.object({ key: name, store }),
    result: v.variant("found", [
      v.object({ found: v.literal(false), value: absent, store: absent, upd: absent }),
      v.object({ found: v.literal(true), value, store: layer, upd: v.boolean() }),
    ]),
    feature: "",
    answer: (limits: Limits) => limits.valueBytes + 128,
  },
  "kv.set": { params: v.object({ key: name, value, store: layer, txn }), result: written, feature: "write", answer: small },
  "kv.delete": { params: v.object({ key: name, store: layer, txn }), result: removed, feature: "write", answer: small },
  "image.list": {
    params: v.object(listing),
    result: v.object({ entries: v.array(imageEntry), generation, cursor: v.exactOptional(cursor) }),
    feature: "",
    answer: (limits: Limits) => limits.pageBytes + 320,
  },
  "image.get": { params: imageGetParams, result: v.object({ size: uint32, sha256 }), feature: "", answer: small },
  "image.token": {
    params: v.object({ tag: name, store }),
    result: v.object({ token, store: layer }),
    feature: "",
    answer: small,
  },
  "image.put": {
    params: v.object({ tag: name, type: imageType, size: uint32, sha256, store: layer, txn }),
    result: removed,
    feature: "write",
    answer: small,
  },
  "image.delete": { params: v.object({ tag: name, store: layer, txn }), result: removed, feature: "write", answer: small },
  "txn.begin": {
    params: v.object({ store: layer, replace: v.exactOptional(v.boolean()) }),
    result: v.object({ txn: uint32 }),
    feature: "txn",
    answer: small,
  },
  "txn.commit": { params: v.object({ txn: uint32 }), result: written, feature: "txn", answer: small },
  "txn.rollback": { params: v.object({ txn: uint32 }), result: nothing, feature: "txn", answer: small },
  "code.info": { params: nothing, result: v.object({ size: uint32, crc32: uint32 }), feature: "code", answer: small },
} as const;

export type Operation = keyof typeof operations;
/** What an operation is asked with. */
export type Params<Op extends Operation> = v.InferOutput<(typeof operations)[Op]["params"]>;
/** What an operation answers. */
export type Result<Op extends Operation> = v.InferOutput<(typeof operations)[Op]["result"]>;

export function isOperation(op: string): op is Operation {
  return Object.hasOwn(operations, op);
}

/** Those that change something on the dock: each is carried out once, however often it arrives (SPEC §4.3). */
const CHANGING: ReadonlySet<string> = new Set<Operation>([
  "dock.restart",
  "dock.reset",
  "kv.set",
  "kv.delete",
  "image.put",
  "image.delete",
  "txn.begin",
  "txn.commit",
  "txn.rollback",
]);

/** Whether an operation changes something on the dock. */
export function changes(op: string): boolean {
  return CHANGING.has(op);
}
