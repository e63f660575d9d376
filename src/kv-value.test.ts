import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBody, encodeBody, isKvValue, VALUE_DEPTH } from "../protocol/index.js";
import { DockError } from "./errors.js";
import { encodedSize, kvValue, ownBytes } from "./kv-value.js";

describe("a value", () => {
  test.each<[string, unknown]>([
    ["null", null],
    ["false", false],
    ["a whole number", 7],
    ["a fraction", 0.5],
    ["a number beyond 2^53", 2 ** 60],
    ["no number", Number.NaN],
    ["an infinity", Number.NEGATIVE_INFINITY],
    ["the largest bigint", 2n ** 63n - 1n],
    ["the smallest bigint", -(2n ** 63n)],
    ["empty text", ""],
    ["text of any script", "世界 \u{1f389}\0"],
    ["bytes", Uint8Array.of(0, 255)],
    ["no bytes", new Uint8Array(0)],
    ["an empty array", []],
    ["an array of all kinds", [null, true, 1, 1n, "a", Uint8Array.of(1), [], {}]],
    ["an empty object", {}],
    ["a name that is empty, or no name in JavaScript", { "": 1, "a b": 2, 3: 4 }],
  ])("can be %s", (_, value) => {
    const copy = kvValue(value);
    expect(copy).toStrictEqual(value);
    expect(isKvValue(copy)).toBe(true);
  });

  test("can be an object without prototype, which then is like any other", () => {
    expect(kvValue(Object.assign(Object.create(null), { a: 1 }))).toStrictEqual({ a: 1 });
  });

  test("keeps a key that is called __proto__", () => {
    const copy = kvValue(JSON.parse('{"__proto__": {"a": 1}, "b": 2}'));
    expect(Object.entries(copy ?? {})).toStrictEqual([
      ["__proto__", { a: 1 }],
      ["b", 2],
    ]);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  });

  test("is a copy, which later changes don't reach", () => {
    const bytes = Uint8Array.of(1, 2);
    const value = { list: [1, { deep: true }], bytes };
    const copy = kvValue(value);
    value.list.push(2);
    value.list[1] = 0;
    bytes.fill(9);
    expect(copy).toStrictEqual({ list: [1, { deep: true }], bytes: Uint8Array.of(1, 2) });
  });

  test("has its Buffers as plain Uint8Arrays, with memory of their own", () => {
    const buffer = Buffer.from("a part of a pool");
    const copy = kvValue(buffer);
    expect(copy).toStrictEqual(Uint8Array.from(buffer));
    expect(Object.getPrototypeOf(copy)).toBe(Uint8Array.prototype);
    expect(copy instanceof Uint8Array && copy.buffer).not.toBe(buffer.buffer);
  });

  test("has of an object what is its own, enumerable and named by text", () => {
    const value = Object.defineProperty({ a: 1, [Symbol("b")]: 2 }, "c", { value: 3, enumerable: false });
    expect(kvValue(value)).toStrictEqual({ a: 1 });
  });

  test("comes through the line as it was copied", () => {
    const item = fc.letrec((tie) => ({
      item: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, false),
        fc.integer(),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).filter((it) => !Number.isSafeInteger(Number(it))),
        fc.double({ noNaN: true }).filter((it) => !Object.is(it, -0) && !Number.isInteger(it)),
        fc.string({ unit: "grapheme" }),
        fc.uint8Array().map((bytes) => Uint8Array.from(bytes)),
        fc.array(tie("item"), { maxLength: 4 }),
        fc.dictionary(fc.string(), tie("item"), { maxKeys: 4, noNullPrototype: true }),
      ),
    })).item;
    fc.assert(
      fc.property(item, (value) => {
        const copy = kvValue(value);
        expect(copy).toStrictEqual(value);
        const decoded = decodeBody(encodeBody(copy));
        expect(decoded.kind === "item" && ownBytes(decoded.item)).toStrictEqual(copy);
      }),
    );
  });
});

describe("what is no value is USAGE", () => {
  class Point {}
  class Buffered extends Uint16Array {}
  test.each<[string, unknown, string]>([
    ["undefined", undefined, "value: undefined."],
    ["undefined in an object, which isn't dropped", { a: 1, b: undefined }, "value.b: undefined."],
    ["a hole in an array", Object.assign([1], { 2: 3 }), "value[1]: undefined."],
    ["a Date", { settings: [0, 1, 2, { when: new Date(0) }] }, "value.settings[3].when: a Date."],
    ["a Map", [new Map()], "value[0]: a Map."],
    ["an Error", new Error("?"), "value: an Error."],
    ["an ArrayBuffer", new ArrayBuffer(2), "value: an ArrayBuffer."],
    ["bytes of another width", new Buffered(2), "value: a Buffered."],
    ["an object of a class", { at: new Point() }, "value.at: a Point."],
    ["an object of a class without a name", new (class {})(), "value: an object that isn't plain."],
    ["an object that inherits from a plain one", Object.create({ a: 1 }), "value: an object that isn't plain."],
    ["text in an object", Object("text"), "value: a String."],
    ["a function", { f() {} }, "value.f: a function."],
    ["a symbol", [Symbol("s")], "value[0]: a symbol."],
    ["a bigint above 64 bits", 2n ** 63n, "value: a bigint of more than 64 bits."],
    ["a bigint below 64 bits", -(2n ** 63n) - 1n, "value: a bigint of more than 64 bits."],
    ["half a surrogate pair", ["\ud83d"], "value[0]: text with half a surrogate pair."],
    [
      "a name with half a surrogate pair",
      { a: { "b\ud83d": 1 } },
      String.raw`value.a: a name with half a surrogate pair, "b\u{d83d}".`,
    ],
    ["something under a name that isn't one in JavaScript", { "a\nb": undefined }, String.raw`value["a\nb"]: undefined.`],
  ])("%s", (_, value, message) => {
    const error = refusal(value);
    expect(error.code).toBe("USAGE");
    expect(error.message.slice(0, message.length)).toBe(message);
    expect(error.message).toContain("A value is null, a boolean");
  });

  test("arrays and objects beyond 16 in one another, and not before", () => {
    expect(kvValue(nested(VALUE_DEPTH))).toStrictEqual(nested(VALUE_DEPTH));
    expect(isKvValue(nested(VALUE_DEPTH))).toBe(true);
    expect(refusal(nested(VALUE_DEPTH + 1)).message).toContain(`${"[0].in".repeat(8)}: nested more than 16 deep`);
  });

  test("a value that has itself inside, however often", () => {
    const ring: unknown[] = [];
    ring.push(ring, ring, ring);
    expect(refusal(ring).message).toContain(`value${"[0]".repeat(16)}: nested more than 16 deep`);
  });
});

describe("what fits no dock is TOO_LARGE", () => {
  test.each<[string, unknown]>([
    ["more items than any dock takes bytes", Array.from({ length: 65_001 }, () => 0)],
    ["longer text", "x".repeat(65_001)],
    ["a longer name", { ["x".repeat(65_001)]: 1 }],
    ["more bytes", [new Uint8Array(65_001)]],
    ["many short texts", Array.from({ length: 1_000 }, () => "x".repeat(65))],
    ["many short names", Array.from({ length: 1_000 }, () => ({ ["x".repeat(65)]: 1 }))],
  ])("%s", (_, value) => {
    const error = refusal(value);
    expect(error.code).toBe("TOO_LARGE");
    expect(error.details).toEqual({ limit: 65_000 });
  });

  test("found out without going through all of it", () => {
    let seen = 0;
    const value = new Proxy([] as unknown[], {
      get: (_, part) => {
        if (part === "length") return 2 ** 32 - 1;
        seen++;
        return null;
      },
    });
    expect(refusal(value).code).toBe("TOO_LARGE");
    expect(seen).toBeLessThan(66_000);
  });

  test("found out soon, though a few arrays stand for very many", () => {
    let value: unknown = 1;
    for (let depth = 0; depth < VALUE_DEPTH; depth++) value = Array.from({ length: 10 }, () => value);
    expect(refusal(value).code).toBe("TOO_LARGE");
  });

  test("and nothing that fits one is", () => {
    for (const value of [
      new Uint8Array(64_997),
      "x".repeat(64_997),
      Array.from({ length: 64_997 }, () => 0),
      "é".repeat(32_498),
    ]) {
      expect(encodedSize(kvValue(value))).toBeLessThanOrEqual(65_000);
    }
  });
});

test("the size of a value is that of its encoding", () => {
  expect(encodedSize(null)).toBe(1);
  expect(encodedSize(23)).toBe(1);
  expect(encodedSize(24)).toBe(2);
  expect(encodedSize("é")).toBe(3);
  expect(encodedSize(Uint8Array.of(1, 2))).toBe(3);
  expect(encodedSize(-(2n ** 63n))).toBe(9);
  expect(encodedSize({ a: [1, 2] })).toBe(6);
});

test("`ownBytes` gives every byte string memory of its own, and leaves the rest", () => {
  const frame = Uint8Array.of(1, 2, 3, 4);
  const value = { a: [frame.subarray(1, 3), "text"], b: null };
  const own = ownBytes(value);
  frame.fill(0);
  expect(own).toStrictEqual({ a: [Uint8Array.of(2, 3), "text"], b: null });
});

/** Arrays and objects by turns, `depth` of them in one another. */
function nested(depth: number): unknown {
  if (depth === 0) return 1;
  return [depth === 1 ? 1 : { in: nested(depth - 2) }];
}

function refusal(value: unknown): DockError {
  try {
    kvValue(value);
  } catch (error) {
    if (error instanceof DockError) return error;
    throw error;
  }
  throw new Error("it wasn't refused");
}
