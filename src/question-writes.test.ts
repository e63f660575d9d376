/** A write is carried out once or not at all, and the caller is told which, or that nobody knows (SPEC §10, promise 2). */
import { describe, expect, test } from "vitest";
import { USUAL_LIMITS } from "../protocol/index.js";
import { ImageStore } from "./image-store.js";
import { KvStore } from "./kv-store.js";
import type { Session } from "./session.js";
import type { OpenBench } from "./testing/open-session.js";
import type { Script } from "./testing/scripted-dock.js";
import { type Watched, watch } from "./testing/watch.js";
import { openWritable, REMOVED, WRITTEN } from "./testing/writable.js";

const runtime = { store: "runtime" } as const;
const oneAtATime = { welcome: { limits: { ...USUAL_LIMITS, requests: 1, streams: 1 } } };

const writes: readonly { readonly op: string; readonly write: (session: Session) => Promise<unknown> }[] = [
  { op: "kv.set", write: (session) => new KvStore(session).set("zone", "GMT", runtime) },
  { op: "kv.delete", write: (session) => new KvStore(session).delete("zone", runtime) },
  { op: "image.delete", write: (session) => new ImageStore(session).delete("logo", runtime) },
  { op: "dock.reset", write: (session) => session.request("dock.reset", {}, {}) },
  { op: "txn.commit", write: (session) => session.request("txn.commit", { txn: 7 }, {}) },
];

const endings = [
  { rule: "the line goes away", code: "LINK_LOST", end: ({ dock }: OpenBench) => dock.hangUp() },
  {
    rule: "the dock has restarted",
    code: "LINK_LOST",
    end: ({ dock }: OpenBench) => dock.failure(dock.last("request").id, "NO_SESSION", { retryable: true }),
  },
  { rule: "the dock is closed", code: "CLOSED", end: ({ session }: OpenBench) => void session.close() },
] as const;

describe.each(endings)("when $rule", ({ code, end }) => {
  test.each(writes)("$op that was sent is OUTCOME_UNKNOWN", async ({ op, write }) => {
    const bench = await openWritable();
    const written = watch(write(bench.session));
    await bench.clock.settle();
    expect(bench.dock.last("request").op).toBe(op);
    end(bench);
    await bench.clock.settle();
    expect(written.code).toBe("OUTCOME_UNKNOWN");
    expect(bench.clock.waiting).toBe(0);
  });

  test.each(writes)(`$op that wasn't sent yet is ${code}`, async ({ write }) => {
    const bench = await openWritable(oneAtATime);
    const first = watch(bench.session.request("dock.reset", {}, {}));
    const others = [watch(write(bench.session)), watch(write(bench.session))];
    await bench.clock.settle();
    end(bench);
    await bench.clock.settle();
    expect(first.code).toBe("OUTCOME_UNKNOWN");
    expect(others.map((it) => it.code)).toEqual([code, code]);
    expect(bench.dock.said("request")).toHaveLength(1);
    expect(bench.clock.waiting).toBe(0);
  });

  test(`a read that was sent is ${code}`, async () => {
    const bench = await openWritable();
    const read = watch(new KvStore(bench.session).get("zone"));
    await bench.clock.settle();
    end(bench);
    await bench.clock.settle();
    expect(read.code).toBe(code);
  });

  test(`a write that is part of a transaction is ${code}: it is undone with the session`, async () => {
    const bench = await openWritable();
    const calls = [
      watch(bench.session.request("kv.set", { key: "zone", value: 1, txn: 7, ...runtime }, {})),
      watch(bench.session.request("txn.begin", runtime, {})),
    ];
    await bench.clock.settle();
    end(bench);
    await bench.clock.settle();
    expect(calls.map((it) => it.code)).toEqual([code, code]);
  });
});

const leavings = [
  {
    how: "is aborted",
    code: "ABORTED",
    leave: async (_: OpenBench, abort: AbortController) => abort.abort(new Error("enough")),
  },
  { how: "times out", code: "TIMEOUT", leave: async ({ clock }: OpenBench) => await clock.advance(1_000) },
] as const;

describe.each(leavings)("a write that $how after it was sent", ({ code, leave }) => {
  async function left(script?: Script): Promise<OpenBench & { readonly written: Watched<unknown> }> {
    const bench = await openWritable(script === undefined ? {} : { script });
    const abort = new AbortController();
    const options = { signal: abort.signal, timeout: 1_000 };
    const written = watch(bench.session.request("kv.delete", { key: "zone", ...runtime }, options));
    await bench.clock.settle();
    await leave(bench, abort);
    await bench.clock.settle();
    return { ...bench, written };
  }

  test("is cancelled, and isn't settled before the dock has said what became of it", async () => {
    const { clock, dock, written } = await left();
    expect(dock.last("cancel").id).toBe(dock.last("request").id);
    await clock.advance(1_999);
    expect(written.code).toBe("pending");
  });

  test(`is ${code} when the dock says CANCELLED: nothing was written`, async () => {
    const { clock, dock, written } = await left();
    dock.failure(dock.last("cancel").id, "CANCELLED");
    await clock.settle();
    expect(written.code).toBe(code);
    expect(clock.waiting).toBe(0);
  });

  test("succeeds when the dock answers with the result", async () => {
    const { clock, dock, written } = await left();
    dock.result(dock.last("cancel").id, { generation: 4, existed: true });
    await clock.settle();
    expect(written.value).toEqual({ generation: 4, existed: true });
    expect(clock.waiting).toBe(0);
  });

  test("fails as the dock says when it had refused it", async () => {
    const { clock, dock, written } = await left();
    dock.failure(dock.last("cancel").id, "READ_ONLY");
    await clock.settle();
    expect(written.code).toBe("READ_ONLY");
  });

  test("is OUTCOME_UNKNOWN when the dock says nothing for 2 s", async () => {
    const { clock, written } = await left();
    await clock.advance(2_000);
    expect(written.code).toBe("OUTCOME_UNKNOWN");
    await clock.advance(10_000);
    expect(clock.waiting).toBe(0);
  });

  test("is OUTCOME_UNKNOWN however much the dock says besides", async () => {
    const chatty: Script = (message, dock) => {
      if (message.type !== "cancel") return;
      dock.send({ type: "pending", id: message.id });
      dock.send({ type: "head", id: message.id, meta: {} });
    };
    const { clock, written } = await left(chatty);
    await clock.advance(2_000);
    expect(written.code).toBe("OUTCOME_UNKNOWN");
    await clock.advance(10_000);
    expect(clock.waiting).toBe(0);
  });

  test.each(endings)("is OUTCOME_UNKNOWN at once when $rule before the dock has said it", async ({ end }) => {
    const bench = await left();
    end(bench);
    await bench.clock.settle();
    expect(bench.written.code).toBe("OUTCOME_UNKNOWN");
    expect(bench.clock.waiting).toBe(0);
  });
});

test("a write that is aborted before its turn is ABORTED, without a word to the dock", async () => {
  const { clock, dock, session } = await openWritable(oneAtATime);
  void session.request("kv.get", { key: "zone" }, {}).catch(() => {});
  const abort = new AbortController();
  const written = watch(new KvStore(session).set("zone", "GMT", { ...runtime, signal: abort.signal }));
  await clock.settle();
  abort.abort();
  await clock.settle();
  expect(written.code).toBe("ABORTED");
  expect(dock.said("cancel")).toEqual([]);
  dock.result(dock.last("request").id, { found: false });
  await clock.settle();
  expect(dock.said("request")).toHaveLength(1);
});

describe("a write without an answer", () => {
  test("is sent again as the very same frame, whatever the caller does to the value meanwhile", async () => {
    const { clock, dock, session } = await openWritable();
    const value = { zones: ["GMT", "CET"], mask: Uint8Array.of(1, 2, 3) };
    const written = watch(new KvStore(session).set("zone", value, runtime));
    await clock.advance(400);
    value.zones[0] = "EST";
    value.zones.push("MST");
    value.mask.fill(0);
    await clock.advance(4_000);
    const frames = dock.heard.filter(({ message }) => message.type === "request").map(({ frame }) => frame);
    expect(frames.length).toBeGreaterThan(2);
    expect(new Set(frames).size).toBe(1);
    expect(dock.last("request").params.value).toEqual({ zones: ["GMT", "CET"], mask: Buffer.of(1, 2, 3) });
    dock.result(dock.last("request").id, WRITTEN);
    await clock.settle();
    expect(written.code).toBe("done");
  });

  test("takes the answer to any of its repetitions, and a second one changes nothing", async () => {
    const { clock, dock, session } = await openWritable();
    const written = watch(new KvStore(session).delete("zone", runtime));
    await clock.advance(600);
    const { id } = dock.last("request");
    dock.result(id, { generation: 4, existed: true });
    dock.failure(id, "INTERNAL");
    await clock.settle();
    expect(written.value).toBe(true);
    expect(clock.waiting).toBe(0);
  });
});

describe("no more than 63 writes are sent after the oldest unanswered one", () => {
  const roomy = { limits: { ...USUAL_LIMITS, requests: 1_024, window: 2 ** 20 } };
  const sent = ({ dock }: OpenBench): number => dock.said("request").filter(({ op }) => op !== "kv.get").length;

  /** A dock that answers every write but the first one, and 200 writes. */
  async function holding(): Promise<OpenBench & { readonly calls: Watched<unknown>[] }> {
    const script: Script = (message, dock) => {
      if (message.type !== "request") return;
      if (message.op === "kv.get") return dock.result(message.id, { found: false });
      if (message.params.key !== "key 0") dock.result(message.id, WRITTEN);
    };
    const bench = await openWritable({ script, welcome: roomy });
    const kv = new KvStore(bench.session);
    const calls = Array.from({ length: 200 }, (_, i) => watch(kv.set(`key ${i}`, i, { ...runtime, timeout: 60_000 })));
    await bench.clock.settle();
    return { ...bench, calls };
  }

  test("although all the others are answered; reads go past them", async () => {
    const bench = await holding();
    expect(sent(bench)).toBe(64);
    expect(bench.calls.filter(({ code }) => code === "done")).toHaveLength(63);
    expect(await bench.clock.run(new KvStore(bench.session).get("zone"))).toBeUndefined();
    await bench.clock.advance(20_000);
    expect(new Set(bench.dock.said("request").map(({ params }) => params.key)).size).toBe(65);
  });

  test("and the others go on when it is answered", async () => {
    const bench = await holding();
    bench.dock.result(bench.dock.said("request")[0]?.id ?? 0, WRITTEN);
    await bench.clock.settle();
    expect(bench.calls.every(({ code }) => code === "done")).toBe(true);
    expect(sent(bench)).toBe(200);
  });

  test("a cancelled one counts until the dock has said what became of it", async () => {
    const script: Script = (message, it) => {
      if (message.type === "request" && message.op === "kv.delete") it.result(message.id, REMOVED);
    };
    const { clock, dock, session } = await openWritable({ script, welcome: roomy });
    const abort = new AbortController();
    const { signal } = abort;
    void new KvStore(session).set("first", 0, { ...runtime, signal }).catch(() => {});
    await clock.settle();
    const { id } = dock.last("request");
    abort.abort();
    for (let i = 0; i < 100; i++) void new KvStore(session).delete(`key ${i}`, runtime).catch(() => {});
    await clock.settle();
    expect(dock.said("request")).toHaveLength(64);
    dock.failure(id, "CANCELLED");
    await clock.settle();
    expect(dock.said("request")).toHaveLength(101);
  });
});

describe("a key whose fate the dock doesn't tell is looked at", () => {
  const value = { zones: ["GMT"], offset: 0 };

  /** A dock that says nothing to a write, and what it holds to a read. */
  async function set(
    held: { readonly [key: string]: unknown },
    features?: string[],
  ): Promise<OpenBench & { readonly written: Watched<void> }> {
    const script: Script = (message, dock) => {
      if (message.type === "request" && message.op === "kv.get")
        dock.sendItem([13, message.id, JSON.parse(JSON.stringify(held))]);
    };
    const bench = await openWritable({ script, ...(features === undefined ? {} : { welcome: { features } }) });
    const written = watch(new KvStore(bench.session).set("zone", value, { ...runtime, timeout: 1_000 }));
    await bench.clock.advance(3_000);
    return { ...bench, written };
  }

  test("in the layer that was written to: when it has the value, it is written", async () => {
    const { dock, written } = await set({ found: true, value: { offset: 0, zones: ["GMT"] }, store: "runtime", upd: false });
    expect(dock.last("request")).toMatchObject({ op: "kv.get", params: { key: "zone", store: "runtime" } });
    expect(written.code).toBe("done");
  });

  test.each([
    ["has another value", { found: true, value: { zones: ["CET"], offset: 0 }, store: "runtime", upd: false }],
    ["has that value as unique-per-dock data", { found: true, value, store: "runtime", upd: true }],
    ["doesn't have the key", { found: false }],
    ["says something that isn't an answer", { found: 1 }],
  ])("and it is OUTCOME_UNKNOWN when it %s", async (_, held) => {
    expect((await set(held)).written.code).toBe("OUTCOME_UNKNOWN");
  });

  test("and it is OUTCOME_UNKNOWN where layers can't be named: another layer may have answered", async () => {
    const { dock, written } = await set({ found: true, value, store: "runtime", upd: false }, ["write.runtime"]);
    expect(written.code).toBe("OUTCOME_UNKNOWN");
    expect(new Set(dock.said("request").map(({ op }) => op))).toEqual(new Set(["kv.set"]));
  });
});
