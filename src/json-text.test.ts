import { expect, test } from "vitest";
import { unsafeLines } from "./cli/testing/run-cli.js";
import { jsonText } from "./json-text.js";

const evil = 'a\u0000\t\n\u001b[31m\u007f\u009b1m\u00ad\u200b\u202e\u2028\u2066\ud800\ufeff\ufffd\u{e0041}"\\ü日😀';

test("nothing that can't be seen stays raw", () => {
  expect(jsonText("\u007f\u009b\u202e")).toBe('"\\u007f\\u009b\\u202e"');
  expect(jsonText("\u{e0041}")).toBe('"\\udb40\\udc41"');
  expect(unsafeLines(jsonText({ [evil]: [evil] }, 2))).toEqual([]);
});

test("what can be seen stays as it is", () => {
  expect(jsonText("ü日😀")).toBe('"ü日😀"');
});

test("a reader of JSON gets back what went in", () => {
  expect(JSON.parse(jsonText({ [evil]: [evil] }, 2))).toEqual({ [evil]: [evil] });
});
