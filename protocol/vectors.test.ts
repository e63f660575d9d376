/** The vectors of protocol/vectors, made by Python's cbor2 from SPEC.md alone, against this code. Their format: generate.py. */
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { decodeBody } from "./codec.js";
import { DELIMITER_BYTES, decodeFrame, encodeFrame, type FrameLoss, LineGuard } from "./frame.js";
import { type Item, isArray } from "./item.js";
import { USUAL_BODY } from "./limits.js";
import {
  type DockMessage,
  encodeMessage,
  type HostMessage,
  type Parsed,
  parseDockMessage,
  parseHostMessage,
} from "./messages.js";
import { imageHead, isOperation, operations } from "./operations.js";

const side = v.picklist(["host", "dock"]);
type Side = v.InferOutput<typeof side>;

const good = vectors(
  "good.json",
  v.object({
    name: v.string(),
    from: side,
    rule: v.string(),
    op: v.optional(v.string()),
    maxBody: v.optional(v.number(), USUAL_BODY),
    message: v.array(v.unknown()),
    body: v.string(),
    line: v.string(),
    reencode: v.optional(v.boolean(), true),
  }),
);
const broken = vectors(
  "broken.json",
  v.object({
    name: v.string(),
    to: side,
    maxBody: v.number(),
    line: v.string(),
    expect: v.object({
      outcome: v.string(),
      text: v.optional(v.string(), ""),
      noise: v.optional(v.boolean(), false),
      answer: v.optional(v.number()),
      op: v.optional(v.boolean(), false),
    }),
  }),
);

/** A float that is a whole number is a number like another in JavaScript: it is sent as an integer (codec.ts). */
const wholeFloat = /"\$float": ?"-?\d+\.0"/;
/** Keys that aren't in the schema are ignored, and so aren't sent again. */
const furtherKeys = /nobody knows|a body of exactly 512 bytes$/;

describe("a good vector", () => {
  test.each(good)("is read: $name", ({ from, body, line, maxBody, message, rule, op }) => {
    const [parsed, ...more] = receive(sideThatHears(from), Buffer.from(line, "hex"), maxBody).frames;
    expect(more).toEqual([]);
    expect(parsed?.body).toBe(body);
    expect(itemOf(body)).toEqual(untag(message));
    expect(parsed?.outcome).toBe("message");
    if (op !== undefined && parsed?.message !== undefined) expect(fitsItsOperation(parsed.message, op), rule).toBe(true);
  });

  const usual = good.filter(({ name }) => !name.includes("the empty group that nobody needs"));
  test.each(usual)("is framed: $name", ({ body, line }) => {
    const frame = Buffer.concat([DELIMITER_BYTES, encodeFrame(Buffer.from(body, "hex"))]);
    expect(frame.toString("hex")).toBe(line);
  });

  const sendable = good.filter(({ reencode, name, message }) => {
    return reencode && !furtherKeys.test(name) && !wholeFloat.test(JSON.stringify(message));
  });
  test.each(sendable)("is sent, whatever the order of its keys: $name", ({ from, body }) => {
    const parsed = parse(from, Buffer.from(body, "hex"));
    if (parsed.kind !== "message") throw new Error(`it is ${parsed.kind}`);
    const sent = Buffer.from(encodeMessage(parsed.message));
    expect(parse(from, sent)).toEqual(parsed);
    expect(Buffer.from(sent.toSorted()).toString("hex")).toBe(Buffer.from(Buffer.from(body, "hex").toSorted()).toString("hex"));
  });

  test("is sent, but for floats that are written otherwise", () => {
    expect(sendable.length).toBeGreaterThan(270);
  });
});

describe("a broken vector is", () => {
  test.each(broken)("$expect.outcome: $name", ({ name, to, line, maxBody, expect: expected }) => {
    const { frames, text, noise } = receive(to, Buffer.from(line, "hex"), maxBody);
    expect(text).toBe(expected.text);
    if (["empty", "text", "noise"].includes(expected.outcome)) {
      expect(frames).toEqual([]);
      expect(noise).toBe(expected.noise || expected.outcome === "noise");
      return;
    }
    expect(noise).toBe(false);
    expect(frames).toHaveLength(1);
    const [frame] = frames;
    if (!expected.op) {
      expect(frame?.outcome).toBe(expected.outcome);
      expect(frame?.request).toBe(expected.answer);
      return;
    }
    const [, what = "", op = ""] = /^(params|result|head) of ([a-z.]+):/.exec(name) ?? [];
    expect(["params", "result", "head"]).toContain(what);
    expect(frame?.outcome, "the message itself is right").toBe("message");
    if (frame?.message?.type === "request") expect(frame.message.id).toBe(expected.answer);
    expect(frame?.message !== undefined && fitsItsOperation(frame.message, op)).toBe(false);
  });
});

interface Frame {
  readonly outcome: FrameLoss | Parsed<never>["kind"];
  readonly body?: string;
  readonly message?: HostMessage | DockMessage;
  readonly request?: number;
}

/** What a receiver of this project makes of a line. */
function receive(to: Side, line: Buffer, maxBody: number): { frames: Frame[]; text: string; noise: boolean } {
  const pieces = new LineGuard(maxBody).feed(line);
  const text = Buffer.concat(pieces.flatMap((piece) => (piece.kind === "text" ? [piece.bytes] : []))).toString("utf8");
  const passed = Buffer.concat(pieces.flatMap((piece) => (piece.kind === "frames" ? [piece.bytes] : [])));
  const frames: Frame[] = [];
  for (let at = 0, end = passed.indexOf(0); end >= 0; at = end + 1, end = passed.indexOf(0, at)) {
    const frame = decodeFrame(passed.subarray(at, end), maxBody);
    if (frame.kind === "lost") frames.push({ outcome: frame.why });
    if (frame.kind !== "body") continue;
    const body = Buffer.from(frame.body).toString("hex");
    const parsed = parse(to === "dock" ? "host" : "dock", frame.body);
    frames.push({ outcome: parsed.kind, body, ...parsed });
  }
  return { frames, text, noise: pieces.some((piece) => piece.kind === "noise") };
}

function parse(from: Side, body: Uint8Array): Parsed<HostMessage | DockMessage> {
  return from === "host" ? parseHostMessage(body) : parseDockMessage(body);
}

function sideThatHears(from: Side): Side {
  return from === "host" ? "dock" : "host";
}

function fitsItsOperation(message: HostMessage | DockMessage, op: string): boolean {
  if (!isOperation(op)) throw new Error(`${op} is no operation`);
  switch (message.type) {
    case "request":
      return message.op === op && v.is(operations[op].params, message.params);
    case "result":
      return v.is(operations[op].result, message.value);
    case "head":
      return op === "image.get" && v.is(imageHead, message.meta);
    default:
      throw new Error(`a ${message.type} has no operation`);
  }
}

function itemOf(body: string): unknown {
  const decoded = decodeBody(Buffer.from(body, "hex"));
  return decoded.kind === "item" ? withoutBuffers(decoded.item) : undefined;
}

/** Byte strings as hexadecimal text in a map of their own, as `untag` gives them, so that they compare by their bytes. */
function withoutBuffers(item: Item): unknown {
  if (item instanceof Uint8Array) return new Map([["bytes", Buffer.from(item).toString("hex")]]);
  if (typeof item === "number") return item === 0 ? 0 : item;
  if (typeof item !== "object" || item === null) return item;
  if (isArray(item)) return item.map(withoutBuffers);
  return Object.entries(item).map(([key, value]) => [key, withoutBuffers(value)]);
}

/** Tagged JSON (generate.py) as `withoutBuffers` gives it. */
function untag(tagged: unknown): unknown {
  if (Array.isArray(tagged)) return tagged.map(untag);
  if (typeof tagged !== "object" || tagged === null) return tagged;
  const entries = Object.entries(tagged);
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) {
    const [tag, value] = only;
    if (tag === "$bytes") return new Map([["bytes", value]]);
    if (tag === "$int") return BigInt(value);
    if (tag === "$float") return Number(value) === 0 ? 0 : Number(value);
  }
  return entries.map(([key, value]) => [key.startsWith("$") ? key.slice(1) : key, untag(value)]);
}

function vectors<S extends v.GenericSchema>(file: string, each: S): v.InferOutput<S>[] {
  return v.parse(v.array(each), JSON.parse(readFileSync(new URL(`vectors/${file}`, import.meta.url), "utf8")));
}
