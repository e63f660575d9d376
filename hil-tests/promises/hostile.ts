/** What a host may say that wishes a dock no good: anything, in any order, with ids and names that meet. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { Random } from "../../mocks/random.js";
import { encodeMessage, type HostMessage, IMAGE_TYPES, type Item, LAYERS, UINT32_MAX } from "../../protocol/index.js";

export type Act =
  /** Bytes as they are. */
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** A frame with a right CRC, whatever its body. */
  | { readonly kind: "frame"; readonly body: Uint8Array }
  /** The line is full, or empty again, or gone. */
  | { readonly kind: "line"; readonly is: "full" | "empty" | "gone" };

/** Stands for the number of the transaction that the dock has opened last. */
export const LAST_TXN = 4_242_424_242;

interface Content {
  readonly bytes: Uint8Array;
  readonly sha256: Uint8Array;
}

type Params = { readonly [key: string]: Item };
type Arbitraries = { readonly [key: string]: fc.Arbitrary<Item> };

const CONTENTS: readonly Content[] = [0, 1, 700, 20_000].map((size) => {
  const bytes = Uint8Array.from(new Random(size).bytes(size));
  return { bytes, sha256: Uint8Array.from(createHash("sha256").update(bytes).digest()) };
});

const id = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 6 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: UINT32_MAX }) },
);
const uint32 = fc.oneof(
  fc.constantFrom(0, 1, 8_192, 49_152, 2 ** 31, UINT32_MAX),
  fc.nat(25_000),
  fc.integer({ min: 0, max: UINT32_MAX }),
);
const name = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom("a", "b", "c") },
  fc.constantFrom("", "\0", "__proto__", "é", "x".repeat(300)),
);
const store = fc.constantFrom(...LAYERS);
const content = fc.constantFrom(...CONTENTS);
const hash = fc.oneof(
  content.map((it) => it.sha256),
  fc.uint8Array({ minLength: 32, maxLength: 32 }),
);
const txn = fc.oneof(fc.constant(LAST_TXN), uint32);
const item: fc.Arbitrary<Item> = fc.letrec<{ item: Item }>((tie) => ({
  item: fc.oneof(
    { maxDepth: 3 },
    ...[fc.string(), fc.integer(), fc.double({ noNaN: true }), fc.boolean(), fc.constant(null), fc.uint8Array(), uint32],
    fc.array(tie("item"), { maxLength: 3 }),
    fc.dictionary(fc.string(), tie("item"), { maxKeys: 3 }),
  ),
})).item;

/** As an honest host would ask, but for its names and numbers. */
const asked: fc.Arbitrary<readonly [op: string, params: Params]> = fc.oneof(
  ...["dock.info", "dock.restart", "dock.reset", "code.info"].map((op) => fc.constant([op, {}] as const)),
  ...["kv.list", "image.list"].map((op) =>
    of(op, record({}, { store, cursor: fc.uint8Array({ minLength: 1, maxLength: 9 }) })),
  ),
  of("kv.get", record({ key: name }, { store })),
  of("kv.set", record({ key: name, value: fc.oneof(item, fc.constant("x".repeat(5_000))), store }, { txn })),
  of("kv.delete", record({ key: name, store }, { txn })),
  of("image.token", record({ tag: name }, { store })),
  of("image.delete", record({ tag: name, store }, { txn })),
  of("txn.begin", record({ store }, { replace: fc.boolean() })),
  ...["txn.commit", "txn.rollback"].map((op) => of(op, record({ txn }))),
);
const streams: fc.Arbitrary<readonly [op: string, params: Params]> = fc.oneof(
  of("image.get", record({ tag: name, credit: uint32 }, { store, from: uint32, ifSha256: hash })),
  of("image.get", record({ token: fc.uint8Array({ minLength: 1, maxLength: 64 }), credit: uint32 })),
  of(
    "image.put",
    fc
      .tuple(content, record({ tag: name, store, type: fc.constant("none") }, { txn }))
      .map(([{ bytes, sha256 }, it]) => ({ ...it, size: bytes.length, sha256 })),
  ),
  of("image.put", record({ tag: name, store, type: fc.constantFrom(...IMAGE_TYPES), size: uint32, sha256: hash }, { txn })),
);
const nonsense = fc.tuple(
  fc.oneof(
    fc.string(),
    asked.map(([op]) => op),
    streams.map(([op]) => op),
  ),
  fc.dictionary(fc.constantFrom("tag", "key", "store", "value", "size", "from", "credit", "txn", "cursor"), item),
);

/** Of a content that may have been announced: where it belongs, most often. */
const data: fc.Arbitrary<HostMessage> = fc
  .record({
    id,
    content,
    from: uint32,
    length: fc.integer({ min: 1, max: 8_192 }),
    shift: fc.constantFrom(0, 0, 0, 1, 8_192),
    bad: fc.boolean(),
  })
  .map(({ id, content: { bytes }, from, length, shift, bad }) => {
    const at = bytes.length === 0 ? 0 : (Math.floor(from / 8_192) * 8_192) % bytes.length;
    const piece = Uint8Array.from(bytes.length === 0 ? [0] : bytes.subarray(at, at + Math.max(length, bad ? 1 : 8_192)));
    if (bad) piece[0] = (piece[0] ?? 0) ^ 1;
    return { type: "hostData", id, offset: at + shift, bytes: piece };
  });
const range = fc.tuple(uint32, uint32).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
const eight = fc.integer({ min: 1, max: 3 }).map((byte) => new Uint8Array(8).fill(byte));
const hello = fc.record(
  {
    nonce: eight,
    versions: fc.constantFrom<number[]>([1], [1], [2], [9, 1]),
    maxBody: fc.constantFrom(512, 8_256, 65_536),
    software: fc.constant("nobody"),
    session: eight,
  },
  { requiredKeys: ["nonce", "versions", "maxBody", "software"] },
);

/** Messages that a host can say, if not in this state. */
const message: fc.Arbitrary<HostMessage> = fc.oneof(
  { weight: 2, arbitrary: hello.map((it): HostMessage => ({ type: "hello", hello: it })) },
  {
    weight: 12,
    arbitrary: fc
      .tuple(id, fc.oneof({ weight: 4, arbitrary: asked }, { weight: 5, arbitrary: streams }, nonsense))
      .map(([it, [op, params]]): HostMessage => ({ type: "request", id: it, op, params })),
  },
  { weight: 10, arbitrary: data },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("hostCredit"), id, limit: uint32 }) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(id, range, uint32)
      .map(([it, at, limit]): HostMessage => ({ type: "hostResend", id: it, ...at, limit })),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("cancel"), id }) },
);

/** The body of a message, now and then with a byte that is another, or without its end. */
const body = fc
  .tuple(message.map(encodeMessage), fc.nat(19), fc.nat(), fc.nat(255))
  .map(([bytes, how, at, byte]) => {
    if (how === 0) return bytes.subarray(0, at % bytes.length);
    return how === 1 ? bytes.map((it, i) => (i === at % Math.min(bytes.length, 40) ? byte : it)) : bytes;
  })
  .filter((bytes) => bytes.length > 0);

export const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 40, arbitrary: body.map((it): Act => ({ kind: "frame", body: it })) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 60 }).map((it): Act => ({ kind: "frame", body: it })) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes): Act => ({ kind: "bytes", bytes })) },
  { weight: 2, arbitrary: fc.constantFrom("full", "empty", "empty", "gone").map((is): Act => ({ kind: "line", is })) },
);

function of(op: string, params: fc.Arbitrary<Params>): fc.Arbitrary<readonly [op: string, params: Params]> {
  return params.map((it) => [op, it] as const);
}

/** Params whose second part may be absent, key by key. */
function record(must: Arbitraries, may: Arbitraries = {}): fc.Arbitrary<Params> {
  return fc.record<Params>({ ...must, ...may }, { requiredKeys: Object.keys(must) });
}
