import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBody, encodeBody } from "./codec.js";
import { type Item, isArray } from "./item.js";
import { BODY_DEPTH } from "./limits.js";

/** Any characters that UTF-8 can have. */
const characters = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff })), { maxLength: 80 })
  .map((codes) => String.fromCodePoint(...codes));
const text = fc.oneof(characters, fc.constantFrom("", "\ufeff", "__proto__", "\0", "ß".repeat(200)));
const scalar: fc.Arbitrary<Item> = fc.oneof(
  fc.constantFrom(null, true, false),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, -24, -25, -(2 ** 32) - 1, 2 ** 53, -(2 ** 53)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.double(),
  text,
  fc.uint8Array({ maxLength: 300 }),
);
const item: fc.Arbitrary<Item> = fc.letrec<{ item: Item }>((tie) => ({
  item: fc.oneof({ maxDepth: 5, withCrossShrink: true }, scalar, fc.array(tie("item"), { maxLength: 30 }), mapOf(tie("item"))),
})).item;

function mapOf(values: fc.Arbitrary<Item>): fc.Arbitrary<Item> {
  const key = fc.oneof(text, fc.constantFrom("__proto__", "constructor", "toString", "then"));
  return fc.uniqueArray(fc.tuple(key, values), { selector: ([key]) => key, maxLength: 30 }).map(objectOf);
}

describe("encoding and decoding", () => {
  test("gives back any item", () => {
    fc.assert(
      fc.property(item, (it) => {
        expect(read(encodeBody(it))).toEqual(usual(it));
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([0, 1, 23, 24, 31, 32, 63, 64, 65, 255, 256, 4_096])(
    "gives back %i characters that begin with U+FEFF",
    (length) => {
      for (const rest of ["a", "é", "世", "🎉"]) {
        const it = `\ufeff${rest.repeat(length)}`;
        expect(read(encodeBody(it))).toBe(it);
        expect(read(encodeBody([it, it]))).toEqual([it, it]);
        expect(read(encodeBody({ [it]: 1 }))).toEqual({ [it]: 1 });
      }
    },
  );

  test("keeps a key that is called __proto__ as a key", () => {
    const it = read(bytes("a1695f5f70726f746f5f5fa1616101"));
    expect(it).toEqual(objectOf([["__proto__", { a: 1 }]]));
    expect(Object.getPrototypeOf(it)).toBe(Object.prototype);
    expect(Buffer.from(encodeBody(it)).toString("hex")).toBe("a1695f5f70726f746f5f5fa1616101");
  });

  test.each([
    ["0", 0],
    ["23", 23],
    ["24", 24],
    ["2³² − 1", 2 ** 32 - 1],
    ["2³²", 2 ** 32],
    ["2⁵³ − 1", 2 ** 53 - 1],
    ["2⁵³", 2n ** 53n],
    ["2⁶³ − 1", 2n ** 63n - 1n],
    ["−1", -1],
    ["−24", -24],
    ["−25", -25],
    ["−2³² + 1", -(2 ** 32) + 1],
    ["−2³²", -(2 ** 32)],
    ["−2³² as a bigint", -(2n ** 32n)],
    ["−2³² − 1", -(2 ** 32) - 1],
    ["−2⁵³ + 1", -(2 ** 53) + 1],
    ["−2⁵³", -(2n ** 53n)],
    ["−2⁶³", -(2n ** 63n)],
    ["7 as a bigint", 7n],
  ] as const)("writes the integer %s in its shortest form", (_, integer) => {
    const [head = 0] = encodeBody(integer);
    expect(head >> 5).toBe(integer < 0 ? 1 : 0);
    expect(read(encodeBody(integer))).toBe(usual(integer));
  });

  test.each([0.5, -1.5, Number.NaN, Infinity, -Infinity, 1e300, 5e-324])("writes the float %d with 64 bits", (float) => {
    expect(encodeBody(float)[0]).toBe(0xfb);
    expect(read(encodeBody(float))).toBe(float);
  });

  test("shares byte strings with the body instead of copying them", () => {
    const body = bytes("43010203");
    const decoded = decodeBody(body);
    const it = decoded.kind === "item" ? decoded.item : undefined;
    expect(it instanceof Uint8Array && it.buffer === body.buffer).toBe(true);
  });
});

describe("a body is rejected that breaks SPEC §1.3 by", () => {
  test.each([
    { rule: "nothing", body: "", why: "cut off" },
    { rule: "an indefinite array", body: "9f01ff", why: "indefinite" },
    { rule: "an indefinite map", body: "bf616101ff", why: "indefinite" },
    { rule: "indefinite text", body: "7f6161ff", why: "indefinite" },
    { rule: "indefinite bytes", body: "5f4101ff", why: "indefinite" },
    { rule: "a break", body: "ff", why: "simple" },
    { rule: "an integer in 1 byte that fits into none", body: "1817", why: "longer than" },
    { rule: "an integer in 2 bytes that fits into 1", body: "1900ff", why: "longer than" },
    { rule: "an integer in 4 bytes that fits into 2", body: "1a0000ffff", why: "longer than" },
    { rule: "an integer in 8 bytes that fits into 4", body: "1b00000000ffffffff", why: "longer than" },
    { rule: "a negative integer that is too long", body: "3817", why: "longer than" },
    { rule: "a length that is too long", body: "580161", why: "longer than" },
    { rule: "a length of text that is too long", body: "780161", why: "longer than" },
    { rule: "a count that is too long", body: "980101", why: "longer than" },
    { rule: "a count of a map that is too long", body: "b801616101", why: "longer than" },
    { rule: "text that isn't UTF-8", body: "62c328", why: "UTF-8" },
    { rule: "text with a surrogate", body: "63eda080", why: "UTF-8" },
    { rule: "text that is longer than it needs to be in UTF-8", body: "62c0af", why: "UTF-8" },
    { rule: "a key that isn't UTF-8", body: "a161ff01", why: "UTF-8" },
    { rule: "the same key twice", body: "a2616101616102", why: "twice" },
    { rule: "the same key twice further in", body: "81a3616101616202616103", why: "twice" },
    { rule: "an integer as a key", body: "a10102", why: "isn't text" },
    { rule: "bytes as a key", body: "a1416102", why: "isn't text" },
    { rule: "a tag", body: "c001", why: "tag" },
    { rule: "a tag of typed arrays", body: "d8404101", why: "tag" },
    { rule: "a bignum", body: "c249010000000000000000", why: "tag" },
    { rule: "undefined", body: "f7", why: "simple" },
    { rule: "another simple value", body: "e0", why: "simple" },
    { rule: "a simple value in two bytes", body: "f8ff", why: "simple" },
    { rule: "false in two bytes", body: "f814", why: "simple" },
    { rule: "an integer of 2⁶³", body: "1b8000000000000000", why: "64 bits" },
    { rule: "an integer of −2⁶³ − 1", body: "3b8000000000000000", why: "64 bits" },
    { rule: "a reserved length", body: "1c", why: "indefinite" },
    { rule: "something after the item", body: "0101", why: "after" },
    { rule: "the end in an integer", body: "19ff", why: "cut off" },
    { rule: "the end in bytes", body: "4201", why: "cut off" },
    { rule: "the end in text", body: "6261", why: "cut off" },
    { rule: "the end in an array", body: "8201", why: "cut off" },
    { rule: "the end in a map", body: "a16161", why: "cut off" },
    { rule: "the end in a float", body: "fb0000", why: "cut off" },
    { rule: "a claim of 2⁶⁴ − 1 items", body: "9bffffffffffffffff", why: "cut off" },
    { rule: "a claim of 2³² pairs", body: "bb0000000100000000", why: "cut off" },
    { rule: "a claim of 2⁶⁴ − 1 bytes", body: "5bffffffffffffffff", why: "cut off" },
    { rule: "a claim of 2⁶³ characters", body: "7b8000000000000000", why: "cut off" },
  ])("$rule", ({ body, why }) => {
    const decoded = decodeBody(bytes(body));
    expect(decoded).toMatchObject({ kind: "malformed", why: expect.stringContaining(why) });
  });

  test.each([BODY_DEPTH + 1, 1_000, 8_000])("arrays or maps nested %i deep", (depth) => {
    expect(decodeBody(bytes(`${"81".repeat(depth)}01`))).toEqual({ kind: "malformed", why: "nested too deep" });
    expect(decodeBody(bytes(`${"a16161".repeat(depth)}01`))).toEqual({ kind: "malformed", why: "nested too deep" });
    expect(decodeBody(bytes(`${"81".repeat(depth - 1)}80`))).toEqual({ kind: "malformed", why: "nested too deep" });
  });
});

describe("a body is accepted", () => {
  test.each([
    { rule: "with a float of 16 bits", body: "f93e00", item: 1.5 },
    { rule: "with a float of 32 bits", body: "fa3fc00000", item: 1.5 },
    { rule: "with a float of 64 bits", body: "fb3ff8000000000000", item: 1.5 },
    { rule: "with an integer of 2⁶³ − 1", body: "1b7fffffffffffffff", item: 2n ** 63n - 1n },
    { rule: "with an integer of −2⁶³", body: "3b7fffffffffffffff", item: -(2n ** 63n) },
    { rule: "with keys in any order", body: "a2616201616102", item: { b: 1, a: 2 } },
    { rule: "with an empty key", body: "a16001", item: { "": 1 } },
    { rule: "with text of U+0000", body: "6100", item: "\0" },
  ])("$rule", ({ body, item }) => {
    expect(read(bytes(body))).toEqual(item);
  });

  test(`with arrays or maps nested ${BODY_DEPTH} deep`, () => {
    expect(decodeBody(bytes(`${"81".repeat(BODY_DEPTH)}01`)).kind).toBe("item");
    expect(decodeBody(bytes(`${"a16161".repeat(BODY_DEPTH)}01`)).kind).toBe("item");
  });
});

describe("any bytes", () => {
  test("give an item that encoding gives again, or are malformed; nothing is thrown", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (body) => {
        const decoded = decodeBody(Uint8Array.from(body));
        if (decoded.kind === "item") expect(read(encodeBody(decoded.item))).toEqual(usual(decoded.item));
      }),
      { numRuns: 2_000 },
    );
  });

  test("that were a body before one byte was changed do as well", () => {
    const changed = fc.tuple(item.map(encodeBody), fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(changed, ([body, at, byte]) => {
        const broken = Uint8Array.from(body);
        broken[at % broken.length] = byte;
        const decoded = decodeBody(broken);
        if (decoded.kind === "item") expect(read(encodeBody(decoded.item))).toEqual(usual(decoded.item));
      }),
      { numRuns: 500 },
    );
  });
});

/** The item that a body must have. */
function read(body: Uint8Array): Item {
  const decoded = decodeBody(body);
  if (decoded.kind === "malformed") throw new Error(`${Buffer.from(body).toString("hex")} is malformed: ${decoded.why}`);
  return usual(decoded.item);
}

/** The form in which items can be compared: bigints only where they are needed, no −0, no Buffer. */
function usual(it: Item): Item {
  if (it instanceof Uint8Array) return Uint8Array.from(it);
  if (typeof it === "bigint") return Number.isSafeInteger(Number(it)) ? Number(it) : it;
  if (typeof it === "number") return it === 0 ? 0 : it;
  if (typeof it !== "object" || it === null) return it;
  if (isArray(it)) return it.map(usual);
  return objectOf(Object.entries(it).map(([key, value]) => [key, usual(value)]));
}

/** An object with any keys, `__proto__` as well. */
function objectOf(entries: readonly (readonly [string, Item])[]): Item {
  const object: { [key: string]: Item } = {};
  for (const [key, value] of entries) {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return object;
}

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}
