import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KvValue } from "./fields.js";
import { jsonValue, valueOfJson } from "./json-value.js";

/** As a reader of the output gets it. */
function read(value: KvValue): unknown {
  return JSON.parse(JSON.stringify(jsonValue(value)));
}

describe("what JSON has stays as it is", () => {
  test.each([[null], [true], [""], ["text"], [0], [-12], [1.5], [2 ** 53 - 1], [2 ** 60], [["a", 1]], [{ k: "v" }]])(
    "%j",
    (value) => {
      expect(read(value)).toEqual(value);
    },
  );
});

test("bytes are base64 in $bytes", () => {
  expect(read(Uint8Array.of(1, 2, 255))).toEqual({ $bytes: "AQL/" });
  expect(read(Buffer.alloc(0))).toEqual({ $bytes: "" });
});

test("integers beyond 2^53 - 1 are decimal in $int", () => {
  expect(read(2n ** 64n - 1n)).toEqual({ $int: "18446744073709551615" });
  expect(read(-(2n ** 64n))).toEqual({ $int: "-18446744073709551616" });
});

test("floats that JSON has no form for are in $float", () => {
  const floats = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0];
  expect(read(floats)).toEqual([{ $float: "NaN" }, { $float: "Infinity" }, { $float: "-Infinity" }, { $float: "-0" }]);
});

test("a map's key that begins with $ gets one more, so that it can't be taken for one of ours", () => {
  expect(read({ $bytes: "AQI=", $$: 1, a$: 2 })).toEqual({ $$bytes: "AQI=", $$$: 1, a$: 2 });
});

test("a map's key __proto__ is a key like any other", () => {
  const map: Record<string, KvValue> = {};
  Object.defineProperty(map, "__proto__", { value: 1, enumerable: true });
  expect(JSON.stringify(jsonValue(map))).toBe('{"__proto__":1}');
});

test("what is inside arrays and maps is treated alike", () => {
  expect(read([{ a: [Uint8Array.of(0)] }])).toEqual([{ a: [{ $bytes: "AA==" }] }]);
});

const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.double(),
  fc.integer(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.string({ unit: "binary" }),
  fc.uint8Array(),
);
const { value: anyValue } = fc.letrec<{ value: KvValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    scalar,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("__proto__", "$", "$$", "$bytes", "$int", "$float")), tie("value"), {
      maxKeys: 4,
    }),
  ),
}));

describe("back from JSON", () => {
  test("every value is what it was, through JSON as text", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const back = valueOfJson(read(value));
        expect(shape(back)).toEqual(shape(value));
      }),
    );
  });

  test("a map's key __proto__ is a key like any other", () => {
    const back = valueOfJson(JSON.parse('{"__proto__":{"$int":"9223372036854775807"}}'));
    expect(Object.entries(back ?? {})).toEqual([["__proto__", 2n ** 63n - 1n]]);
  });

  test("arrays and maps are taken 16 deep, not deeper", () => {
    const nested = (depth: number): unknown => JSON.parse("[".repeat(depth) + "]".repeat(depth));
    expect(valueOfJson(nested(16))).toEqual(nested(16));
    expect(() => valueOfJson(nested(17))).toThrow(RangeError("arrays and maps in one another more than 16 deep"));
  });

  test("a form with $ counts as no level", () => {
    const json: unknown = JSON.parse(`${"[".repeat(16)}{"$bytes":"AQ=="}${"]".repeat(16)}`);
    expect(shape(valueOfJson(json))).toEqual(shape(nestedBytes(16)));
  });

  test.each([
    ['{"$hex":"00"}', "a $hex that isn't one of"],
    ['{"$bytes":"AQI=","a":1}', "a key $bytes beside others"],
    ['{"a":1,"$":2}', "a key $ beside others"],
    ['{"$bytes":5}', "a $bytes that isn't one of"],
    ['{"$bytes":"A"}', "$bytes that isn't base64"],
    ['{"$bytes":"AQI"}', "$bytes that isn't base64"],
    ['{"$int":"1.5"}', "$int that isn't"],
    ['{"$int":"-0"}', "$int that isn't"],
    ['{"$int":"007"}', "$int that isn't"],
    ['{"$int":"9223372036854775808"}', "$int that isn't"],
    [`{"$int":"${"9".repeat(1000)}"}`, "$int that isn't"],
    ['{"$float":"1"}', "a $float that isn't one of"],
    ["1e999", "a number beyond what a float holds"],
    ['"\\ud800"', "text that isn't Unicode"],
    ['{"\\udc00":1}', "text that isn't Unicode"],
    ['[[{"a":[{"$x":0}]}]]', "a $x that isn't one of"],
  ])("%s is refused", (json, why) => {
    expect(() => valueOfJson(JSON.parse(json))).toThrow(why);
  });
});

function nestedBytes(depth: number): KvValue {
  return depth === 0 ? Uint8Array.of(1) : [nestedBytes(depth - 1)];
}

/** What a value is, down to the kind of number and the order of keys, whatever the class of its bytes. */
function shape(value: KvValue): unknown {
  if (value instanceof Uint8Array) return ["bytes", ...value];
  if (typeof value !== "object" || value === null) return [typeof value, Object.is(value, -0) ? "-0" : value];
  if (Array.isArray(value)) return ["array", ...value.map(shape)];
  return ["map", ...Object.entries(value).map(([key, inner]) => [key, shape(inner)])];
}
