import { describe, expect, test } from "vitest";
import type { DockMessage, HostMessage } from "../protocol/index.js";
import { ManualClock } from "./faults/testing/manual-clock.js";
import { type OpenLine, openLine } from "./faults/testing/open-line.js";
import { RecordedDock } from "./faults/testing/recorded-dock.js";
import { type Fault, Faults } from "./faults.js";

const cancel: HostMessage = { type: "cancel", id: 7 };
const pending: DockMessage = { type: "pending", id: 7 };

/** Faults, given from the oldest to the newest, on a line and in a dock. */
function stack(...faults: readonly Fault[]): { faults: Faults; line: OpenLine; dock: RecordedDock; clock: ManualClock } {
  const clock = new ManualClock();
  const stacked = new Faults(clock);
  for (const fault of faults) stacked.add(fault);
  return { faults: stacked, line: openLine(stacked, clock), dock: new RecordedDock(clock), clock };
}

/** Puts a letter behind what goes by. */
function suffix(letter: string): Fault {
  return { kind: letter, carry: (bytes) => [bytes, Buffer.from(letter)] };
}

describe("on the line", () => {
  test("what the newest fault lets go on meets the older ones", () => {
    const { line } = stack(suffix("1"), suffix("2"));
    line.put("toDock", "x");
    expect(line.text("toDock")).toBe("x121");
  });

  test("a fault that declines leaves the bytes to the others", () => {
    const { line } = stack(suffix("1"), { kind: "none", carry: () => undefined });
    line.put("toHost", "x");
    expect(line.text("toHost")).toBe("x1");
  });

  test("what a fault lets nothing of is lost", () => {
    const { line } = stack(suffix("1"), { kind: "all", carry: () => [] });
    line.put("toDock", "x");
    expect(line.text("toDock")).toBe("");
  });

  test("a fault that is added to an open line meets what comes from then on", () => {
    const { faults, line } = stack();
    line.put("toDock", "x");
    faults.add(suffix("1"));
    line.put("toDock", "y");
    expect(line.text("toDock")).toBe("xy1");
  });

  test("what a fault sends meets the older ones only", () => {
    const answering: Fault = {
      kind: "answering",
      carry(_bytes, way, it) {
        if (way === "toDock") it.send("toHost", Buffer.from("!"));
        return undefined;
      },
    };
    const { line } = stack(suffix("1"), answering, suffix("2"));
    line.put("toDock", "x");
    expect(line.text("toHost")).toBe("!1!1");
    expect(line.text("toDock")).toBe("x121");
  });

  test("bytes are handed on at once and as they are where no fault acts", () => {
    const { line } = stack({ kind: "dock", hear: () => "taken" }, { kind: "frames", carryFrame: () => undefined });
    const bytes = Uint8Array.of(0, 1, 2, 0, 0, 3, 0);
    line.put("toHost", bytes);
    expect([...line.came("toHost")]).toEqual([...bytes]);
  });

  test("bytes aren't split into frames where no fault asks for frames", () => {
    const { line } = stack({ kind: "bytes", carry: () => undefined });
    line.put("toHost", Uint8Array.of(0, 1, 2, 0, 0, 3));
    expect(line.arrivals.toHost).toHaveLength(1);
  });
});

describe("in the dock", () => {
  const deaf: Fault = {
    kind: "deaf",
    hear(_message, dock) {
      dock.count();
      return "taken";
    },
  };

  test("a message that a fault has taken isn't seen by the older ones", () => {
    const { faults, dock } = stack({ ...deaf, kind: "older" }, { ...deaf, kind: "newer" });
    expect(faults.hear(cancel, dock)).toBe(true);
    expect([...faults.counts]).toEqual([["newer", 1]]);
  });

  test("a message that all faults decline is the dock's", () => {
    const { faults, dock } = stack({ kind: "none", hear: () => undefined });
    expect(faults.hear(cancel, dock)).toBe(false);
  });

  /** Says a message once more, with a digit behind its id. */
  const again = (digit: number): Fault => ({
    kind: "again",
    say: (message) => ("id" in message ? [message, { ...message, id: message.id * 10 + digit }] : undefined),
  });

  test("each message that a fault has said instead meets the older ones", () => {
    const { faults, dock } = stack(again(1), again(2));
    expect(faults.say(pending, dock)).toEqual([7, 71, 72, 721].map((id) => ({ type: "pending", id })));
  });

  test("what the dock says stays as it is where all faults decline", () => {
    const { faults, dock } = stack({ kind: "none", say: () => undefined });
    expect(faults.say(pending, dock)).toEqual([pending]);
  });

  const speaking: Fault = {
    kind: "speaking",
    hear(message, dock) {
      dock.say(pending);
      dock.hear(message);
      return "taken";
    },
  };

  test("what a fault has the dock say meets the older ones only", () => {
    const { faults, dock } = stack(again(1), speaking, again(2));
    faults.hear(cancel, dock);
    expect(dock.said).toEqual([7, 71].map((id) => ({ type: "pending", id })));
  });

  test("what a fault has the dock hear meets the older ones only", () => {
    const { faults, dock } = stack({ ...deaf, kind: "older" }, speaking);
    faults.hear(cancel, dock);
    expect(dock.heard).toEqual([]);
    const { faults: others, dock: hearing } = stack(speaking, { ...speaking, kind: "newer" });
    others.hear(cancel, hearing);
    expect(hearing.heard).toEqual([cancel]);
  });
});

test("what happens is counted by kind, on the line and in the dock", () => {
  const counting: Fault = {
    kind: "counting",
    carry: (_bytes, _way, line) => void line.count(3),
    hear: (_message, dock) => void dock.count(),
  };
  const { faults, line, dock } = stack(counting, { ...counting, kind: "other" });
  line.put("toDock", "x");
  faults.hear(cancel, dock);
  expect(Object.fromEntries(faults.counts)).toEqual({ counting: 4, other: 4 });
});
