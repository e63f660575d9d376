import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Decoder } from "cbor-x";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { loadSchema } from "./cddl.js";

const schema = loadSchema(fileURLToPath(new URL("../datastore.cddl", import.meta.url)));
const decoder = new Decoder({ mapsAsObjects: false, useRecords: false });
const side = v.picklist(["host", "dock"]);

const good = vectors(
  "good.json",
  v.object({ name: v.string(), from: side, rule: v.string(), op: v.optional(v.string()), body: v.string() }),
);
const misshapen = vectors(
  "broken.json",
  v.object({ name: v.string(), to: side, body: v.optional(v.string()), breaks: v.optional(v.string()) }),
).flatMap(({ name, body, breaks }) => (body !== undefined && breaks !== undefined ? [{ name, body, breaks }] : []));

// The last item of a message is its map: what the rules of an operation describe.
const parts: Readonly<Record<string, string>> = { request: "params", result: "result", head: "head" };

describe("a good vector matches the rules for it", () => {
  test.each(good)("$name", ({ from, rule, op, body }) => {
    const message = decode(body);
    expect.soft(schema.matches("message", message), "message").toBe(true);
    expect.soft(schema.matches(`${from}-message`, message), `${from}-message`).toBe(true);
    expect.soft(schema.matches(rule, message), rule).toBe(true);
    if (op === undefined) return;
    const opRule = `${op.replace(".", "-")}-${parts[rule]}`;
    expect(schema.matches(opRule, message.at(-1)), opRule).toBe(true);
  });
});

describe("a good vector matches no rule for another message", () => {
  const messageRules = new Set(good.map(({ rule }) => rule));
  test.each(good)("$name", ({ rule, body }) => {
    const message = decode(body);
    expect([...messageRules].filter((other) => schema.matches(other, message))).toEqual([rule]);
  });
});

describe("a broken vector of the wrong shape matches not", () => {
  test.each(misshapen)("$name", ({ body, breaks }) => {
    const message = decode(body);
    expect(schema.matches(breaks, breaks.endsWith("-message") ? message : message.at(-1))).toBe(false);
  });
});

test("every operation has good vectors for its params and its result", () => {
  const opRules = schema.rules.filter((rule) => /^\w+-\w+-(params|result|head)$/.test(rule));
  const seen = good.map(({ op, rule }) => `${op?.replace(".", "-")}-${parts[rule]}`);
  expect(opRules).toHaveLength(16 * 2 + 1);
  expect(opRules.filter((rule) => !seen.includes(rule))).toEqual([]);
});

test("every message has good vectors", () => {
  const types = good.map(({ body }) => decode(body)[0]);
  expect(new Set(types)).toEqual(new Set([0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 17, 18, 19, 20]));
});

test("a rule that isn't there is an error, not a mismatch", () => {
  expect(() => schema.matches("kv-rename-params", new Map())).toThrow("no rule kv-rename-params");
});

function vectors<S extends v.GenericSchema>(file: string, each: S): v.InferOutput<S>[] {
  return v.parse(v.array(each), JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8")));
}

function decode(body: string): unknown[] {
  return v.parse(v.array(v.unknown()), decoder.decode(Buffer.from(body, "hex")));
}
