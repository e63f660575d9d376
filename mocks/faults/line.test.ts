import { describe, expect, test } from "vitest";
import { DELIMITER, encodeFrame, LineGuard } from "../../protocol/index.js";
import { Faults, type Way } from "../faults.js";
import { Random } from "../random.js";
import { parseFault } from "./parse.js";
import { ManualClock } from "./testing/manual-clock.js";
import { type OpenLine, openLine } from "./testing/open-line.js";

function open(text: string, seed = 1): { line: OpenLine; clock: ManualClock; count: () => number } {
  const clock = new ManualClock();
  const faults = new Faults(clock);
  const fault = parseFault(text, new Random(seed));
  faults.add(fault);
  return { line: openLine(faults, clock), clock, count: () => faults.counts.get(fault.kind) ?? 0 };
}

/** What comes of bytes. */
function through(text: string, bytes: Uint8Array, { seed = 1, piece = bytes.length, way = "toDock" as Way } = {}): Buffer {
  const { line } = open(text, seed);
  for (let at = 0; at < bytes.length; at += piece) line.put(way, bytes.subarray(at, at + piece));
  return line.came(way);
}

/** Frames as they stand on a line, of bodies that tell which is which. */
function frames(count: number): Buffer {
  const bodies = Array.from({ length: count }, (_, i) => Uint8Array.of(0x82, 0x01, i >> 8, i & 0xff, 1, 2, 3));
  return Buffer.concat([Uint8Array.of(DELIMITER), ...bodies.map(encodeFrame)]);
}

/** What stands between delimiters. */
function split(bytes: Buffer): string[] {
  return bytes
    .toString("latin1")
    .split("\0")
    .filter((run) => run !== "");
}

const BYTES = 1_000_000;
const many = new Random(2).bytes(BYTES);
const TEXTS = {
  bytes: ["drop:rate=0.001", "flip:rate=0.001", "insert:rate=0.001", "duplicate:rate=0.001"],
  frames: ["duplicate:frames,rate=0.1", "truncate:rate=0.1", "merge:rate=0.1", "reorder:rate=0.1", "text:rate=0.1,way=toDock"],
} as const;

describe("what is met", () => {
  test.each(TEXTS.bytes)("by %s are about as many bytes as the rate says", (text) => {
    const { line, count } = open(text);
    line.put("toDock", many);
    expect(count()).toBeGreaterThan(850); // 1,000 is expected, and 32 the standard deviation
    expect(count()).toBeLessThan(1_150);
    expect(line.came("toDock").equals(many)).toBe(false);
  });

  test.each(TEXTS.frames)("by %s are about as many frames as the rate says", (text) => {
    const { line, count } = open(text);
    line.put("toDock", frames(5_000));
    const expected = text.startsWith("reorder") ? 5_000 / 11 : 500; // the frame that overtakes has no chance
    expect(count()).toBeGreaterThan(expected * 0.8);
    expect(count()).toBeLessThan(expected * 1.2);
  });

  test.each([...TEXTS.bytes, ...TEXTS.frames])("by %s is the same with the same seed, and another with another", (text) => {
    const bytes = text.includes("=0.1") ? frames(300) : many.subarray(0, 50_000);
    const once = through(text, bytes);
    expect(through(text, bytes).equals(once)).toBe(true);
    expect(through(text, bytes, { seed: 2 }).equals(once)).toBe(false);
  });

  test.each([...TEXTS.bytes, ...TEXTS.frames])("by %s doesn't depend on how the bytes are cut", (text) => {
    const bytes = text.includes("=0.1") ? frames(300) : many.subarray(0, 50_000);
    expect(through(text, bytes, { piece: 7 }).equals(through(text, bytes))).toBe(true);
  });

  test.each([...TEXTS.bytes, ...TEXTS.frames])("by %s doesn't depend on what goes the other way", (text) => {
    const bytes = text.includes("=0.1") ? frames(300) : many.subarray(0, 50_000);
    const { line } = open(text);
    line.put("toHost", frames(1_000));
    line.put("toDock", bytes);
    expect(line.came("toDock").equals(through(text, bytes))).toBe(true);
  });

  test.each([...TEXTS.bytes, ...TEXTS.frames])("by %s stays whole the way that it isn't for", (text) => {
    const bytes = frames(2_000);
    const only = text.replace(",way=toDock", "");
    expect(through(`${only},way=toHost`, bytes, { way: "toDock" }).equals(bytes)).toBe(true);
    expect(through(`${only},way=toHost`, bytes, { way: "toHost" }).equals(bytes)).toBe(false);
  });

  test.each([...TEXTS.bytes, ...TEXTS.frames])("by %s isn't met more often than it may be", (text) => {
    const { line, count } = open(`${text},times=3`);
    line.put("toDock", frames(3_000));
    line.put("toHost", frames(3_000));
    expect(count()).toBe(3);
  });

  test("on average once in as many bytes as every says", () => {
    const { line, count } = open("drop:every=1000");
    line.put("toDock", many);
    expect(BYTES - line.came("toDock").length).toBe(count());
    expect(Math.abs(count() - 1_000)).toBeLessThan(150);
  });
});

describe("at its byte", () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5);
  test.each([
    ["drop:at=3", [1, 2, 4, 5]],
    ["duplicate:at=3", [1, 2, 3, 3, 4, 5]],
  ])("%s makes of 1 to 5 %j", (text, expected) => {
    expect([...through(text, bytes)]).toEqual(expected);
    expect([...through(text, bytes, { piece: 1 })]).toEqual(expected);
  });

  test("flip changes one bit", () => {
    const came = through("flip:at=3", bytes);
    const changed = [...came].map((byte, i) => byte ^ (bytes[i] ?? 0));
    expect(changed.filter((bits) => bits !== 0)).toHaveLength(1);
    const bits = changed[2] ?? 0;
    expect(bits & (bits - 1)).toBe(0);
    expect(bits).toBeGreaterThan(0);
  });

  test("insert puts a byte behind it", () => {
    const came = [...through("insert:at=3", bytes)];
    expect(came).toHaveLength(6);
    expect([...came.slice(0, 3), ...came.slice(4)]).toEqual([...bytes]);
  });
});

describe("at its frame", () => {
  const line = frames(4);
  const [a = "", b = "", c = "", d = ""] = split(line);

  test("duplicate:frames has it come twice", () => {
    expect(split(through("duplicate:frames,at=2", line))).toEqual([a, b, b, c, d]);
  });

  test("truncate takes its end away, and leaves the others", () => {
    const runs = through("truncate:at=2", line).toString("latin1").split("\0");
    const [short = ""] = runs.slice(2, 3);
    expect(runs).toEqual(["", a, short, c, d, ""]);
    expect(b.startsWith(short)).toBe(true);
    expect(short.length).toBeLessThan(b.length);
  });

  test("merge puts it and the next one together", () => {
    expect(split(through("merge:at=2", line))).toEqual([a, b + c, d]);
  });

  test("merge loses all delimiters that stand between", () => {
    expect(through("merge:at=1", Buffer.from("\0a\0\0\0b\0"), { piece: 1 }).toString()).toBe("\0ab\0");
  });

  test("reorder has the next one come first", () => {
    expect(split(through("reorder:at=2", line))).toEqual([a, c, b, d]);
  });

  test("reorder counts only what was overtaken", () => {
    const { line: quiet, count } = open("reorder:at=1");
    quiet.put("toDock", "a\0");
    expect(count()).toBe(0);
    quiet.put("toDock", "b\0");
    expect(count()).toBe(1);
  });

  test("reorder keeps no frame for the next connection", () => {
    const { line: dropped } = open("reorder:at=1");
    dropped.put("toDock", "a\0");
    dropped.peer.hangUp();
    dropped.put("toDock", "b\0");
    expect(dropped.text("toDock")).toBe("b\0");
  });

  test("text comes before it, as a run of its own that receivers take for text", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const runs = split(through("text:at=2", line, { seed, way: "toHost" }));
      const [text = ""] = runs.splice(1, 1);
      expect(runs).toEqual([a, b, c, d]);
      const pieces = new LineGuard(512).feed(Buffer.from(`${text}\0`, "latin1"));
      expect(pieces.map(({ kind }) => kind)).toEqual(["text"]);
    }
  });
});

describe("in time", () => {
  test("delay brings everything so much later, both ways, as it was spaced", () => {
    const { line, clock } = open("delay:ms=30");
    for (const text of ["a", "b"]) {
      line.put("toDock", text);
      line.put("toHost", text);
      clock.advance(10);
    }
    clock.advance(100);
    for (const way of ["toDock", "toHost"] as const) expect(line.arrivals[way].map(({ at }) => at)).toEqual([30, 40]);
  });

  test("rate brings so many bytes a second", () => {
    const { line, clock, count } = open("rate:bytes=10000,way=toHost");
    line.put("toDock", "x");
    expect(line.text("toDock")).toBe("x");
    line.put("toHost", many.subarray(0, 20_000));
    clock.advance(1_000);
    expect(Math.abs(line.came("toHost").length - 10_000)).toBeLessThanOrEqual(100);
    clock.advance(1_001);
    expect(line.came("toHost").equals(many.subarray(0, 20_000))).toBe(true);
    expect(count()).toBe(1);
  });

  test("stall has nothing arrive for so long", () => {
    const { line, clock, count } = open("stall:at=2,ms=500");
    for (const text of ["a", "b", "c"]) line.put("toDock", text);
    clock.advance(499);
    expect(line.text("toDock")).toBe("a");
    clock.advance(1);
    line.put("toDock", "d");
    expect(line.text("toDock")).toBe("abcd");
    expect(count()).toBe(1);
  });
});

test("echo brings back what the host sends, and the dock gets it, too", () => {
  const { line, count } = open("echo");
  line.put("toDock", "question");
  line.put("toHost", "answer");
  expect(line.text("toHost")).toBe("questionanswer");
  expect(line.text("toDock")).toBe("question");
  expect(count()).toBe(1);
});

describe("cut", () => {
  test("lets as many bytes through as were asked for, both ways together", () => {
    const { line, count } = open("cut:at=6,back=100");
    line.put("toDock", "abc");
    line.put("toHost", "defgh");
    line.put("toDock", "i");
    expect(line.text("toDock")).toBe("abc");
    expect(line.text("toHost")).toBe("def");
    expect(line.cuts).toBe(1);
    expect(count()).toBe(1);
  });

  test("counts the bytes of one way only where one was given", () => {
    const { line } = open("cut:at=2,back=100,way=toHost");
    line.put("toDock", "abc");
    line.put("toHost", "def");
    expect(line.text("toDock")).toBe("abc");
    expect(line.text("toHost")).toBe("de");
  });

  test.each([
    ["cut:at=1,back=100", 1],
    ["cut:at=1", 0],
  ])("as %s is followed by a new connection %i times", (text, connections) => {
    const clock = new ManualClock();
    const faults = new Faults(clock);
    faults.add(parseFault(text, new Random(1)));
    openLine(faults, clock).put("toDock", "a");
    clock.advance(100);
    expect(1 - openLine(faults, clock).cuts).toBe(connections);
  });

  test("happens on average once in as many bytes as every says", () => {
    const clock = new ManualClock();
    const faults = new Faults(clock);
    faults.add(parseFault("cut:every=1000,back=1", new Random(1)));
    const line = openLine(faults, clock, "terminal");
    for (let i = 0; i < 50_000; i++) {
      line.put("toDock", "0123456789");
      clock.advance(1);
    }
    const cuts = faults.counts.get("cut") ?? 0;
    expect(Math.abs(cuts - 500)).toBeLessThan(110);
  });
});
