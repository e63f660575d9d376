/** Rules of SPEC §7.5 that join several params. */
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { operations } from "./operations.js";

describe("image.get takes", () => {
  const token = Uint8Array.of(7);
  test.each([
    { rule: "a tag", params: { tag: "default", credit: 0 }, taken: true },
    { rule: "a token", params: { token, credit: 0 }, taken: true },
    { rule: "neither of them", params: { credit: 0 }, taken: false },
    { rule: "both", params: { tag: "default", token, credit: 0 }, taken: false },
    { rule: "a tag in a layer", params: { tag: "default", store: "runtime", credit: 0 }, taken: true },
    { rule: "a token in a layer", params: { token, store: "runtime", credit: 0 }, taken: false },
    { rule: "credit up to where it begins", params: { tag: "default", from: 8, credit: 8 }, taken: true },
    { rule: "credit that ends before it begins", params: { tag: "default", from: 8, credit: 7 }, taken: false },
    { rule: "no credit at all", params: { tag: "default" }, taken: false },
  ])("$rule: $taken", ({ params, taken }) => {
    expect(v.is(operations["image.get"].params, params)).toBe(taken);
  });
});
