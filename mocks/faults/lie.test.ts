import { expect, test } from "vitest";
import { type DockMessage, encodeMessage, parseDockMessage } from "../../protocol/index.js";
import { Faults } from "../faults.js";
import { Random } from "../random.js";
import { LIES } from "./options.js";
import { parseFault } from "./parse.js";
import { ManualClock } from "./testing/manual-clock.js";
import { RecordedDock } from "./testing/recorded-dock.js";

/** What the dock says in place of messages, and how often it lied. */
function said(text: string, messages: readonly DockMessage[], seed = 1): { instead: DockMessage[]; lies: number } {
  const clock = new ManualClock();
  const faults = new Faults(clock);
  faults.add(parseFault(text, new Random(seed)));
  const instead = messages.flatMap((it) => faults.say(it, new RecordedDock(clock)));
  return { instead, lies: faults.counts.get("lie") ?? 0 };
}

const sha256 = new Uint8Array(32).fill(7);
const head: DockMessage = {
  type: "head",
  id: 5,
  meta: { tag: "a", type: "png", size: 100, store: "runtime", generation: 3, sha256 },
};
const result: DockMessage = { type: "result", id: 5, value: { size: 100, sha256, store: "factory", generation: 3 } };
const data: DockMessage = { type: "dockData", id: 5, offset: 0, bytes: Uint8Array.of(1) };
const resend: DockMessage = { type: "dockResend", id: 5, from: 10, to: 20, limit: 30 };
const credit: DockMessage = { type: "dockCredit", id: 5, limit: 2 ** 32 - 1 };
const pending: DockMessage = { type: "pending", id: 5 };
const all = [head, result, data, resend, credit, pending];

/** Where each kind of message has the fields that can be lied about. */
const places = {
  id: all.map((it) => [it, "id"] as const),
  offset: [[data, "offset"]],
  size: [
    [head, "size"],
    [result, "size"],
  ],
  sha256: [
    [head, "sha256"],
    [result, "sha256"],
  ],
  credit: [
    [resend, "limit"],
    [credit, "limit"],
  ],
  type: [[head, "type"]],
  store: [
    [head, "store"],
    [result, "store"],
  ],
  generation: [
    [head, "generation"],
    [result, "generation"],
  ],
} as const;

/** A message as a flat map of what it says. */
function flat(message: DockMessage | undefined): Record<string, unknown> {
  const { meta = {}, value = {}, ...rest }: Record<string, unknown> = { ...message };
  return { kind: rest.type, ...rest, ...(typeof meta === "object" ? meta : {}), ...(typeof value === "object" ? value : {}) };
}

test.each(LIES)("a lie about %s changes that field and no other, into what the protocol allows", (field) => {
  for (const [message, key] of places[field]) {
    for (let seed = 1; seed <= 50; seed++) {
      const { instead, lies } = said(`lie:rate=1,field=${field}`, [message], seed);
      const [before, after] = [flat(message), flat(instead[0])];
      expect(Object.keys(after)).toEqual(Object.keys(before));
      expect(Object.keys(after).filter((it) => JSON.stringify(after[it]) !== JSON.stringify(before[it]))).toEqual([key]);
      expect(instead.map((it) => parseDockMessage(encodeMessage(it)).kind)).toEqual(["message"]);
      expect(lies).toBe(1);
    }
  }
});

test.each(LIES)("a dock that lies about %s says all else as it is", (field) => {
  const met: readonly DockMessage[] = places[field].map(([message]) => message);
  const others = all.filter((it) => !met.includes(it));
  expect(said(`lie:rate=1,field=${field}`, others)).toEqual({ instead: others, lies: 0 });
});

test("a dock lies about any field where none is named, as often as the rate says and the same with the same seed", () => {
  const messages = Array.from({ length: 1_000 }, () => head);
  const { instead, lies } = said("lie:rate=0.2", messages);
  expect(instead.filter((it) => it !== head)).toHaveLength(lies);
  expect(Math.abs(lies - 200)).toBeLessThan(60);
  const seen = new Set(instead.flatMap((it) => Object.keys(flat(it)).filter((key) => flat(it)[key] !== flat(head)[key])));
  expect([...seen].sort()).toEqual(["generation", "id", "sha256", "size", "store", "type"]);
  expect(said("lie:rate=0.2", messages).instead).toEqual(instead);
  expect(said("lie:rate=0.2", messages, 2).instead).not.toEqual(instead);
});

test("what has no field to lie about stays as it is", () => {
  const messages: DockMessage[] = [
    { type: "log", level: "info", text: "hello" },
    { type: "failure", id: 0, failure: { code: "VERSION", message: "", retryable: false } },
  ];
  expect(said("lie:rate=1", messages)).toEqual({ instead: messages, lies: 0 });
});
