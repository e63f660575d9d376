import { describe, expect, test } from "vitest";
import { USUAL_BODY, USUAL_LIMITS } from "../protocol/index.js";
import { openSession } from "./testing/open-session.js";
import type { Script } from "./testing/scripted-dock.js";
import { watch } from "./testing/watch.js";

const NONE = { found: false } as const;
const GMT = { found: true, value: "GMT", store: "factory", upd: false } as const;
const key = { key: "timezone" };

/** Answers every request so. */
function always(value: typeof NONE | typeof GMT): Script {
  return (message, dock) => {
    if (message.type === "request") dock.result(message.id, value);
  };
}

describe("a request", () => {
  test("goes out once with an operation and its params, and gives the answer", async () => {
    const { clock, dock, session } = await openSession({ script: always(GMT) });
    const asked = watch(session.request("kv.get", key, {}));
    await clock.settle();
    expect(asked.value).toEqual(GMT);
    expect(dock.said("request")).toMatchObject([{ op: "kv.get", params: key }]);
    expect(clock.waiting).toBe(0);
  });

  test("has an id of its own, one higher each time, and after 2³² − 1 comes 1", async () => {
    const { clock, dock, session } = await openSession({ script: always(NONE) });
    for (let i = 0; i < 3; i++) void session.request("kv.get", key, {});
    await clock.settle();
    const [first = 0, second, third] = dock.said("request").map(({ id }) => id);
    const next = (id: number): number => (id === 2 ** 32 - 1 ? 1 : id + 1);
    expect([second, third]).toEqual([next(first), next(next(first))]);
  });

  test("begins with another id in each session", async () => {
    const ids = new Set<number>();
    for (let i = 0; i < 3; i++) {
      const { clock, dock, session } = await openSession({ script: always(NONE) });
      void session.request("kv.get", key, {});
      await clock.settle();
      ids.add(dock.last("request").id);
    }
    expect(ids.size).toBeGreaterThan(1);
  });

  test("that needs a feature that the dock hasn't is UNSUPPORTED, and isn't sent", async () => {
    const { clock, dock, session } = await openSession();
    const asked = watch(session.request("dock.restart", {}, {}));
    await clock.settle();
    expect(asked.code).toBe("UNSUPPORTED");
    expect(dock.said("request")).toEqual([]);
  });

  test("several that are made in one turn go out in one write", async () => {
    const { clock, line, session } = await openSession({ script: always(NONE) });
    let writes = 0;
    line.dock.on("data", () => writes++);
    for (let i = 0; i < 5; i++) void session.request("kv.get", key, {});
    await clock.settle();
    expect(writes).toBe(1);
  });
});

describe("a request without an answer", () => {
  test("is sent again after 500 ms, then each time twice as long, 4 s at most: the same frame with the same id", async () => {
    const { clock, dock, session } = await openSession();
    const asked = watch(session.request("kv.get", key, { timeout: 30_000 }));
    await clock.advance(20_000);
    expect(asked.code).toBe("pending");
    expect(dock.timesOf("request")).toEqual([0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500]);
    expect(new Set(dock.heard.slice(1).map(({ frame }) => frame)).size).toBe(1);
    expect(session.counters.retries).toBe(7);
  });

  test("takes the answer to any of its repetitions", async () => {
    const { clock, dock, session } = await openSession();
    const asked = watch(session.request("kv.get", key, {}));
    await clock.advance(600);
    dock.result(dock.last("request").id, GMT);
    await clock.settle();
    expect(asked.value).toEqual(GMT);
    expect(clock.waiting).toBe(0);
  });

  test("is TIMEOUT after the time that was given, 10 s unless told, and is cancelled", async () => {
    const { clock, dock, session } = await openSession();
    const usual = watch(session.request("kv.get", key, {}));
    const short = watch(session.request("kv.get", key, { timeout: 700 }));
    await clock.advance(699);
    expect(short.code).toBe("pending");
    await clock.advance(1);
    expect(short.code).toBe("TIMEOUT");
    expect(short.error.retryable).toBe(true);
    expect(short.error.message).toContain("700 ms");
    await clock.advance(9_299);
    expect(usual.code).toBe("pending");
    await clock.advance(1);
    expect(usual.code).toBe("TIMEOUT");
    expect(new Set(dock.said("cancel").map(({ id }) => id))).toEqual(new Set(dock.said("request").map(({ id }) => id)));
  });

  test.each([
    { roundTrip: 2_000, again: 4_000 },
    { roundTrip: 400, again: 1_600 },
    { roundTrip: 100, again: 400 },
    { roundTrip: 10, again: 250 },
  ])("is sent again after $again ms once a round trip is known to take $roundTrip ms", async ({ roundTrip, again }) => {
    const slow: Script = (message, dock) => {
      if (message.type !== "request" || message.op !== "kv.get") return;
      if (dock.said("request").length === 1) clock.after(roundTrip, () => dock.result(message.id, NONE));
    };
    const { clock, dock, session } = await openSession({ script: slow });
    await clock.run(session.request("kv.get", key, {}));
    const begun = clock.now();
    void session.request("kv.list", {}, {}).catch(() => {});
    await clock.advance(again);
    expect(dock.timesOf("request").slice(-2)).toEqual([begun, begun + again]);
  });

  test("isn't sent again any more once the dock is known to be slow", async () => {
    const slow: Script = (message, dock) => {
      if (message.type === "request") clock.after(600, () => dock.result(message.id, NONE));
    };
    const { clock, dock, session } = await openSession({ script: slow });
    const repeated: number[] = [];
    for (let i = 0; i < 30; i++) {
      const before = dock.said("request").length;
      await clock.run(session.request("kv.get", key, {}));
      repeated.push(dock.said("request").length - before - 1);
    }
    expect(repeated[0]).toBeGreaterThan(0);
    expect(repeated.slice(-5)).toEqual([0, 0, 0, 0, 0]);
  });

  test("isn't sent again while a long frame is coming in", async () => {
    const { clock, dock, session } = await openSession();
    const asked = watch(session.request("kv.list", {}, {}));
    for (let i = 0; i < 10; i++) {
      await clock.advance(200);
      dock.raw(Uint8Array.from([0x85, 0x85, 0x85]));
    }
    expect(dock.said("request")).toHaveLength(1);
    await clock.advance(3_000);
    expect(dock.said("request").length).toBeGreaterThan(1);
    expect(asked.code).toBe("pending");
  });

  test("is sent again though other frames keep coming, once they are more than can have been on the way before its answer", async () => {
    const { clock, dock, session } = await openSession();
    const asked = watch(session.request("kv.get", key, {}));
    let beforeRepetition = 0;
    for (let i = 0; i < 60; i++) {
      await clock.advance(100);
      dock.send({ type: "dockData", id: 12, offset: 0, bytes: new Uint8Array(8_192) });
      if (dock.said("request").length === 1) beforeRepetition += 8_192;
    }
    expect(asked.code).toBe("pending");
    expect(dock.said("request").length).toBeGreaterThan(1);
    expect(beforeRepetition).toBeGreaterThan(session.flow.window);
    expect(beforeRepetition).toBeLessThan(4 * session.flow.window);
  });

  test("is sent again though the dock prints text all the time", async () => {
    const { clock, dock, session } = await openSession();
    const asked = watch(session.request("kv.get", key, {}));
    for (let i = 0; i < 20; i++) {
      await clock.advance(100);
      dock.raw("tick\r\n");
    }
    expect(asked.code).toBe("pending");
    expect(dock.said("request").length).toBeGreaterThan(1);
  });
});

describe("pending", () => {
  test("puts off the repetition by a retry time", async () => {
    const { clock, dock, session } = await openSession();
    void session.request("kv.get", key, {}).catch(() => {});
    for (let i = 0; i < 16; i++) {
      await clock.advance(200);
      dock.send({ type: "pending", id: dock.last("request").id });
    }
    expect(dock.said("request")).toHaveLength(1);
    await clock.advance(500);
    expect(dock.said("request")).toHaveLength(2);
  });

  test("doesn't put off the deadline", async () => {
    const { clock, dock, session } = await openSession();
    const asked = watch(session.request("kv.get", key, { timeout: 3_000 }));
    for (let i = 0; i < 30; i++) {
      await clock.advance(100);
      dock.send({ type: "pending", id: dock.last("request").id });
    }
    expect(asked.code).toBe("TIMEOUT");
    expect(clock.now()).toBe(3_000);
  });
});

describe("an answer", () => {
  test.each([
    ["NOT_FOUND", { retryable: false }, {}],
    ["TOO_LARGE", { limit: 4_096 }, { limit: 4_096 }],
    ["NO_SPACE", { store: "runtime", free: 12, retryable: true }, { store: "runtime", free: 12 }],
    ["READ_ONLY", { store: "factory" }, { store: "factory" }],
    ["BUSY", { retryable: true }, {}],
  ] as const)("that is the failure %s is a DockError with that code and what helps", async (code, more, details) => {
    const { clock, dock, session } = await openSession();
    const asked = watch(session.request("kv.get", key, {}));
    await clock.settle();
    dock.failure(dock.last("request").id, code, more);
    await clock.settle();
    expect(asked.code).toBe(code);
    expect(asked.error.details).toEqual(details);
    expect(asked.error.retryable).toBe("retryable" in more && more.retryable);
    expect(asked.error.message).toBe(`kv.get: what ${code} says`);
    expect(dock.said("cancel")).toEqual([]);
    expect(clock.waiting).toBe(0);
  });

  test("with a code that isn't known is INTERNAL", async () => {
    const { clock, dock, session } = await openSession();
    const asked = watch(session.request("kv.get", key, {}));
    await clock.settle();
    dock.failure(dock.last("request").id, "ON_FIRE");
    await clock.settle();
    expect(asked.code).toBe("INTERNAL");
  });

  test.each([
    ["nothing", {}],
    ["a value of another shape", { found: "yes" }],
    ["a value without its layer", { found: true, value: 1, upd: false }],
    ["a layer that there isn't", { found: true, value: 1, store: "flash", upd: false }],
  ])("of %s is PROTOCOL", async (_, value) => {
    const { clock, dock, session } = await openSession();
    const asked = watch(session.request("kv.get", key, {}));
    await clock.settle();
    dock.result(dock.last("request").id, value);
    await clock.settle();
    expect(asked.code).toBe("PROTOCOL");
  });

  test("to an id that isn't asked, or not any more, is ignored", async () => {
    const { clock, dock, session } = await openSession();
    const first = watch(session.request("kv.get", key, {}));
    await clock.settle();
    const { id } = dock.last("request");
    dock.result(id, NONE);
    dock.result(id, GMT);
    dock.failure(id, "INTERNAL");
    dock.result(id - 7 > 0 ? id - 7 : 12, GMT);
    dock.send({ type: "pending", id });
    dock.send({ type: "dockData", id, offset: 0, bytes: Uint8Array.of(1) });
    await clock.settle();
    expect(first.value).toEqual(NONE);
    const second = watch(session.request("kv.get", key, {}));
    await clock.settle();
    expect(second.code).toBe("pending");
    dock.result(dock.last("request").id, GMT);
    await clock.settle();
    expect(second.value).toEqual(GMT);
  });
});

describe("how much is under way", () => {
  test("is no more requests than the dock takes; the others follow in their order", async () => {
    const { clock, dock, session } = await openSession({ welcome: { limits: { ...USUAL_LIMITS, requests: 3 } } });
    const asked = Array.from({ length: 8 }, (_, i) => watch(session.request("kv.get", { key: `k${i}` }, {})));
    const keys = (): unknown[] => dock.said("request").map(({ params }) => params.key);
    await clock.settle();
    expect(keys()).toEqual(["k0", "k1", "k2"]);
    for (let i = 0; i < 8; i++) {
      const request = dock.said("request")[i];
      expect(keys().length).toBeLessThanOrEqual(i + 3);
      dock.result(request?.id ?? 0, NONE);
      await clock.settle();
    }
    expect(keys()).toEqual(["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"]);
    expect(asked.every(({ code }) => code === "done")).toBe(true);
  });

  test("is no more than the largest answers that the window holds", async () => {
    const { clock, dock, session } = await openSession();
    for (let i = 0; i < 32; i++) void session.request("kv.get", { key: `k${i}` }, { timeout: 100_000 }).catch(() => {});
    await clock.settle();
    const largest = USUAL_LIMITS.valueBytes + 128 + 64;
    expect(dock.said("request")).toHaveLength(Math.floor(session.flow.window / largest));
  });

  test("is no more than the dock's window of requests on their way to it", async () => {
    const { clock, dock, session } = await openSession({ welcome: { limits: { ...USUAL_LIMITS, window: 2_048 } } });
    for (let i = 0; i < 10; i++) void session.request("code.info", {}, {}).catch(() => {});
    for (let i = 0; i < 10; i++) void session.request("dock.info", {}, {}).catch(() => {});
    await clock.settle();
    const bytes = dock.heard.slice(1).reduce((sum, { frame }) => sum + frame.length / 2 + 2, 0);
    expect(dock.said("request").length).toBeGreaterThan(1);
    expect(bytes).toBeLessThanOrEqual(2_048);
  });

  test("counts no answer for more than the host takes, whatever the dock announces", async () => {
    const { clock, dock, session } = await openSession({ welcome: { limits: { ...USUAL_LIMITS, valueBytes: 65_000 } } });
    for (let i = 0; i < 10; i++) void session.request("kv.get", { key: `k${i}` }, {}).catch(() => {});
    await clock.settle();
    expect(dock.said("request")).toHaveLength(Math.floor(session.flow.window / (USUAL_BODY + 64)));
  });
});
