import { expect, test } from "vitest";
import type { KvValue } from "../protocol/index.js";
import { diagnostic } from "./diagnostic.js";

const cases: [text: string, value: KvValue][] = [
  ["null", null],
  ["true", true],
  ["12", 12],
  ["-3", -3],
  ["1.5", 1.5],
  ["18446744073709551615", 2n ** 64n - 1n],
  ["9007199254740992", 2n ** 53n], // an integer …
  ["9007199254740992.0", 2 ** 53], // … and a float
  ["1e+300", 1e300],
  ["-0.0", -0],
  ["NaN", Number.NaN],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ['"a\\"b"', 'a"b'],
  ['"\\u001b[31m\\u202e"', "\u001b[31m\u202e"],
  ["h''", new Uint8Array()],
  ["h'0102'", Uint8Array.of(1, 2)],
  ["[]", []],
  ['["a", 1]', ["a", 1]],
  ["{}", {}],
  ['{"k": "v", "\\u009b": [h\'00\']}', { k: "v", "\u009b": [Uint8Array.of(0)] }],
];

test.each(cases)("%s", (text, value) => {
  expect(diagnostic(value)).toBe(text);
});
