/** Calls that end otherwise than with their answer: aborted, closed, cut off. */
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { USUAL_LIMITS } from "../protocol/index.js";
import { ImageStore } from "./image-store.js";
import { KvStore } from "./kv-store.js";
import type { Session } from "./session.js";
import { type OpenBench, openSession } from "./testing/open-session.js";
import type { Script } from "./testing/scripted-dock.js";
import { type Watched, watch } from "./testing/watch.js";

const NONE = { found: false } as const;
const key = { key: "timezone" };
const oneAtATime = { welcome: { limits: { ...USUAL_LIMITS, requests: 1, streams: 1 } } };

describe("a signal", () => {
  test("ends a call at once with ABORTED and its reason, and cancels it", async () => {
    const { clock, dock, session } = await openSession();
    const abort = new AbortController();
    const asked = watch(session.request("kv.get", key, { signal: abort.signal }));
    await clock.settle();
    abort.abort(new Error("no longer wanted"));
    await clock.settle();
    expect(asked.code).toBe("ABORTED");
    expect(asked.error.cause).toEqual(new Error("no longer wanted"));
    expect(dock.said("cancel")).toEqual([{ type: "cancel", id: dock.last("request").id }]);
  });

  test("that was aborted before lets nothing be sent", async () => {
    const { clock, dock, session } = await openSession();
    const asked = watch(session.request("kv.get", key, { signal: AbortSignal.abort() }));
    await clock.settle();
    expect(asked.code).toBe("ABORTED");
    expect(dock.said("request")).toEqual([]);
    expect(clock.waiting).toBe(0);
  });

  test("ends a call that waits for its turn, without a word to the dock", async () => {
    const { clock, dock, session } = await openSession(oneAtATime);
    const first = watch(session.request("kv.get", key, {}));
    const abort = new AbortController();
    const second = watch(session.request("kv.get", { key: "second" }, { signal: abort.signal }));
    const third = watch(session.request("kv.get", { key: "third" }, {}));
    await clock.settle();
    abort.abort();
    await clock.settle();
    expect([first, second, third].map(({ code }) => code)).toEqual(["pending", "ABORTED", "pending"]);
    expect(dock.said("cancel")).toEqual([]);
    dock.result(dock.last("request").id, NONE);
    await clock.settle();
    expect(dock.said("request").map(({ params }) => params.key)).toEqual(["timezone", "third"]);
  });

  test("is let go of when the call is over, however it ends", async () => {
    const { clock, dock, session } = await openSession();
    const { signal } = new AbortController();
    const calls = [
      watch(session.request("kv.get", key, { signal })),
      watch(new ImageStore(session).get("default", { signal })),
      watch(session.request("kv.get", key, { signal, timeout: 100 })),
    ];
    await clock.settle();
    expect(getEventListeners(signal, "abort").length).toBeGreaterThan(0);
    for (const { id } of dock.said("request")) dock.failure(id, "INTERNAL");
    await clock.advance(100);
    for (const { id } of dock.said("request")) dock.failure(id, "INTERNAL");
    await clock.settle();
    expect(calls.every(({ code }) => code !== "pending")).toBe(true);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("after the answer changes nothing", async () => {
    const { clock, dock, session } = await openSession();
    const abort = new AbortController();
    const asked = watch(session.request("kv.get", key, { signal: abort.signal }));
    await clock.settle();
    dock.result(dock.last("request").id, NONE);
    await clock.settle();
    abort.abort();
    await clock.settle();
    expect(asked.code).toBe("done");
    expect(dock.said("cancel")).toEqual([]);
  });
});

describe("what a cancelled call had under way", () => {
  test.each([
    { rule: "the dock confirms", confirm: "CANCELLED" },
    { rule: "the dock gives an answer that it had given before", confirm: "NOT_FOUND" },
  ])("counts until $rule", async ({ confirm }) => {
    const { clock, dock, session } = await openSession(oneAtATime);
    const aborted = await abortedCall(session, clock);
    const next = watch(session.request("kv.get", { key: "next" }, {}));
    await clock.advance(100);
    expect(aborted.code).toBe("ABORTED");
    expect(dock.said("request")).toHaveLength(1);
    dock.failure(dock.last("request").id, confirm);
    await clock.settle();
    expect(dock.said("request")).toHaveLength(2);
    dock.result(dock.last("request").id, NONE);
    await clock.settle();
    expect(next.code).toBe("done");
    expect(clock.waiting).toBe(0);
  });

  test("isn't freed by anything but a final answer", async () => {
    const { clock, dock, session } = await openSession(oneAtATime);
    await abortedCall(session, clock);
    const { id } = dock.last("request");
    void session.request("kv.get", { key: "next" }, {}).catch(() => {});
    dock.send({ type: "pending", id });
    dock.send({ type: "dockData", id, offset: 0, bytes: Uint8Array.of(1) });
    await clock.settle();
    expect(dock.said("request")).toHaveLength(1);
  });

  test("is freed by the answer to a later cancel as well, when the first was lost", async () => {
    const { clock, dock, session } = await openSession(oneAtATime);
    await abortedCall(session, clock);
    await clock.advance(1_000);
    expect(dock.timesOf("cancel")).toEqual([0, 500]);
    dock.failure(dock.last("cancel").id, "CANCELLED");
    await clock.settle();
    expect(clock.waiting).toBe(0);
    void session.request("kv.get", { key: "next" }, {}).catch(() => {});
    await clock.settle();
    expect(dock.said("request")).toHaveLength(2);
  });

  test("is given up after 10 s when the dock says nothing", async () => {
    const { clock, dock, session } = await openSession(oneAtATime);
    await abortedCall(session, clock);
    void session.request("kv.get", { key: "next" }, { timeout: 20_000 }).catch(() => {});
    await clock.advance(9_999);
    expect(dock.said("request")).toHaveLength(1);
    await clock.advance(1);
    expect(dock.said("request")).toHaveLength(2);
    const { length } = dock.said("cancel");
    await clock.advance(5_000);
    expect(dock.said("cancel")).toHaveLength(length);
  });

  async function abortedCall(session: Session, clock: OpenBench["clock"]): Promise<Watched<unknown>> {
    const abort = new AbortController();
    const asked = watch(session.request("kv.get", key, { signal: abort.signal }));
    await clock.settle();
    abort.abort();
    await clock.settle();
    return asked;
  }
});

describe("every call settles", () => {
  const endings = [
    { rule: "the line goes away", code: "LINK_LOST", end: ({ dock }: OpenBench) => dock.hangUp() },
    // as serialport's does when somebody else closes it, and a socket's
    {
      rule: "its stream says null",
      code: "LINK_LOST",
      end: ({ line }: OpenBench) => void line.host.stream.emit("close", null),
    },
    {
      rule: "its stream says false",
      code: "LINK_LOST",
      end: ({ line }: OpenBench) => void line.host.stream.emit("close", false),
    },
    {
      rule: "the line breaks",
      code: "LINK_LOST",
      end: ({ line }: OpenBench) => void line.host.stream.destroy(new Error("EIO")),
    },
    {
      rule: "the dock has restarted",
      code: "LINK_LOST",
      end: ({ dock }: OpenBench) => dock.failure(dock.last("request").id, "NO_SESSION", { retryable: true }),
    },
    { rule: "the dock is closed", code: "CLOSED", end: ({ session }: OpenBench) => void session.close() },
  ] as const;

  test.each(endings)("at once with $code when $rule: requests and streams, asked and waiting", async ({ code, end }) => {
    const bench = await openSession({ welcome: { limits: { ...USUAL_LIMITS, requests: 3, streams: 1 } } });
    const { clock, dock, session } = bench;
    const calls = await severalCalls(session, clock);
    expect(dock.said("request")).toHaveLength(3);
    end(bench);
    await clock.settle();
    expect(calls.map((call) => call.code)).toEqual(calls.map(() => code));
    expect((await session.ended).code).toBe(code);
    expect(clock.waiting).toBe(0);
  });

  test.each(endings)("also those that are made after $rule: $code", async ({ code, end }) => {
    const bench = await openSession();
    const { clock, session } = bench;
    void session.request("kv.get", key, {}).catch(() => {});
    await clock.settle();
    end(bench);
    await clock.settle();
    const calls = await severalCalls(session, clock);
    expect(calls.map((call) => call.code)).toEqual(calls.map(() => code));
    expect(clock.waiting).toBe(0);
  });

  test.each(endings)("and the line is closed when $rule", async ({ end }) => {
    const bench = await openSession();
    void bench.session.request("kv.get", key, {}).catch(() => {});
    await bench.clock.settle();
    end(bench);
    await bench.clock.settle();
    expect(bench.line.host.stream.destroyed).toBe(true);
  });

  /** With three places and one for a stream: one call is cancelled, two are asked, the others wait for their turn. */
  async function severalCalls(session: Session, clock: OpenBench["clock"]): Promise<Watched<unknown>[]> {
    const abort = new AbortController();
    const images = new ImageStore(session);
    const aborted = session.request("kv.get", { key: "aborted" }, { signal: abort.signal });
    aborted.catch(() => {});
    const calls = [
      watch(session.request("kv.get", key, {})),
      watch(images.get("default")),
      watch(session.request("kv.list", {}, {})),
      watch(images.stream("default").info()),
      watch(new KvStore(session).get("timezone")),
    ];
    await clock.settle();
    abort.abort();
    await clock.settle();
    return calls;
  }
});

test("closing twice is fine", async () => {
  const { clock, session } = await openSession();
  const closed = watch(Promise.all([session.close(), session.close(), session.close()]));
  await clock.settle();
  expect(closed.code).toBe("done");
  expect((await session.ended).code).toBe("CLOSED");
});

test("NO_SESSION for an id that isn't asked doesn't end the session", async () => {
  const { clock, dock, session } = await openSession();
  dock.failure(12, "NO_SESSION");
  await clock.settle();
  expect(session.over).toBeUndefined();
});

describe("the stack of an error shows the caller", () => {
  const missing: Script = (message, dock) => {
    if (message.type === "request") dock.failure(message.id, "NOT_FOUND");
  };
  const calls: Readonly<Record<string, (session: Session) => Promise<unknown>>> = {
    async request(session) {
      return await session.request("kv.get", key, {});
    },
    async get(session) {
      return await new ImageStore(session).get("default");
    },
    async info(session) {
      return await new ImageStore(session).stream("default").info();
    },
    async list(session) {
      return await new ImageStore(session).list();
    },
    async iteration(session) {
      for await (const chunk of new ImageStore(session).stream("default")) void chunk;
    },
  };

  test.each(Object.keys(calls))("of %s", async (name) => {
    const { clock, session } = await openSession({ script: missing });
    async function theCallersFunction(): Promise<unknown> {
      return await calls[name]?.(session);
    }
    const call = watch(theCallersFunction());
    await clock.settle();
    expect(call.code).toBe("NOT_FOUND");
    expect(call.error.stack).toContain("theCallersFunction");
  });

  test("of a call that ends in time, by its signal and with the line", async () => {
    const ends = [
      ({ clock }: OpenBench) => void clock.advance(10_000),
      (_: OpenBench, abort: AbortController) => abort.abort(),
      ({ dock }: OpenBench) => dock.hangUp(),
    ];
    for (const end of ends) {
      const bench = await openSession();
      const abort = new AbortController();
      async function theCallersFunction(): Promise<unknown> {
        return await bench.session.request("kv.get", key, { signal: abort.signal });
      }
      const call = watch(theCallersFunction());
      await bench.clock.settle();
      end(bench, abort);
      for (let i = 0; i < 20; i++) await bench.clock.settle();
      expect(call.error.stack).toContain("theCallersFunction");
    }
  });
});
