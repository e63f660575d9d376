import { describe, expect, test } from "vitest";
import type { KvValue } from "../index.js";
import { jsonValue } from "./json-value.js";

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
