/** A dock that lies while it is written to costs one error with a code that says so, in bounded time and memory (SPEC §5.5, §10). */
import { describe, expect, test } from "vitest";
import type { Item } from "../protocol/index.js";
import { KvStore } from "./kv-store.js";
import { PIECE, sha256Of } from "./testing/picture.js";
import { END, image } from "./testing/reading.js";
import { type Receiving, type Uploading, uploading } from "./testing/receiving.js";
import type { Script, ScriptedDock } from "./testing/scripted-dock.js";
import { watch } from "./testing/watch.js";
import { openWritable, REMOVED } from "./testing/writable.js";

const MOST = 2 ** 32 - 1;
const head = { tag: "logo", type: "png", size: END, store: "runtime", generation: 1, sha256: sha256Of(image) };

/** What a hostile dock says to an upload of which it has been sent two pieces, by the credit that it gave. */
type Lie = (it: Receiving) => unknown;

describe("a dock that takes an upload", () => {
  const lies: readonly { readonly lie: string; readonly says: Lie }[] = [
    { lie: "asks for a byte beyond the end", says: (it) => it.at(END + 1, MOST) },
    { lie: "asks for a byte at 2³² − 1", says: (it) => it.at(MOST, MOST) },
    { lie: "asks again for what was never sent", says: (it) => it.resend(3 * PIECE, 4 * PIECE, END) },
    { lie: "lacks nothing that was never sent", says: (it) => it.at(2 * PIECE + 1, END) },
    { lie: "has a result that is empty", says: (it) => it.done({}) },
    { lie: "has a result of something else", says: (it) => it.done({ size: END, sha256: sha256Of(image) }) },
    { lie: "has a result whose generation is negative", says: (it) => it.done({ ...REMOVED, generation: -1 }) },
    { lie: "sends a head", says: (it) => it.item(15, head) },
    { lie: "sends a head that isn't one", says: (it) => it.item(15, {}) },
    { lie: "sends data", says: (it) => it.item(16, 0, Uint8Array.of(1)) },
  ];

  /** Two pieces have been sent. */
  async function begun(script?: Script): Promise<Uploading> {
    const it = await uploading(image, script === undefined ? {} : { script });
    it.receiving.at(0, 2 * PIECE);
    await it.clock.settle();
    return it;
  }

  test.each(lies)("and $lie is PROTOCOL, and is told to stop", async ({ says }) => {
    const { clock, dock, put, receiving, session } = await begun();
    says(receiving);
    await clock.settle();
    expect(put.code).toBe("PROTOCOL");
    expect(put.error.message).toContain("logo");
    expect(dock.said("cancel").map(({ id }) => id)).toEqual([receiving.id]);
    expect(receiving.count).toBe(2 * PIECE);
    expect(session.over).toBeUndefined();
    await clock.advance(20_000);
    expect(clock.waiting).toBe(0);
  });

  test.each(lies)("and $lie, and says more of it after that, costs no second error", async ({ says }) => {
    const { clock, put, receiving, session } = await begun();
    for (let i = 0; i < 3; i++) says(receiving);
    receiving.at(0, MOST).credit(MOST).done();
    await clock.advance(20_000);
    expect(put.code).toBe("PROTOCOL");
    expect(receiving.count).toBe(2 * PIECE);
    expect(session.over).toBeUndefined();
  });

  const before = lies.filter(({ lie }) => !/never sent/.test(lie));
  test.each(before)("and $lie as its first word is PROTOCOL once it confirms the cancel", async ({ says }) => {
    const { clock, dock, put, receiving } = await uploading();
    says(receiving);
    await clock.settle();
    expect(dock.said("cancel")).toHaveLength(1);
    receiving.failure("CANCELLED");
    await clock.settle();
    expect(put.code).toBe("PROTOCOL");
    expect(receiving.ranges).toEqual([]);
    expect(clock.waiting).toBe(0);
  });

  test("and goes back before where it began is PROTOCOL", async () => {
    const { clock, put, receiving } = await uploading();
    receiving.at(PIECE, 2 * PIECE);
    await clock.settle();
    receiving.back(0, END);
    await clock.settle();
    expect(put.code).toBe("PROTOCOL");
    expect(receiving.count).toBe(PIECE);
  });

  test.each<[string, Lie]>([
    ["an end before a beginning", (it) => it.item(18, PIECE, 0, END)],
    ["a limit of 2³²", (it) => it.item(17, 2 ** 32)],
    ["a negative limit", (it) => it.item(17, -1)],
    ["a result that is an array", (it) => it.item(13, [])],
    ["a resend of three items", (it) => it.item(18, 0, END)],
  ])("and says %s isn't understood, and the upload goes on", async (_, says) => {
    const { clock, put, receiving, session } = await begun();
    says(receiving);
    receiving.credit(END);
    await clock.settle();
    expect(session.counters.malformed).toBe(1);
    expect(receiving.bytes.equals(image)).toBe(true);
    receiving.done();
    await clock.settle();
    expect(put.code).toBe("done");
  });

  test("and has a wrong result when it has everything is OUTCOME_UNKNOWN, whether it says so again or is silent", async () => {
    for (const again of [true, false]) {
      const { clock, dock, put, receiving } = await uploading();
      receiving.at(0, END);
      await clock.settle();
      receiving.done({});
      await clock.settle();
      expect(dock.said("cancel")).toHaveLength(1);
      if (again) receiving.done({});
      await clock.advance(2_000);
      expect(put.code).toBe("OUTCOME_UNKNOWN");
      await clock.advance(20_000);
      expect(clock.waiting).toBe(0);
    }
  });
});

describe("a dock can't keep an upload alive", () => {
  /** A dock that says the same every 100 ms, or each time that it gets data. */
  async function nagging(says: Lie, timeout?: number): Promise<Uploading> {
    const it = await uploading(image, { timeout });
    const again = (): void => {
      if (it.put.code !== "pending") return;
      says(it.receiving);
      it.clock.after(100, again);
    };
    again();
    return it;
  }

  const naggings: readonly { readonly nag: string; readonly says: Lie }[] = [
    { nag: "the same resend", says: (it) => it.resend(0, PIECE, PIECE) },
    { nag: "that it begins", says: (it) => it.at(0, PIECE) },
    { nag: "that it lacks everything", says: (it) => it.back(0, END) },
    { nag: "the same credit", says: (it) => it.credit(PIECE) },
    { nag: "pending", says: (it) => it.pending() },
    { nag: "that the bytes aren't there, with other words", says: (it) => it.at(0, PIECE).credit(PIECE).pending() },
  ];

  test.each(naggings)("by saying $nag for ever beyond the time that its caller gave", async ({ says }) => {
    const { clock, put } = await nagging(says, 3_000);
    await clock.advance(2_900);
    expect(put.code).toBe("pending");
    await clock.advance(2_200);
    expect(["TIMEOUT", "OUTCOME_UNKNOWN"]).toContain(put.code);
  });

  test.each(naggings)(
    "by saying $nag for ever, 70 s and the time for a cancel unless its caller gave one",
    async ({ says }) => {
      const { clock, put } = await nagging(says);
      await clock.advance(73_000);
      expect(["TIMEOUT", "OUTCOME_UNKNOWN"]).toContain(put.code);
    },
  );

  test("by credit beyond the end, a byte a time", async () => {
    let limit = END;
    const { clock, put } = await nagging((it) => (it.request.id > 0 && limit === END ? it.at(0, limit++) : it.credit(limit++)));
    await clock.advance(73_000);
    expect(["TIMEOUT", "OUTCOME_UNKNOWN"]).toContain(put.code);
  });

  test("by taking all that its credit allows, and then nothing", async () => {
    const { clock, put, receiving } = await uploading();
    receiving.at(0, 4 * PIECE);
    await clock.advance(73_000);
    expect(put.code).toBe("TIMEOUT");
    await clock.advance(12_000);
    expect(clock.waiting).toBe(0);
  });

  test("a thousand ranges to be sent again cost no more than going back to the first", async () => {
    const { clock, receiving } = await uploading();
    receiving.at(0, END);
    await clock.settle();
    for (let i = 0; i < 1_000; i++) receiving.resend(2 * i, 2 * i + 1, END);
    for (let i = 0; i < 20; i++) await clock.settle();
    expect(receiving.ranges.length).toBeLessThan(1_100);
    expect(receiving.bytes.equals(image)).toBe(true);
  });
});

describe("a dock that lies about a key", () => {
  const says = (answer: (dock: ScriptedDock, id: number) => void): Script => {
    return (message, dock) => {
      if (message.type === "request" && message.op === "kv.set") answer(dock, message.id);
    };
  };

  test.each<[string, string, (dock: ScriptedDock, id: number) => void]>([
    ["a result without a generation", "OUTCOME_UNKNOWN", (dock, id) => dock.result(id, {})],
    ["a result of another operation", "OUTCOME_UNKNOWN", (dock, id) => dock.result(id, { found: false })],
    ["a code that there isn't", "INTERNAL", (dock, id) => dock.failure(id, "MELTDOWN")],
    ["a cancelled that nobody asked for", "CANCELLED", (dock, id) => dock.failure(id, "CANCELLED")],
    ["nothing but pending", "OUTCOME_UNKNOWN", (dock, id) => dock.send({ type: "pending", id })],
    ["a stream", "OUTCOME_UNKNOWN", (dock, id) => dock.send({ type: "dockResend", id, from: 0, to: 0, limit: MOST })],
    ["a credit", "OUTCOME_UNKNOWN", (dock, id) => dock.send({ type: "dockCredit", id, limit: MOST })],
    ["a result that is no map", "OUTCOME_UNKNOWN", (dock, id) => dock.sendItem([13, id, ["x"] satisfies Item])],
  ])("and says %s is %s", async (_, code, answer) => {
    const { clock, dock, session } = await openWritable({ script: says(answer) });
    const written = watch(new KvStore(session).set("zone", "GMT", { store: "runtime" }));
    await clock.advance(60_000);
    expect(written.code).toBe(code);
    expect(dock.said("hostData")).toEqual([]);
    expect(session.over).toBeUndefined();
    expect(clock.waiting).toBe(0);
  });

  test("a failure's text is safe to print, and no longer than it may be", async () => {
    const { clock, session } = await openWritable({
      script: says((dock, id) =>
        dock.sendItem([14, id, { code: "NO_SPACE", message: `\u001b[2J${"x".repeat(200)}`, retryable: false, free: 12 }]),
      ),
    });
    const written = watch(new KvStore(session).set("zone", "GMT", { store: "runtime" }));
    await clock.settle();
    expect(written.error).toMatchObject({ code: "NO_SPACE", details: { free: 12 } });
    expect(written.error.message).not.toContain("\u001b");
  });
});
