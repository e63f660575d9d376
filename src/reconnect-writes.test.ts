/** Writes whose link was lost: carried out once, or the caller is told that nobody knows (SPEC §3.4). */
import { describe, expect, test } from "vitest";
import { type Item, USUAL_LIMITS } from "../protocol/index.js";
import { ImageStore } from "./image-store.js";
import { KvStore } from "./kv-store.js";
import { FoundAgain, OUTAGE } from "./testing/found-again.js";
import type { Said, Script, ScriptedDock } from "./testing/scripted-dock.js";
import { type Watched, watch } from "./testing/watch.js";
import { REMOVED, WRITTEN } from "./testing/writable.js";

const runtime = { store: "runtime" } as const;
const answering: Script = (message, dock) => {
  if (message.type === "request") dock.result(message.id, message.op === "kv.set" ? WRITTEN : REMOVED);
};

/** Sets keys to their own names. */
function setAll(bench: FoundAgain, names: readonly string[]): Watched<void>[] {
  const kv = new KvStore(bench.session);
  return names.map((name) => watch(kv.set(name, name, runtime)));
}

function framesOf(dock: ScriptedDock): string[] {
  return dock.heard.filter(({ message }) => message.type === "request").map(({ frame }) => frame);
}

const keysOf = (requests: readonly Said<"request">[]): unknown[] => requests.map(({ params }) => params.key);

describe("a dock that remembers", () => {
  test("is sent the unanswered writes again, the oldest first, as the very same frames", async () => {
    const bench = await FoundAgain.open();
    const writes = setAll(bench, ["a", "b", "c"]);
    await bench.clock.settle();
    const before = framesOf(bench.dock);
    expect(before).toHaveLength(3);
    await bench.cut();
    await bench.backRemembering({ script: answering });
    expect(framesOf(bench.dock)).toEqual(before);
    expect(writes.map(({ code }) => code)).toEqual(["done", "done", "done"]);
    expect(bench.clock.waiting).toBe(0);
  });

  test("isn't sent again what it has answered", async () => {
    const bench = await FoundAgain.open();
    setAll(bench, ["a", "b"]);
    await bench.clock.settle();
    const [a, b] = bench.dock.said("request");
    bench.dock.result(a?.id ?? 0, WRITTEN);
    await bench.clock.settle();
    await bench.cut();
    await bench.backRemembering({ script: answering });
    expect(bench.dock.said("request")).toEqual([b]);
  });

  test("gets those that weren't sent under new ids, behind the others", async () => {
    const bench = await FoundAgain.open({ welcome: { limits: { ...USUAL_LIMITS, requests: 2 } } });
    const writes = setAll(bench, ["a", "b", "c", "d"]);
    await bench.clock.settle();
    const sent = bench.dock.said("request");
    expect(keysOf(sent)).toEqual(["a", "b"]);
    await bench.cut();
    writes.push(...setAll(bench, ["e"]));
    await bench.backRemembering({ script: answering });
    await bench.clock.settle();
    const again = bench.dock.said("request");
    expect(keysOf(again)).toEqual(["a", "b", "c", "d", "e"]);
    expect(again.slice(0, 2)).toEqual(sent);
    expect(new Set(again.map(({ id }) => id)).size).toBe(5);
    expect(writes.map(({ code }) => code)).toEqual(Array(5).fill("done"));
  });

  test("is sent no more than 63 writes after the oldest unanswered one, those of before counted", async () => {
    const limits = { ...USUAL_LIMITS, requests: 1_024, window: 2 ** 20 };
    const stubborn: Script = (message, dock) => {
      if (message.type === "request" && message.params.key !== "key 0") answering(message, dock);
    };
    const bench = await FoundAgain.open({ script: stubborn, welcome: { limits } });
    const writes = setAll(
      bench,
      Array.from({ length: 100 }, (_, i) => `key ${i}`),
    );
    await bench.clock.settle();
    expect(bench.dock.said("request")).toHaveLength(64);
    await bench.cut();
    await bench.backRemembering();
    expect(keysOf(bench.dock.said("request"))).toEqual(["key 0"]);
    await bench.cut();
    await bench.backRemembering({ script: answering });
    await bench.clock.settle();
    expect(writes.every(({ code }) => code === "done")).toBe(true);
  });

  test("is asked over several cuts in a row, each time by the same frame", async () => {
    const bench = await FoundAgain.open();
    const [write] = setAll(bench, ["a"]);
    for (let i = 0; i < 4; i++) {
      await bench.clock.advance(600);
      await bench.cut();
      await bench.backRemembering(i === 3 ? { script: answering } : {});
    }
    expect(write?.code).toBe("done");
    expect(new Set(bench.docks.flatMap(framesOf)).size).toBe(1);
    expect(bench.docks.every((dock) => framesOf(dock).length > 0)).toBe(true);
    expect(bench.clock.waiting).toBe(0);
  });

  test("that then forgets, in a second cut, leaves the write OUTCOME_UNKNOWN", async () => {
    const bench = await FoundAgain.open();
    const deleted = watch(new KvStore(bench.session).delete("a", runtime));
    await bench.clock.settle();
    await bench.cut();
    await bench.backRemembering();
    await bench.cut();
    await bench.back({ script: answering });
    expect(deleted.code).toBe("OUTCOME_UNKNOWN");
    expect(bench.dock.said("request")).toEqual([]);
    expect(bench.clock.waiting).toBe(0);
  });

  test("but is another boot leaves the write OUTCOME_UNKNOWN: an earlier welcome of it may have been lost", async () => {
    const bench = await FoundAgain.open();
    const deleted = watch(new KvStore(bench.session).delete("a", runtime));
    await bench.clock.settle();
    await bench.cut();
    await bench.back({ script: answering, welcome: { resumed: true, bootId: new Uint8Array(8).fill(77) } });
    expect(deleted.code).toBe("OUTCOME_UNKNOWN");
    expect(bench.dock.said("request")).toEqual([]);
  });

  test("is cancelled again what was left before the cut, and the write settles with the truth", async () => {
    const bench = await FoundAgain.open();
    const abort = new AbortController();
    const deleted = ["a", "b"].map((name) =>
      watch(new KvStore(bench.session).delete(name, { ...runtime, signal: abort.signal })),
    );
    await bench.clock.settle();
    abort.abort();
    await bench.clock.settle();
    const cancels = bench.dock.said("cancel");
    await bench.cut();
    await bench.backRemembering();
    expect(bench.dock.said("cancel")).toEqual(cancels);
    expect(bench.dock.said("request")).toEqual([]);
    bench.dock.failure(cancels[0]?.id ?? 0, "CANCELLED");
    bench.dock.result(cancels[1]?.id ?? 0, { generation: 1, existed: true });
    await bench.clock.settle();
    expect(deleted.map(({ code }) => code)).toEqual(["ABORTED", "done"]);
    expect(bench.clock.waiting).toBe(0);
  });

  test("is asked what became of a write that was aborted while the line was down", async () => {
    const bench = await FoundAgain.open();
    const abort = new AbortController();
    const deleted = watch(new KvStore(bench.session).delete("a", { ...runtime, signal: abort.signal }));
    await bench.clock.settle();
    const { id } = bench.dock.last("request");
    await bench.cut();
    abort.abort();
    await bench.clock.settle();
    expect(deleted.code).toBe("pending");
    await bench.backRemembering();
    expect(bench.dock.said("cancel")).toEqual([{ type: "cancel", id }]);
    bench.dock.failure(id, "CANCELLED");
    await bench.clock.settle();
    expect(deleted.code).toBe("ABORTED");
  });
});

describe("a dock that has forgotten", () => {
  test("isn't sent an unanswered write again: it is OUTCOME_UNKNOWN", async () => {
    const bench = await FoundAgain.open();
    const writes: Watched<unknown>[] = [
      watch(new KvStore(bench.session).delete("a", runtime)),
      watch(new ImageStore(bench.session).delete("a", runtime)),
      watch(bench.session.request("dock.reset", {}, {})),
    ];
    await bench.clock.settle();
    await bench.cut();
    await bench.back({ script: answering });
    expect(writes.map(({ code }) => code)).toEqual(Array(3).fill("OUTCOME_UNKNOWN"));
    expect(bench.dock.said("request")).toEqual([]);
    expect(bench.clock.waiting).toBe(0);
  });

  test("gets those that weren't sent, under new ids", async () => {
    const bench = await FoundAgain.open({ welcome: { limits: { ...USUAL_LIMITS, requests: 1 } } });
    const kv = new KvStore(bench.session);
    const deleted = ["a", "b", "c"].map((name) => watch(kv.delete(name, runtime)));
    await bench.clock.settle();
    const { id } = bench.dock.last("request");
    await bench.cut();
    await bench.back({ script: answering });
    await bench.clock.settle();
    expect(deleted.map(({ code }) => code)).toEqual(["OUTCOME_UNKNOWN", "done", "done"]);
    expect(keysOf(bench.dock.said("request"))).toEqual(["b", "c"]);
    expect(bench.dock.said("request").map((it) => it.id)).not.toContain(id);
  });

  test.each<[string, string, { readonly [key: string]: Item }]>([
    ["done, when the key has the value", "done", { found: true, value: "a", store: "runtime", upd: false }],
    ["OUTCOME_UNKNOWN, when it has another", "OUTCOME_UNKNOWN", { found: true, value: "b", store: "runtime", upd: false }],
    ["OUTCOME_UNKNOWN, when there is no such key", "OUTCOME_UNKNOWN", { found: false }],
  ])("is asked for a key that was being set: %s", async (_, code, held) => {
    const bench = await FoundAgain.open();
    const [write] = setAll(bench, ["a"]);
    await bench.clock.settle();
    await bench.cut();
    await bench.back({
      script: (message, dock) => {
        if (message.type === "request") dock.result(message.id, message.op === "kv.get" ? held : WRITTEN);
      },
    });
    await bench.clock.settle();
    expect(write?.code).toBe(code);
    expect(bench.dock.said("request").map(({ op, params }) => ({ op, params }))).toEqual([
      { op: "kv.get", params: { key: "a", store: "runtime" } },
    ]);
    expect(bench.clock.waiting).toBe(0);
  });

  test("gets 64 new writes at once, whatever wasn't answered before", async () => {
    const limits = { ...USUAL_LIMITS, requests: 1_024, window: 2 ** 20 };
    const bench = await FoundAgain.open({ welcome: { limits } });
    const kv = new KvStore(bench.session);
    const abort = new AbortController();
    const { signal } = abort;
    for (let i = 0; i < 30; i++) void kv.delete(`old ${i}`, { ...runtime, signal }).catch(() => {});
    await bench.clock.settle();
    abort.abort();
    await bench.cut();
    await bench.back({
      welcome: { limits },
      script: (message, dock) => {
        if (message.type === "request" && message.params.key !== "new 0") answering(message, dock);
      },
    });
    for (let i = 0; i < 100; i++) void kv.delete(`new ${i}`, runtime).catch(() => {});
    await bench.clock.settle();
    expect(bench.dock.said("request")).toHaveLength(64);
  });

  test("leaves what was aborted before the cut OUTCOME_UNKNOWN, and isn't sent a cancel", async () => {
    const bench = await FoundAgain.open();
    const abort = new AbortController();
    const deleted = watch(new KvStore(bench.session).delete("a", { ...runtime, signal: abort.signal }));
    await bench.clock.settle();
    abort.abort();
    await bench.clock.settle();
    await bench.cut();
    await bench.back();
    expect(deleted.code).toBe("OUTCOME_UNKNOWN");
    expect(bench.dock.said("cancel")).toEqual([]);
    expect(bench.clock.waiting).toBe(0);
  });
});

describe("while the line is down", () => {
  test("no write counts as sent that wasn't, although there is room for it", async () => {
    const bench = await FoundAgain.open({ welcome: { limits: { ...USUAL_LIMITS, requests: 1 } } });
    const abort = new AbortController();
    const read = watch(new KvStore(bench.session).get("a", { signal: abort.signal }));
    const [write] = setAll(bench, ["b"]);
    await bench.clock.settle();
    await bench.cut();
    abort.abort();
    await bench.clock.settle();
    expect(read.code).toBe("ABORTED");
    await bench.clock.advance(OUTAGE);
    expect(write?.code).toBe("LINK_LOST");
  });

  test("a sent write ends in the time that its caller gave: OUTCOME_UNKNOWN after 2 s more", async () => {
    const bench = await FoundAgain.open();
    const deleted = watch(new KvStore(bench.session).delete("a", { ...runtime, timeout: 3_000 }));
    await bench.clock.settle();
    await bench.cut();
    await bench.clock.advance(4_999);
    expect(deleted.code).toBe("pending");
    await bench.clock.advance(1);
    expect(deleted.code).toBe("OUTCOME_UNKNOWN");
  });
});

test("what a call had under way over a lost line isn't counted over the next one", async () => {
  const limits = { ...USUAL_LIMITS, requests: 3, streams: 1 };
  const bench = await FoundAgain.open({ welcome: { limits } });
  const { session } = bench;
  const images = new ImageStore(session);
  const abort = new AbortController();
  const calls: Promise<unknown>[] = [
    session.request("kv.set", { key: "a", value: 1, txn: 7, ...runtime }, {}),
    new KvStore(session).delete("b", { ...runtime, signal: abort.signal }),
    session.request("image.put", { tag: "c", type: "none", size: 1, sha256: new Uint8Array(32), txn: 7, ...runtime }, {}),
  ];
  for (const call of calls) void call.catch(() => {});
  await bench.clock.settle();
  expect(bench.dock.said("request")).toHaveLength(3);
  abort.abort();
  await bench.cut();
  await bench.backRemembering();
  bench.dock.failure(bench.dock.last("cancel").id, "CANCELLED");
  await bench.clock.settle();
  for (let i = 0; i < 10; i++) void session.request("kv.get", { key: `${i}` }, {}).catch(() => {});
  for (let i = 0; i < 3; i++) void images.get(`${i}`).catch(() => {});
  await bench.clock.settle();
  expect(bench.dock.said("request")).toHaveLength(3);
});
