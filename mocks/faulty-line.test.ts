import { describe, expect, test } from "vitest";
import { ManualClock } from "./faults/testing/manual-clock.js";
import { type OpenLine, openLine } from "./faults/testing/open-line.js";
import { type Fault, Faults, type FaultyLine, type Way } from "./faults.js";

const MIB = 1024 * 1024;

/** Does to the line what bytes say: each is a letter of `what`, and goes on itself. */
function obeying(what: Readonly<Record<string, (line: FaultyLine, way: Way) => void>>): Fault {
  return {
    kind: "obeying",
    carry(bytes, way, line) {
      for (const letter of Buffer.from(bytes).toString()) what[letter]?.(line, way);
      return undefined;
    },
  };
}

/** The same for frames. */
function obeyingFrames(what: Readonly<Record<string, (line: FaultyLine) => void>>): Fault {
  return { kind: "obeying", carryFrame: (frame, _way, line) => void what[Buffer.from(frame).toString()]?.(line) };
}

function open(fault: Fault, port?: "tcp" | "terminal"): { line: OpenLine; faults: Faults; clock: ManualClock } {
  const clock = new ManualClock();
  const faults = new Faults(clock);
  faults.add(fault);
  return { line: openLine(faults, clock, port), faults, clock };
}

describe("a line that is held", () => {
  test("keeps the order, whatever comes meanwhile", () => {
    const { line, clock } = open(obeying({ H: (it, way) => it.hold(way, 100) }));
    for (const text of ["a", "H", "b", "c"]) line.put("toDock", text);
    expect(line.text("toDock")).toBe("a");
    clock.advance(99);
    line.put("toDock", "d");
    expect(line.text("toDock")).toBe("a");
    clock.advance(1);
    expect(line.text("toDock")).toBe("aHbcd");
    expect(clock.waiting).toBe(0);
  });

  test("lets nothing overtake what an earlier hold still keeps", () => {
    const { line, clock } = open(obeying({ L: (it, way) => it.hold(way, 100), S: (it, way) => it.hold(way, 10) }));
    line.put("toHost", "L");
    line.put("toHost", "S");
    clock.advance(50);
    expect(line.text("toHost")).toBe("");
    clock.advance(50);
    expect(line.text("toHost")).toBe("LS");
  });

  test("isn't held the other way", () => {
    const { line } = open(obeying({ H: (it, way) => it.hold(way, 100) }));
    line.put("toDock", "H");
    line.put("toHost", "x");
    expect(line.text("toHost")).toBe("x");
  });

  test("says that it is full before 1 MiB waits for the host, and then that it has room", () => {
    const { line, clock } = open(obeying({ H: (it, way) => it.hold(way, 100) }));
    line.put("toHost", "H");
    line.put("toHost", new Uint8Array(MIB / 2));
    expect(line.line.isFull()).toBe(false);
    line.put("toHost", new Uint8Array(MIB / 2 - 1));
    expect(line.line.isFull()).toBe(true);
    expect(line.told).toEqual([]);
    clock.advance(100);
    expect(line.line.isFull()).toBe(false);
    expect(line.told).toEqual(["drained"]);
    expect(line.came("toHost")).toHaveLength(MIB);
  });

  test.each(["toDock", "toHost"] as const)("keeps 1 MiB %s, and loses and counts what comes beyond", (way) => {
    const { line, clock, faults } = open(obeying({ H: (it) => it.hold(way, 100) }));
    line.put(way, "H");
    line.put(way, new Uint8Array(MIB - 4).fill(1));
    line.put(way, Uint8Array.of(2, 2, 2, 2));
    line.put(way, Uint8Array.of(3));
    clock.advance(100);
    expect(line.came(way)).toHaveLength(MIB - 2);
    expect(line.came(way).at(-1)).toBe(3);
    expect(faults.counts.get("overflow")).toBe(4);
  });

  test("loses what it keeps when the host hangs up", () => {
    const { line, clock } = open(obeying({ H: (it, way) => it.hold(way, 100) }));
    line.put("toDock", "H");
    line.peer.hangUp();
    expect(line.told).toEqual(["hangUp"]);
    expect(clock.waiting).toBe(0);
    line.put("toDock", "x");
    expect(line.text("toDock")).toBe("x");
  });
});

test("a line is full while its port is, and the dock isn't told of room before both have it", () => {
  const { line, clock } = open(obeying({ H: (it, way) => it.hold(way, 100) }));
  line.port = "full";
  expect(line.line.isFull()).toBe(true);
  line.put("toHost", "H");
  line.put("toHost", new Uint8Array(MIB - 1));
  line.port = "empty";
  line.peer.drained();
  expect(line.told).toEqual([]);
  clock.advance(100);
  expect(line.told).toEqual(["drained"]);
});

test("a line that is paced brings its bytes evenly, in order", () => {
  const { line, clock } = open({ kind: "pacing", carry: (_bytes, way, it) => void it.pace(way, 1000) });
  line.put("toHost", new Uint8Array(60).fill(1));
  line.put("toHost", new Uint8Array(40).fill(2));
  clock.advance(50);
  expect(line.came("toHost")).toHaveLength(50);
  clock.advance(49);
  expect(line.came("toHost").length).toBeLessThan(100);
  clock.advance(1);
  expect([...line.came("toHost")]).toEqual([...Array<number>(60).fill(1), ...Array<number>(40).fill(2)]);
});

describe("a line that is cut", () => {
  const cutting = obeying({
    C: (it) => it.cut(1000),
    E: (it) => it.cut(Number.POSITIVE_INFINITY),
    H: (it, way) => it.hold(way, 50),
  });

  test("brings what was being carried, and loses the rest both ways", () => {
    const { line } = open(cutting);
    for (const text of ["a", "bC", "c"]) line.put("toDock", text);
    line.put("toHost", "d");
    expect(line.text("toDock")).toBe("abC");
    expect(line.text("toHost")).toBe("");
    expect(line.cuts).toBe(1);
  });

  test("is cut only when what was held before has arrived", () => {
    const { line, clock } = open(cutting);
    for (const text of ["H", "C", "c"]) line.put("toDock", text);
    line.put("toHost", "d");
    expect(line.cuts).toBe(0);
    clock.advance(50);
    line.put("toHost", "e");
    expect(line.cuts).toBe(1);
    expect(line.text("toDock")).toBe("HC");
    expect(line.text("toHost")).toBe("d");
  });

  test("loses what is held the other way", () => {
    const { line, clock } = open(cutting);
    line.put("toHost", "H");
    line.put("toDock", "C");
    clock.advance(2000);
    expect(line.text("toHost")).toBe("");
  });

  test("is cut after the frame at which a fault has asked for it", () => {
    const { line } = open(obeyingFrames({ C: (it) => it.cut(1000) }));
    line.put("toDock", "\0a\0C\0b\0c\0");
    expect(line.text("toDock")).toBe("\0a\0C\0");
  });

  test("brings all frames of what was being carried as bytes", () => {
    const { line } = open({
      kind: "both",
      carry: (_bytes, _way, it) => void it.cut(1000),
      carryFrame: () => undefined,
    });
    line.put("toDock", "a\0b\0");
    expect(line.text("toDock")).toBe("a\0b\0");
  });

  test("is cut at once when a fault asks for it out of turn", () => {
    let its: FaultyLine | undefined;
    const { line } = open({
      kind: "later",
      carry(_bytes, _way, it) {
        its = it;
        return undefined;
      },
    });
    line.put("toDock", "a");
    expect(line.cuts).toBe(0);
    its?.cut(1000);
    expect(line.cuts).toBe(1);
  });

  test("cuts new connections until it is back, without a word to the dock", () => {
    const { line, faults, clock } = open(cutting);
    line.put("toDock", "C");
    const early = openLine(faults, clock);
    early.put("toDock", "a");
    early.peer.hangUp();
    expect(early.cuts).toBe(1);
    expect(early.told).toEqual([]);
    expect(early.text("toDock")).toBe("");
    clock.advance(1000);
    const late = openLine(faults, clock);
    late.put("toDock", "b");
    expect(late.cuts).toBe(0);
    expect(late.text("toDock")).toBe("b");
  });

  test("stays cut where the port has cut it, also when new connections work again", () => {
    const { line, clock } = open(cutting);
    line.put("toDock", "C");
    clock.advance(1000);
    line.put("toDock", "a");
    line.put("toHost", "b");
    expect(line.text("toDock")).toBe("C");
    expect(line.text("toHost")).toBe("");
  });

  test("tells the dock when the port hangs up", () => {
    const { line } = open(cutting);
    line.put("toDock", "C");
    expect(line.told).toEqual([]);
    line.peer.hangUp();
    expect(line.told).toEqual(["hangUp"]);
  });

  test("goes on where the port can't be cut, with nothing but a loss to be noticed", () => {
    const { line, clock } = open(cutting, "terminal");
    line.put("toDock", "C");
    clock.advance(999);
    line.put("toDock", "a");
    line.put("toHost", "b");
    clock.advance(1);
    line.put("toDock", "c");
    line.put("toHost", "d");
    expect(line.text("toDock")).toBe("Cc");
    expect(line.text("toHost")).toBe("d");
    expect(line.told).toEqual([]);
    expect(line.cuts).toBe(0);
  });

  test("is there again for a terminal that is opened meanwhile", () => {
    const { line, faults, clock } = open(cutting);
    line.put("toDock", "C");
    const terminal = openLine(faults, clock, "terminal");
    terminal.put("toDock", "a");
    clock.advance(1000);
    terminal.put("toDock", "b");
    expect(terminal.text("toDock")).toBe("b");
  });

  test("never comes back when it wasn't told to", () => {
    const { line, faults, clock } = open(cutting, "terminal");
    line.put("toDock", "E");
    clock.advance(1e12);
    line.put("toDock", "a");
    expect(line.text("toDock")).toBe("E");
    expect(openLine(faults, clock).cuts).toBe(1);
  });

  test("loses the half of a frame that came before it", () => {
    const { line, clock } = open(obeyingFrames({ C: (it) => it.cut(1000) }), "terminal");
    line.put("toHost", "half");
    line.put("toDock", "C\0");
    clock.advance(1000);
    line.put("toHost", "whole\0");
    expect(line.text("toHost")).toBe("whole\0");
  });
});

describe("a line that the dock cuts", () => {
  const slow: Fault = { kind: "slow", carry: (_bytes, way, it) => void it.hold(way, 50) };

  test("is cut when all that was sent has gone, and new connections work at once", () => {
    const { line, faults, clock } = open(slow);
    line.put("toHost", "bye");
    line.line.cut?.();
    expect(line.cuts).toBe(0);
    clock.advance(50);
    expect(line.text("toHost")).toBe("bye");
    expect(line.cuts).toBe(1);
    expect(openLine(faults, clock).cuts).toBe(0);
  });

  test("can't be cut where the port can't", () => {
    expect(open(slow, "terminal").line.line.cut).toBeUndefined();
    expect(open(slow, "tcp").line.line.cut).toBeDefined();
  });
});
