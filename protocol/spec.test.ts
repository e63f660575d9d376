/** The tables of SPEC.md say the same as the code. */
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { crc32 } from "./crc.js";
import { FAILURES, failure } from "./errors.js";
import { decodeFrame, FrameBatch, frameBound } from "./frame.js";
import * as limits from "./limits.js";
import {
  type DockMessage,
  encodeMessage,
  type HostMessage,
  parseDockMessage,
  parseHostMessage,
  type Welcome,
} from "./messages.js";
import { isOperation, operations } from "./operations.js";
import { exampleOfSpec } from "./testing/spec-example.js";

/** SPEC.md, whatever a formatter makes of the width of its tables and the marks of its emphasis. */
const spec = readFileSync(new URL("SPEC.md", import.meta.url), "utf8")
  .replaceAll(/ {2,}/g, " ")
  .replaceAll(/_(\w+)_/g, "*$1*");

test("§1.2, the example is what goes out, and is understood", () => {
  const { body, crc, line } = exampleOfSpec();
  const message: HostMessage = { type: "request", id: 7, op: "kv.get", params: { key: "timezone" } };
  expect(Buffer.from(encodeMessage(message)).toString("hex")).toBe(body);
  const check = Buffer.alloc(4);
  check.writeUInt32LE(crc32(Buffer.from(body, "hex")));
  expect(check.toString("hex")).toBe(crc);
  const batch = new FrameBatch();
  batch.add(Buffer.from(body, "hex"));
  expect(Buffer.from(batch.take()).toString("hex")).toBe(line);
  const frame = decodeFrame(Buffer.from(line, "hex").subarray(1, -1), 512);
  expect(frame).toMatchObject({ kind: "body" });
  if (frame.kind === "body") expect(parseHostMessage(frame.body)).toEqual({ kind: "message", message });
});

describe("§2, the messages", () => {
  const id = 7;
  const data = { id, offset: 0, bytes: Uint8Array.of(1) };
  const failed = { code: "BUSY", message: "", retryable: true };
  const hello = { versions: [1], nonce: new Uint8Array(8), maxBody: 512, software: "" };
  const messages: readonly (HostMessage | DockMessage)[] = [
    { type: "hello", hello },
    { type: "request", id, op: "kv.get", params: {} },
    { type: "hostData", ...data },
    { type: "hostCredit", id, limit: 0 },
    { type: "hostResend", id, from: 0, to: 0, limit: 0 },
    { type: "cancel", id },
    { type: "welcome", welcome: welcomeWith({}) },
    { type: "result", id, value: {} },
    { type: "failure", id, failure: failed },
    { type: "head", id, meta: {} },
    { type: "dockData", ...data },
    { type: "dockCredit", id, limit: 0 },
    { type: "dockResend", id, from: 0, to: 0, limit: 0 },
    { type: "pending", id },
    { type: "log", level: "info", text: "" },
  ];
  const table = [
    ...section("## 2. Messages", "## 3. Session").matchAll(/(\d+) (\w+) \| `\[(\d+), ([^\]]*(?:\[\])?[^\]]*)\]`/g),
  ];
  const rows = table.map(([, code, name, again, items = ""]) => ({
    code: Number(code),
    again: Number(again),
    name,
    items: items.replace(/\{[^}]*\}/, "map").split(", ").length,
  }));

  test("are all in the table", () => {
    expect(rows.map(({ code }) => code)).toEqual(rows.map(({ again }) => again));
    expect(new Set(rows.map(({ code }) => code))).toEqual(new Set(messages.map(codeOf)));
  });

  test.each(messages)("$type has the code and the number of items of the table", (message) => {
    const body = encodeMessage(message);
    const row = rows.find(({ code }) => code === codeOf(message));
    expect((body[0] ?? 0) - 0x81).toBe(row?.items);
    const plain = message.type.replace(/^(host|dock)/, "").toLowerCase();
    expect(plain).toBe(row?.name);
    const parse = codeOf(message) < 12 ? parseHostMessage : parseDockMessage;
    expect(parse(body)).toMatchObject({ kind: "message", message: { type: message.type } });
  });
});

describe("§7, the operations", () => {
  const rows = tableOf(between("operations"));

  test("are all in the table", () => {
    expect(rows.map(([op]) => op?.replaceAll("`", ""))).toEqual(Object.keys(operations));
  });

  test.each(rows)("%s: params %s, result %s, feature %s", (name, params = "", result = "", feature = "") => {
    const op = name.replaceAll("`", "");
    if (!isOperation(op)) throw new Error(`${op} is no operation`);
    const oneOfTwo = params.replace(/`(\w+)` or `(\w+)`/, "`$1`?, `$2`?");
    expect(sorted(keysOf(operations[op].params))).toEqual(sorted(keysOfText(oneOfTwo)));
    expect(sorted(keysOf(operations[op].result))).toEqual(sorted(keysOfText(result.replace(/^(head, )?data, then /, ""))));
    expect(operations[op].feature).toBe(feature.startsWith("`write.`") ? "write" : feature.replaceAll("`", ""));
  });

  test("have the largest answers of §7.1", () => {
    const text = section("### 7.1", "### 7.2");
    const said =
      /`kv.get` at most `limits.valueBytes` \+ (\d+) bytes; `kv.list` and `image.list` at most `limits.pageBytes` \+ (\d+); all others at most ([\d,]+)\./;
    const [value = Number.NaN, page = Number.NaN, other = Number.NaN] = (said.exec(text) ?? []).slice(1).flatMap(numbersIn);
    for (const [op, { answer }] of Object.entries(operations)) {
      const bytes = answer(limits.USUAL_LIMITS);
      if (op === "kv.get") expect(bytes).toBe(limits.USUAL_LIMITS.valueBytes + value);
      else if (op.endsWith(".list")) expect(bytes).toBe(limits.USUAL_LIMITS.pageBytes + page);
      else expect(bytes).toBe(other);
    }
  });
});

describe("§8, the failures", () => {
  const rows = tableOf(between("failures"));

  test("are all in the table, with the same meaning", () => {
    expect(Object.fromEntries(rows.map(([code = "", meaning]) => [code.replaceAll("`", ""), meaning]))).toEqual(FAILURES);
  });

  test("carry the keys of the table", () => {
    const further = new Set(rows.flatMap(([, , keys = ""]) => keysOfText(keys)));
    const optional = Object.keys(failure.entries).filter((key) => !["code", "message", "retryable"].includes(key));
    expect(sorted(optional)).toEqual(sorted([...further]));
  });
});

describe("§9, the limits", () => {
  const fixed = new Map(tableOf(section("### 9.1", "### 9.2")).map(([what = "", value = ""]) => [what, numbersIn(value)]));
  const announced = tableOf(section("### 9.2", "### 9.3"));

  test("fixed ones are those of the code", () => {
    expect(fixed.get("body before the handshake is through")).toEqual([limits.HANDSHAKE_BODY]);
    const [least, most, usual] = fixed.get("body, in the session") ?? [];
    expect([least, most, usual]).toEqual([limits.HANDSHAKE_BODY, limits.LARGEST_BODY, limits.USUAL_BODY]);
    expect(fixed.get("nesting in a body; in a value")).toEqual([limits.BODY_DEPTH, limits.VALUE_DEPTH]);
    expect(fixed.get("answers remembered for repetition")).toEqual([limits.REMEMBERED_ANSWERS]);
  });

  test("a data message of 8,192 bytes fits a usual body", () => {
    const body = encodeMessage({ type: "dockData", id: 2 ** 32 - 1, offset: 2 ** 32 - 1, bytes: new Uint8Array(8_192) });
    expect(body.length).toBeLessThanOrEqual(limits.USUAL_BODY);
    expect(body.length - 8_192).toBeLessThanOrEqual(limits.DATA_OVERHEAD);
  });

  test("the window begins where §5.3 says", () => {
    expect(section("### 5.3", "### 5.4")).toContain(`**${limits.FIRST_WINDOW / 1_024} KiB**`);
  });

  test("a frame has the bound of §1.4", () => {
    expect(section("### 1.4", "### 1.5")).toContain("*n* + 4 + ⌊(*n* + 4) / 254⌋ + 1 bytes");
    for (const n of [0, 249, 250, 251, 512, 8_256]) expect(frameBound(n)).toBe(n + 4 + Math.floor((n + 4) / 254) + 1);
  });

  test("announced ones are all in the table", () => {
    expect(announced.map(([key]) => key?.replaceAll("`", ""))).toEqual(Object.keys(limits.USUAL_LIMITS));
  });

  test.each(announced)("%s is %s, usually %s", (name, range = "", usual = "") => {
    const key = v.parse(
      v.keyof(v.object(v.entriesFromList(Object.keys(limits.USUAL_LIMITS), v.number()))),
      name.replaceAll("`", ""),
    );
    const [least = Number.NaN, most = Number.NaN] = numbersIn(range);
    expect(numbersIn(usual)).toEqual([{ ...limits.USUAL_LIMITS }[key]]);
    const taken = (value: number): string => {
      return parseDockMessage(encodeMessage({ type: "welcome", welcome: welcomeWith({ [key]: value }) })).kind;
    };
    expect([least, most].map(taken)).toEqual(["message", "message"]);
    expect([least - 1, most + 1].map(taken)).toEqual(["malformed", "malformed"]);
  });
});

function welcomeWith(changed: Readonly<Record<string, number>>): Welcome {
  return {
    version: 1,
    nonce: new Uint8Array(8),
    bootId: new Uint8Array(8),
    dock: { id: "x", model: "", name: "" },
    limits: { ...limits.USUAL_LIMITS, ...changed },
    features: [],
    stores: ["factory"],
  };
}

/** The message type in the body: every one is below 24, so it is the second byte. */
function codeOf(message: HostMessage | DockMessage): number {
  return encodeMessage(message)[1] ?? -1;
}

/** The keys that a schema of a map has, those that may be absent with a `?`. */
function keysOf(
  schema: { readonly entries: v.ObjectEntries } | { readonly options: readonly { readonly entries: v.ObjectEntries }[] },
): string[] {
  const kinds = "options" in schema ? schema.options : [schema];
  const keys = new Set(kinds.flatMap(({ entries }) => Object.keys(entries)));
  return [...keys].map((key) => {
    const always = kinds.every(({ entries }) => key in entries && entries[key]?.type !== "exact_optional");
    return always ? key : `${key}?`;
  });
}

/** "`a`, `b`?" as ["a", "b?"]. */
function keysOfText(text: string): string[] {
  return [...text.matchAll(/`(\w+)`(\??)/g)].map(([, key, optional]) => `${key}${optional}`);
}

/** Numbers in prose: "512 to 65,536", "2³² − 1". */
function numbersIn(text: string): number[] {
  const plain = text.replaceAll("2³² − 1", String(2 ** 32 - 1)).replace(/: .*room for the rest$/, "");
  return [...plain.matchAll(/\d[\d,]*/g)].map(([digits]) => Number(digits.replaceAll(",", "")));
}

/** The cells of each row but the first, which has the titles, and the line below it. */
function tableOf(text: string): string[][] {
  const lines = text.split("\n").filter((line) => line.startsWith("|"));
  const rows = lines.map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const body = rows.findIndex((row) => row.every((cell) => /^-*$/.test(cell) && cell !== ""));
  return rows.slice(body + 1);
}

function between(marker: string): string {
  return section(`<!-- ${marker}:begin -->`, `<!-- ${marker}:end -->`);
}

function section(begin: string, end: string): string {
  const from = spec.indexOf(begin);
  const to = spec.indexOf(end, from + begin.length);
  if (from < 0 || to < 0) throw new Error(`SPEC.md has nothing from "${begin}" to "${end}"`);
  return spec.slice(from, to);
}

function sorted(texts: readonly string[]): string[] {
  return [...texts].sort();
}
