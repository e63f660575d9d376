import * as v from "valibot";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Item, Layer } from "../protocol/index.js";
import { KvStore } from "./kv-store.js";
import { type OpenBench, openSession } from "./testing/open-session.js";
import type { Script, ScriptedDockOptions } from "./testing/scripted-dock.js";
import { watch } from "./testing/watch.js";
import { WRITABLE } from "./testing/writable.js";

const values: Readonly<Record<string, Item>> = {
  timezone: "GMT",
  empty: "",
  nothing: null,
  off: false,
  zero: 0,
  large: 2n ** 60n,
  half: 0.5,
  bytes: Uint8Array.of(1, 0, 255),
  list: [1, [2, "three"]],
  map: { a: 1, b: { c: null } },
};

/** A dock that has these keys in these layers, and lists them two a page. */
function holding(layers: Partial<Record<Layer, Readonly<Record<string, Item>>>>): Script {
  return (message, dock) => {
    if (message.type !== "request") return;
    const { store, key, cursor } = message.params;
    const order = (["ephemeral", "runtime", "factory"] as const).filter((layer) => store === undefined || store === layer);
    const found = new Map<string, { store: Layer; value: Item }>();
    for (const layer of order) {
      for (const [name, value] of Object.entries(layers[layer] ?? {})) {
        if (!found.has(name)) found.set(name, { store: layer, value });
      }
    }
    if (message.op === "kv.get") {
      const held = found.get(String(key));
      return dock.result(message.id, held === undefined ? { found: false } : { found: true, ...held, upd: key === "serial" });
    }
    const from = cursor instanceof Uint8Array ? (cursor[0] ?? 0) : 0;
    const entries = [...found]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, held]) => [name, held.store, 7, name === "serial"]);
    const more = from + 2 < entries.length ? { cursor: Uint8Array.of(from + 2) } : {};
    dock.result(message.id, { entries: entries.slice(from, from + 2), generation: 1, ...more });
  };
}

describe("get", () => {
  test.each(Object.keys(values))("gives the value of %s as it is", async (key) => {
    const { clock, store } = await openStore({ script: holding({ factory: values }) });
    const value = await clock.run(store.get(key));
    expect(value instanceof Uint8Array ? Uint8Array.from(value) : value).toEqual(values[key]);
  });

  test("gives undefined for a key that is missing, and not for one that is empty, null, false or 0", async () => {
    const { clock, store } = await openStore({ script: holding({ factory: values }) });
    expect(await clock.run(store.get("missing"))).toBeUndefined();
    for (const key of ["empty", "nothing", "off", "zero"]) expect(await clock.run(store.get(key))).not.toBeUndefined();
  });

  test("asks the dock once, which knows the order of its layers", async () => {
    const { clock, dock, store } = await openStore({ script: holding({ factory: { a: 1 }, runtime: { a: 2 } }) });
    expect(await clock.run(store.get("a"))).toBe(2);
    expect(dock.said("request").map(({ params }) => params)).toEqual([{ key: "a" }]);
  });

  test("of a layer asks for that one alone", async () => {
    const { clock, store } = await openStore({ script: holding({ factory: { a: 1 }, runtime: { a: 2 } }) });
    expect(await clock.run(store.get("a", { store: "factory" }))).toBe(1);
    expect(await clock.run(store.get("a", { store: "ephemeral" }))).toBeUndefined();
  });

  test("of the applications' data asks ephemeral, then runtime, and never factory", async () => {
    const { clock, dock, store } = await openStore({ script: holding({ factory: { a: 1, b: 1 }, runtime: { a: 2 } }) });
    expect(await clock.run(store.get("a", { store: "application" }))).toBe(2);
    expect(await clock.run(store.get("b", { store: "application" }))).toBeUndefined();
    expect(dock.said("request").map(({ params }) => params.store)).toEqual(["ephemeral", "runtime", "ephemeral", "runtime"]);
  });

  test.each([
    ["", "USAGE"],
    ["x".repeat(129), "TOO_LARGE"],
  ])("of the key %j is refused before anything is sent", async (key, code) => {
    const { clock, dock, store } = await openStore();
    const asked = watch(store.get(key));
    await clock.settle();
    expect(asked.code).toBe(code);
    expect(dock.said("request")).toEqual([]);
  });
});

describe("get with a schema", () => {
  test("gives what the schema makes of the value", async () => {
    const { clock, store } = await openStore({ script: holding({ factory: values }) });
    const lower = v.pipe(v.string(), v.toLowerCase());
    const zone: string | undefined = await clock.run(store.get("timezone", { schema: lower }));
    expect(zone).toBe("gmt");
  });

  test("waits for a schema that takes its time", async () => {
    const { clock, store } = await openStore({ script: holding({ factory: values }) });
    const slow = v.pipeAsync(
      v.string(),
      v.checkAsync(async (zone) => zone === "GMT"),
    );
    expect(await clock.run(store.get("timezone", { schema: slow }))).toBe("GMT");
  });

  test("is WRONG_VALUE when the value isn't right, and says where", async () => {
    const { clock, store } = await openStore({ script: holding({ factory: values }) });
    const schema = v.object({ a: v.string(), b: v.object({ c: v.number() }) });
    const asked = watch(store.get("map", { schema }));
    await clock.settle();
    expect(asked.code).toBe("WRONG_VALUE");
    expect(asked.error.details.issues).toHaveLength(2);
    expect(asked.error.message).toContain('"map"');
    expect(asked.error.details.issues?.map((issue) => issue.split(":")[0])).toEqual(["a", "b.c"]);
  });

  test("doesn't ask the schema about a key that is missing", async () => {
    const { clock, store } = await openStore({ script: holding({ factory: values }) });
    expect(await clock.run(store.get("missing", { schema: v.string() }))).toBeUndefined();
  });

  test("gives a `null` to the schema, for it is a value", async () => {
    const { clock, store } = await openStore({ script: holding({ factory: values }) });
    expect(await clock.run(store.get("nothing", { schema: v.null() }))).toBeNull();
  });
});

describe("find", () => {
  test("gives the layer that answered, and whether the value is unique per dock", async () => {
    const script = holding({ factory: { serial: "RW02-0005" }, runtime: { a: 1 } });
    const { clock, store } = await openStore({ script });
    expect(await clock.run(store.find("serial"))).toEqual({ value: "RW02-0005", store: "factory", upd: true });
    expect(await clock.run(store.find("a"))).toEqual({ value: 1, store: "runtime", upd: false });
    expect(await clock.run(store.find("b"))).toBeUndefined();
  });
});

describe("list", () => {
  const layers = { factory: { a: 1, c: 1, e: 1, serial: 1 }, runtime: { b: 1, c: 2 }, ephemeral: { d: 1 } };

  test("gives every key once, over all pages, from the layer that answers", async () => {
    const { clock, dock, store } = await openStore({ script: holding(layers) });
    const list = await clock.run(store.list());
    expect(list.map(({ key, store }) => `${key} ${store}`)).toEqual([
      "a factory",
      "b runtime",
      "c runtime",
      "d ephemeral",
      "e factory",
      "serial factory",
    ]);
    expect(list.at(-1)).toEqual({ key: "serial", store: "factory", bytes: 7, upd: true });
    expect(dock.said("request").map(({ params }) => params)).toEqual([{}, { cursor: Buffer.of(2) }, { cursor: Buffer.of(4) }]);
  });

  test("of the applications' data joins two layers, ordered by the bytes of the names", async () => {
    const script = holding({ factory: { z: 1 }, runtime: { "\u{1f600}": 1, b: 1, c: 2 }, ephemeral: { "\uffee": 1, c: 1 } });
    const { clock, store } = await openStore({ script });
    const list = await clock.run(store.list({ store: "application" }));
    expect(list.map(({ key, store }) => `${key} ${store}`)).toEqual([
      "b runtime",
      "c ephemeral",
      "\uffee ephemeral",
      "\u{1f600} runtime",
    ]);
  });

  test("begins again when the dock's data has changed meanwhile", async () => {
    let asked = 0;
    const inner = holding(layers);
    const script: Script = (message, dock) => {
      if (message.type === "request" && ++asked === 2) return dock.failure(message.id, "STALE");
      inner(message, dock);
    };
    const { clock, store } = await openStore({ script });
    expect(await clock.run(store.list())).toHaveLength(6);
    expect(asked).toBe(5);
  });

  test("of nothing is empty", async () => {
    const { clock, store } = await openStore({ script: holding({}) });
    expect(await clock.run(store.list())).toEqual([]);
  });
});

describe("entries", () => {
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${String(i).padStart(2, "0")}`, i]));

  test("gives keys with their values in the order of the list", async () => {
    const { clock, store } = await openStore({ script: holding({ factory: many }) });
    expect(await clock.run(collect(store.entries()))).toEqual(Object.entries(many));
  });

  test("asks for several values ahead, but not for all", async () => {
    const { clock, dock, store } = await openStore({ script: holding({ factory: many }) });
    const entries = store.entries();
    await clock.run(entries.next());
    const asked = dock.said("request").filter(({ op }) => op === "kv.get").length;
    expect(asked).toBeGreaterThan(4);
    expect(asked).toBeLessThan(20);
    await entries.return();
  });

  test("makes Node warn of nothing, however much is under way", async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error): void => void warnings.push(warning);
    process.on("warning", warned);
    onTestFinished(() => void process.off("warning", warned));
    const { clock, store } = await openStore({ script: holding({ factory: many }) });
    const { signal } = new AbortController();
    await clock.run(collect(store.entries()));
    await clock.run(Promise.all(Object.keys(many).map((key) => store.get(key, { signal }))));
    await clock.settle();
    expect(warnings).toEqual([]);
  });

  test("leaves out a key that is deleted meanwhile", async () => {
    const inner = holding({ factory: { a: 1, b: 2, c: 3 } });
    const script: Script = (message, dock) => {
      if (message.type === "request" && message.params.key === "b") return dock.result(message.id, { found: false });
      inner(message, dock);
    };
    const { clock, store } = await openStore({ script });
    expect(await clock.run(collect(store.entries()))).toEqual([
      ["a", 1],
      ["c", 3],
    ]);
  });

  test("cancels what it has asked ahead when the loop is left", async () => {
    const inner = holding({ factory: many });
    const script: Script = (message, dock) => {
      if (message.type === "request" && message.op === "kv.get" && message.params.key !== "k00") return;
      inner(message, dock);
    };
    const { clock, dock, store } = await openStore({ script });
    const entries = store.entries();
    expect((await clock.run(entries.next())).value).toEqual(["k00", 0]);
    await entries.return();
    await clock.settle();
    const open = dock.said("request").filter(({ op, params }) => op === "kv.get" && params.key !== "k00").length;
    expect(dock.said("cancel")).toHaveLength(open);
    expect(open).toBeGreaterThan(0);
  });

  test("fails with the first value that fails, and nothing is left open", async () => {
    const inner = holding({ factory: many });
    const script: Script = (message, dock) => {
      if (message.type === "request" && message.params.key === "k03") return dock.failure(message.id, "INTERNAL");
      inner(message, dock);
    };
    const { clock, store } = await openStore({ script });
    const all = watch(collect(store.entries()));
    await clock.settle();
    expect(all.code).toBe("INTERNAL");
    expect(clock.waiting).toBe(0);
  });

  test("is ABORTED by its signal", async () => {
    const { clock, store } = await openStore({ script: holding({ factory: many }) });
    const abort = new AbortController();
    const entries = store.entries({ signal: abort.signal });
    await clock.run(entries.next());
    abort.abort();
    const rest = watch(collect(entries));
    await clock.settle();
    expect(rest.code).toBe("ABORTED");
  });
});

test("a write without options, as from JavaScript, is USAGE, and nothing is sent", async () => {
  const { clock, dock, store } = await openStore({ welcome: WRITABLE });
  // @ts-expect-error: the layer to write to is missing
  const writes = [store.set("a", 1), store.delete("a")].map((it: Promise<unknown>) => watch(it));
  await clock.settle();
  expect(writes.map(({ code }) => code)).toEqual(["USAGE", "USAGE"]);
  expect(dock.said("request")).toEqual([]);
});

async function collect<T>(all: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of all) items.push(item);
  return items;
}

async function openStore(options: ScriptedDockOptions = {}): Promise<OpenBench & { store: KvStore }> {
  const bench = await openSession(options);
  return { ...bench, store: new KvStore(bench.session) };
}
