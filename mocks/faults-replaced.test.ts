/** Faults that are replaced while a line is open and a dock is at work: nothing of them is left behind. */
import { describe, expect, test } from "vitest";
import type { HostMessage } from "../protocol/index.js";
import { parseFault } from "./faults/parse.js";
import { ManualClock } from "./faults/testing/manual-clock.js";
import { type OpenLine, openLine } from "./faults/testing/open-line.js";
import { RecordedDock } from "./faults/testing/recorded-dock.js";
import { type Fault, Faults } from "./faults.js";
import { Random } from "./random.js";

const random = new Random(1);

interface Replaceable {
  readonly faults: Faults;
  readonly line: OpenLine;
  readonly dock: RecordedDock;
  readonly clock: ManualClock;
  /** Replaces the faults by those that the texts name. */
  readonly replace: (...texts: readonly string[]) => void;
}

function open({ port = "tcp" as "tcp" | "terminal", lasting = [] as readonly string[] } = {}): Replaceable {
  const clock = new ManualClock();
  const faults = new Faults(clock);
  for (const text of lasting) faults.add(parseFault(text, random));
  const replace = (...texts: readonly string[]): void => faults.replace(texts.map((text) => parseFault(text, random)));
  return { faults, line: openLine(faults, clock, port), dock: new RecordedDock(clock), clock, replace };
}

/** Puts a letter behind what goes by. */
function suffix(letter: string): Fault {
  return { kind: letter, carry: (bytes) => [bytes, Buffer.from(letter)] };
}

function request(id: number): HostMessage {
  return { type: "request", id, op: "kv.get", params: { key: "timezone" } };
}

describe("faults that are given", () => {
  test("meet what comes from then on, the newest first, and before those that stay", () => {
    const { faults, line } = open();
    faults.add(suffix("1"));
    line.put("toDock", "x");
    faults.replace([suffix("2"), suffix("3")]);
    line.put("toDock", "y");
    expect(line.text("toDock")).toBe("x1y1213121");
  });

  test("are in place of those that were given before, and beside those that stay", () => {
    const { faults, line } = open();
    faults.replace([suffix("2")]);
    faults.add(suffix("1"));
    line.put("toDock", "x");
    faults.replace([suffix("3")]);
    line.put("toDock", "y");
    faults.replace([]);
    line.put("toDock", "z");
    expect(line.text("toDock")).toBe("x121y131z1");
  });

  test("begin to count when they are given", () => {
    const { line, replace } = open();
    line.put("toDock", "ab");
    replace("drop:at=2");
    line.put("toDock", "cde");
    expect(line.text("toDock")).toBe("abce");
  });

  test("go on as they are when they are given again", () => {
    const { faults, line } = open();
    const drop = parseFault("drop:at=3", random);
    faults.replace([drop]);
    line.put("toDock", "ab");
    faults.replace([suffix("1"), drop]);
    line.put("toDock", "cd");
    expect(line.text("toDock")).toBe("abd1");
  });

  test("keep what they have of a frame when they are given again", () => {
    const { faults, line } = open();
    const reorder = parseFault("reorder:at=1", random);
    faults.replace([suffix("1"), reorder]);
    line.put("toDock", "a\0b");
    faults.replace([reorder, suffix("2")]);
    line.put("toDock", "\0");
    expect(line.text("toDock")).toBe("b\0a\0");
  });

  test("meet only those that are there now when they say or hear something later", () => {
    const { faults, dock, clock } = open();
    const taken: Fault = { kind: "taken", hear: () => "taken" };
    const slow = parseFault("slow:ms=100", random);
    faults.replace([taken, slow]);
    faults.hear(request(1), dock);
    faults.replace([slow]);
    clock.advance(100);
    expect(dock.heard).toEqual([request(1)]);
  });
});

describe("a line whose faults are gone", () => {
  test.each(["delay:ms=1000", "stall:at=1,ms=1000", "rate:bytes=10"])("brings at once, in order, what %s held back", (text) => {
    const { line, clock, replace } = open();
    replace(text);
    for (const way of ["toDock", "toHost"] as const) {
      line.put(way, "held ");
      line.put(way, "back ");
      expect(line.text(way)).toBe("");
    }
    replace();
    for (const way of ["toDock", "toHost"] as const) {
      line.put(way, "now");
      expect(line.text(way)).toBe("held back now");
    }
    expect(clock.waiting).toBe(0);
  });

  test("brings once what was on its way half", () => {
    const { line, clock, replace } = open();
    replace("rate:bytes=1000");
    line.put("toHost", Buffer.from(Array.from({ length: 100 }, (_, i) => i)));
    clock.advance(55);
    replace();
    expect([...line.came("toHost")]).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  test("has room again where it was full", () => {
    const { line, replace } = open();
    replace("delay:ms=1000");
    line.put("toHost", new Uint8Array(1024 * 1024));
    expect(line.line.isFull()).toBe(true);
    replace();
    expect(line.line.isFull()).toBe(false);
    expect(line.told).toEqual(["drained"]);
  });

  test("is paced by those that stay", () => {
    const { line, clock, replace } = open({ lasting: ["delay:ms=50"] });
    replace("rate:bytes=10");
    replace();
    line.put("toHost", "x");
    clock.advance(49);
    expect(line.text("toHost")).toBe("");
    clock.advance(1);
    expect(line.text("toHost")).toBe("x");
  });

  test("isn't disturbed where a fault is only added", () => {
    const { faults, line, clock } = open();
    const delay = parseFault("delay:ms=50", random);
    faults.replace([delay]);
    line.put("toHost", "x");
    faults.replace([delay, parseFault("echo", random)]);
    expect(line.text("toHost")).toBe("");
    clock.advance(50);
    expect(line.text("toHost")).toBe("x");
  });

  test("brings the half of a frame that a fault has kept", () => {
    const { line, replace } = open();
    replace("truncate:at=9", "text:at=9,way=toDock");
    line.put("toDock", "a\0ha");
    expect(line.text("toDock")).toBe("a\0");
    replace();
    line.put("toDock", "lf\0");
    expect(line.text("toDock")).toBe("a\0half\0");
  });

  test("brings the frame that waited to be overtaken", () => {
    const { line, replace } = open();
    replace("reorder:at=1");
    line.put("toDock", "a\0b");
    expect(line.text("toDock")).toBe("");
    replace();
    line.put("toDock", "\0");
    expect(line.text("toDock")).toBe("a\0b\0");
  });
});

describe("a line that was cut for good", () => {
  test("takes new connections when the fault is gone, and loses nothing more", () => {
    const { faults, line, clock, replace } = open();
    replace("cut:at=1");
    line.put("toDock", "x");
    expect(openLine(faults, clock).cuts).toBe(1);
    replace();
    const next = openLine(faults, clock);
    next.put("toDock", "y");
    expect([line.cuts, next.cuts, next.text("toDock")]).toEqual([1, 0, "y"]);
  });

  test("goes on where the port can't be cut", () => {
    const { line, replace } = open({ port: "terminal" });
    replace("cut:at=1");
    for (const text of ["x", "lost"]) line.put("toDock", text);
    replace("drop:at=9");
    line.put("toDock", "y");
    expect(line.text("toDock")).toBe("xy");
  });

  test("stays cut by a fault that stays", () => {
    const { line, replace } = open({ port: "terminal", lasting: ["cut:at=3"] });
    replace("cut:at=1,back=1");
    line.put("toDock", "x");
    replace();
    line.put("toDock", "yz");
    replace("echo");
    replace();
    line.put("toDock", "lost");
    expect(line.text("toDock")).toBe("xyz");
  });

  test("is cut and back at once where the cut still waited for what was held", () => {
    const { faults, line, clock, replace } = open();
    replace("cut:at=2", "delay:ms=1000");
    line.put("toHost", "ab");
    expect(line.cuts).toBe(0);
    replace();
    expect([line.cuts, line.text("toHost"), openLine(faults, clock).cuts]).toEqual([1, "ab", 0]);
  });
});

describe("a dock whose faults are gone", () => {
  test("carries out at once, and once, what slow had kept", () => {
    const { faults, dock, clock, replace } = open();
    replace("slow:ms=1000");
    for (const id of [1, 2]) faults.hear(request(id), dock);
    replace();
    expect(dock.heard).toEqual([request(1), request(2)]);
    clock.advance(1000);
    expect(dock.heard).toHaveLength(2);
    expect(dock.said).toEqual([]);
  });

  test("is back at once, and once, when restart had it away", () => {
    const { faults, dock, clock, replace } = open();
    replace("restart:at=1,ms=1000");
    expect(faults.hear(request(1), dock)).toBe(true);
    replace();
    expect(dock.did).toEqual(["restart"]);
    expect(faults.hear(request(2), dock)).toBe(false);
    clock.advance(1000);
    expect(dock.did).toEqual(["restart"]);
  });

  test("isn't restarted where it wasn't away", () => {
    const { dock, replace } = open();
    replace("restart:at=1");
    replace();
    expect(dock.did).toEqual([]);
  });
});

test("a line that has hung up is left alone", () => {
  const { line, replace } = open();
  replace("reorder:at=1");
  line.put("toDock", "a\0");
  line.peer.hangUp();
  replace();
  expect(line.text("toDock")).toBe("");
});
