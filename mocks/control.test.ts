import { describe, expect, test } from "vitest";
import { Control } from "./control.js";
import { ManualClock } from "./faults/testing/manual-clock.js";
import { type OpenLine, openLine } from "./faults/testing/open-line.js";
import { Faults } from "./faults.js";

interface Controlled {
  readonly line: OpenLine;
  /** Tells it lines, and gives what it answers. */
  readonly tell: (...lines: readonly unknown[]) => unknown[];
  /** The same with bytes as they come. */
  readonly feed: (bytes: string | Uint8Array) => unknown[];
}

function controlled(seed = 1): Controlled {
  const clock = new ManualClock();
  const faults = new Faults(clock);
  const control = new Control(faults, seed);
  const feed: Controlled["feed"] = (bytes) => [...control.feed(Buffer.from(bytes))].map((answer) => JSON.parse(answer));
  const tell: Controlled["tell"] = (...lines) => feed(lines.map((it) => `${JSON.stringify(it)}\n`).join(""));
  return { line: openLine(faults, clock), tell, feed };
}

const ECHO = { faults: ["echo"] };

test("where only the line has faults, one of the dock is refused, and the others stay", () => {
  const control = new Control(new Faults(new ManualClock(), "line"), 1);
  const feed = (...faults: readonly string[]) =>
    [...control.feed(Buffer.from(`${JSON.stringify({ faults })}\n`))].map((it) => JSON.parse(it));
  expect(feed("echo", "busy")).toEqual([{ control: { failed: "the fault busy is one of the mock's own dock" } }]);
  expect(feed("echo")).toEqual([{ control: { faults: ["echo"] } }]);
});

describe("a line", () => {
  test("says which faults there are from then on, and is answered with them", () => {
    const { line, tell } = controlled();
    expect(tell({ faults: ["drop:at=1", "drop:at=2"] })).toEqual([{ control: { faults: ["drop:at=1", "drop:at=2"] } }]);
    line.put("toDock", "abc");
    expect(line.text("toDock")).toBe("c");
    expect(tell({ faults: [] })).toEqual([{ control: { faults: [] } }]);
  });

  test("is read when its end has come, wherever it is cut", () => {
    const { line, feed } = controlled();
    const text = `${JSON.stringify({ faults: ["echo"] })}\r\n`;
    for (const piece of text.slice(0, -1)) expect(feed(piece)).toEqual([]);
    line.put("toDock", "x");
    expect(line.text("toHost")).toBe("");
    expect(feed("\n")).toEqual([{ control: ECHO }]);
    line.put("toDock", "y");
    expect(line.text("toHost")).toBe("y");
  });

  test("is answered in order with the others", () => {
    const { tell } = controlled();
    expect(tell(ECHO, 1, { faults: [] })).toMatchObject([
      { control: ECHO },
      { control: { failed: expect.any(String) } },
      { control: { faults: [] } },
    ]);
  });

  test("can have 64 KiB, and one more byte is too many, however they come", () => {
    const { feed } = controlled();
    const text = JSON.stringify(ECHO).padEnd(64 * 1024);
    expect(feed(`${text}\n`)).toEqual([{ control: ECHO }]);
    for (let at = 0; at < text.length; at += 1024) expect(feed(text.slice(at, at + 1024))).toEqual([]);
    expect(feed(" ")).toEqual([]);
    expect(feed(text)).toEqual([]);
    expect(feed(`\n${text}\n`)).toEqual([{ control: { failed: "the line is longer than 65536 bytes" } }, { control: ECHO }]);
  });

  test.each([
    ["", /isn't \{"faults":\["KIND:KEY=VALUE,…",…\]\}/],
    ["echo", /isn't/],
    ["[]", /isn't/],
    ["{}", /isn't/],
    ['{"faults":"echo"}', /isn't/],
    ['{"faults":[1]}', /isn't/],
    ['{"faults":[],"more":1}', /isn't/],
    ['{"faults":[],"__proto__":{}}', /isn't/],
    ["[".repeat(60_000), /isn't/],
    [`{"faults":${JSON.stringify(Array(65).fill("echo"))}}`, /at most 64 faults/],
    [`{"faults":["${"x".repeat(513)}"]}`, /at most 512 characters/],
    ['{"faults":["drop","dorp"]}', /^no fault "dorp": there are drop, /],
    ['{"faults":["drop:rate=2"]}', /rate=2 \(the share/],
  ])("that can't be one is one error, and leaves everything as it was: %.40s", (text, failed) => {
    const { line, tell, feed } = controlled();
    tell({ faults: ["drop:at=3"] });
    line.put("toDock", "ab");
    expect(feed(`${text}\n`)).toEqual([{ control: { failed: expect.stringMatching(failed) } }]);
    line.put("toDock", "cd");
    expect(line.text("toDock")).toBe("abd");
  });

  test("that has as many faults as there can be is a line that still carries", () => {
    const { line, tell } = controlled();
    tell({ faults: Array(64).fill("duplicate:frames,at=1000") });
    line.put("toDock", "x\0");
    expect(line.text("toDock")).toBe("x\0");
  });
});

describe("a fault", () => {
  test("goes on where the line before had it, too, and begins anew where it hadn't", () => {
    const { line, tell } = controlled();
    tell({ faults: ["drop:at=3"] });
    line.put("toDock", "ab");
    tell({ faults: ["insert:at=1000", "drop:at=3"] });
    line.put("toDock", "cdef");
    expect(line.text("toDock")).toBe("abdef");
    tell({ faults: [] }, { faults: ["drop:at=3"] });
    line.put("toDock", "ghi");
    expect(line.text("toDock")).toBe("abdefgh");
  });

  test("that is given twice is two, of which one goes on where there was one before", () => {
    const { line, tell } = controlled();
    tell({ faults: ["drop:at=3"] });
    line.put("toDock", "a");
    tell({ faults: ["drop:at=3", "drop:at=3"] });
    line.put("toDock", "bcde");
    expect(line.text("toDock")).toBe("abe");
  });

  test("does the same whatever was there before it, and something else with another seed", () => {
    const bytes = new Uint8Array(1_000);
    const [first, second, other] = [1, 1, 2].map((seed, i) => {
      const { line, tell } = controlled(seed);
      if (i === 1) tell({ faults: ["insert:rate=0.5", "echo"] }, { faults: ["flip:rate=9"] }, { faults: [] });
      tell({ faults: ["flip:rate=0.1"] });
      line.put("toDock", bytes);
      return line.came("toDock");
    });
    expect(second).toEqual(first);
    expect(other).not.toEqual(first);
  });
});
