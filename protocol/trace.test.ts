import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NotATrace, type TraceLine, TraceReader } from "./trace.js";

const HEADER =
  '{"dl7450":"trace","format":1,"software":"dl7450 0.1.0","target":"mock:","startedAt":"2026-01-01T00:00:00.000Z"}\n';

/** Reads bytes that come in pieces of some length. */
function read(bytes: string | Uint8Array, piece = 1_000_000): TraceLine[] {
  const all = Buffer.from(bytes);
  const reader = new TraceReader();
  const lines: TraceLine[] = [];
  for (let at = 0; at < all.length; at += piece) lines.push(...reader.feed(all.subarray(at, at + piece)));
  return [...lines, ...reader.end()];
}

/** What is said of the second line of a file. */
function second(line: string): TraceLine | undefined {
  return read(`${HEADER}${line}\n`)[1];
}

describe("a line", () => {
  test.each([
    ['{"at":1.5,"opened":"/dev/pts/3"}', { kind: "opened", at: 1.5, line: "/dev/pts/3" }],
    ['{"at":2,"dir":"out","body":"gwED"}', { kind: "frame", at: 2, dir: "out", body: Uint8Array.of(0x83, 1, 3) }],
    ['{"at":3,"dir":"in","text":"boot\\n"}', { kind: "text", at: 3, text: "boot\n" }],
    ['{"at":4,"dir":"in","dropped":"crc","bytes":9}', { kind: "dropped", at: 4, why: "crc", bytes: 9 }],
    [
      '{"at":4,"dir":"in","dropped":"malformed","bytes":1,"detail":"no array","body":"AQ=="}',
      { kind: "dropped", at: 4, why: "malformed", bytes: 1, detail: "no array", body: Uint8Array.of(1) },
    ],
    ['{"at":5,"lost":"unplugged","later":true}', { kind: "lost", at: 5, why: "unplugged" }],
  ])("%s is read, without keys that nobody knows", (line, record) => {
    expect(second(line)).toMatchObject({ kind: "record", record });
  });

  test.each([
    ["{", "it isn't JSON"],
    ["7", "it isn't an object"],
    ['["at"]', "it is none of a trace's"],
    ['{"at":1}', "it is none of a trace's"],
    ['{"at":-1,"opened":"x"}', "it lacks a right at"],
    ['{"at":1e999,"opened":"x"}', "it lacks a right at"],
    ['{"at":1,"dir":"up","body":""}', "it lacks a right dir"],
    ['{"at":1,"dir":"in","body":"!!"}', "it lacks a right body"],
    ['{"at":1,"dir":"in","body":"AQ"}', "it lacks a right body"],
    ['{"at":1,"dropped":"crc","bytes":0.5}', "it lacks a right bytes"],
  ])("%s is broken, with its number and what is wrong", (line, why) => {
    expect(second(line)).toEqual({ kind: "broken", number: 2, why });
  });

  test("that is too long is broken, and the next one is read", () => {
    const lines = read(`${HEADER}${"x".repeat(300_000)}\n{"at":1,"opened":"a"}\n`, 10_000);
    expect(lines.slice(1)).toMatchObject([{ kind: "broken", number: 2 }, { kind: "record" }]);
  });

  test("that the end of the file cuts off is broken, unless it is whole", () => {
    expect(read(`${HEADER}{"at":1,"ope`)[1]).toMatchObject({
      kind: "broken",
      number: 2,
      why: expect.stringContaining("killed"),
    });
    expect(read(`${HEADER}{"at":1,"opened":"a"}`)[1]).toMatchObject({ kind: "record" });
  });

  test("that is empty counts for the numbers alone; a byte order mark and CR don't disturb", () => {
    expect(read(`\ufeff${HEADER.replace("\n", "\r\n")}\r\n\n{\r\n`).slice(1)).toEqual([
      { kind: "broken", number: 4, why: "it isn't JSON" },
    ]);
  });
});

describe("what is no trace is refused", () => {
  test.each([
    ["", "is empty"],
    ["\n\n", "is empty"],
    ["\u0089PNG\r\n", "is no trace"],
    ["{}\n", "is no trace"],
    ["\0".repeat(300_000), "is no trace"],
    ['{"at":1,"opened":"a"}\n', "doesn't begin as a trace does"],
    [HEADER.replace('"format":1', '"format":2'), "has format 2, and this program reads format 1"],
    [HEADER.replace('"format":1', '"format":"x"'), "has a format of its own"],
    [`${HEADER}${HEADER.replace('"format":1', '"format":2')}`, "has format 2"],
  ])("%.80j", (text, why) => {
    expect(() => read(text)).toThrow(NotATrace);
    expect(() => read(text)).toThrow(why);
  });
});

test("however a file is cut, the lines are the same, and whatever it holds, nothing else is thrown", () => {
  const bytes = fc.array(
    fc.oneof(fc.string(), fc.constantFrom(HEADER, "\n", '{"at":1,"dir":"in","text":"a"}\n', '{"at":', "\u0000")),
  );
  const outcome = (text: string, piece?: number): unknown => {
    try {
      return read(text, piece);
    } catch (error) {
      if (error instanceof NotATrace) return error.message;
      throw error;
    }
  };
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 50 }), fc.boolean(), (parts, piece, begun) => {
      const text = `${begun ? HEADER : ""}${parts.join("")}`;
      expect(outcome(text, piece)).toEqual(outcome(text));
    }),
  );
});
