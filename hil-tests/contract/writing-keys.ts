/** SPEC §6 and §7.4: keys that are set and deleted. */
import { expect } from "vitest";
import type { Dock, KvValue } from "../../src/index.js";
import { codeOf, framesSent, inTurns } from "./calls.js";
import { contractTest } from "./contract-test.js";
import { expectAnswers } from "./reading.js";
import { content, named } from "./writing.js";

/** Every kind of value, and what is odd of each. */
const VALUES: readonly KvValue[] = [
  ...[null, true, false, 0, -1, 23, 24, 255, 256, 65_535, 65_536, -65_537, 2 ** 32, -(2 ** 32)],
  ...[Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)],
  ...[0.5, -0.1, 1e300, 5e-324, Number.POSITIVE_INFINITY, Number.NaN],
  ...["", " ", "\0", "\u001b[2J", "é", "e\u0301", "壁紙 🖥️", "\ufeff", "x".repeat(300)],
  ...[new Uint8Array(0), Uint8Array.of(0), new Uint8Array(content(300, "a value"))],
  ...[[], [[]], [1, "two", null, [Uint8Array.of(3)]], {}, { a: {} }, { "": 0, "\0": 1, é: [{ b: false }] }],
];

/** Names that mean something elsewhere. */
const ODD = ["__proto__", "constructor", "..", "/etc/passwd", "\u001b[31m", "\r\n", "\u202e", "é", "e\u0301", "壁紙 🖥️"];

export function writingKeys(): void {
  contractTest("every kind of value comes back as it was, also in the next session", async ({ dock, store, open }) => {
    const entries = VALUES.map((value, i) => ({ key: named(`value ${i}`), value }));
    await inTurns(entries, ({ key, value }) => dock.kv.set(key, value, { store }));
    expect(await inTurns(entries, async ({ key }) => ({ key, value: await dock.kv.get(key) }))).toEqual(entries);
    await dock.close();
    const next = await open();
    expect(await inTurns(entries, async ({ key }) => ({ key, value: await next.kv.get(key) }))).toEqual(entries);
  });

  contractTest("a map has any names, and `__proto__` is one of them", async ({ dock, store }) => {
    const value: unknown = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1, "toString": {"__proto__": 2}}');
    await dock.kv.set(named("map"), value, { store });
    const back = await dock.kv.get(named("map"));
    expect(JSON.parse(JSON.stringify(back))).toEqual(value);
    expect(Object.keys(Object(back)).sort()).toEqual(["__proto__", "constructor", "toString"]);
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });

  contractTest("a value 16 deep is taken; one 17 deep is USAGE, and nothing is sent", async ({ dock, store }) => {
    let deep: KvValue = "bottom";
    for (let i = 0; i < 16; i++) deep = i % 2 === 0 ? [deep] : { inner: deep };
    await dock.kv.set(named("deep"), deep, { store });
    expect(await dock.kv.get(named("deep"))).toEqual(deep);
    const sent = await framesSent(dock, async () => {
      expect(await codeOf(dock.kv.set(named("deep"), [deep], { store }))).toBe("USAGE");
    });
    expect(sent).toBe(0);
  });

  contractTest(
    "a value as long as the limit is taken; one byte more is TOO_LARGE with the limit, and nothing is sent",
    async ({ dock, store }) => {
      const limit = dock.limits.valueBytes;
      const largest = ofLength(limit);
      await dock.kv.set(named("largest"), largest, { store });
      expect(await dock.kv.get(named("largest"))).toBe(largest);
      const sent = await framesSent(dock, async () => {
        const call = dock.kv.set(named("largest"), `${largest}y`, { store });
        await expect(call).rejects.toMatchObject({ code: "TOO_LARGE", details: { limit } });
      });
      expect(sent).toBe(0);
      expect(await dock.kv.get(named("largest"))).toBe(largest);
    },
  );

  contractTest("what can't be a value is USAGE, and nothing is sent", async ({ dock, store }) => {
    const none = [undefined, () => {}, Symbol("s"), new Date(0), new Map(), 2n ** 63n, "\ud800", [undefined], { a: undefined }];
    const sent = await framesSent(dock, async () => {
      for (const value of none) expect(await codeOf(dock.kv.set(named("none"), value, { store }))).toBe("USAGE");
    });
    expect(sent).toBe(0);
    expect(await dock.kv.get(named("none"))).toBeUndefined();
  });

  contractTest("the last value of a key is the one that stays", async ({ dock, store }) => {
    const key = named("replaced");
    for (const value of ["long ".repeat(100), { a: 1 }, ""]) {
      await dock.kv.set(key, value, { store });
      expect(await dock.kv.find(key)).toEqual({ value, store, upd: false });
    }
    await Promise.all(Array.from({ length: 50 }, (_, i) => dock.kv.set(key, i, { store })));
    expect(await dock.kv.get(key)).toBe(49);
  });

  contractTest("a key that is deleted is gone, and delete says whether there was one", async ({ dock, store }) => {
    const key = named("deleted");
    await dock.kv.set(key, 1, { store });
    expect([await dock.kv.delete(key, { store }), await dock.kv.delete(key, { store })]).toEqual([true, false]);
    expect(await dock.kv.get(key)).toBeUndefined();
    expect(await keysOf(dock)).not.toContain(key);
  });

  contractTest("a key has any name, up to the limit in UTF-8, and no two are the same", async ({ dock, store }) => {
    const room = dock.limits.keyBytes - Buffer.byteLength(named(""));
    const names = [...ODD, "x".repeat(room), "ж".repeat(Math.floor(room / 2))].map(named);
    await inTurns(names, (key) => dock.kv.set(key, `value of ${key}`, { store }));
    expect(await inTurns(names, (key) => dock.kv.get(key))).toEqual(names.map((key) => `value of ${key}`));
    expect(await keysOf(dock)).toEqual(expect.arrayContaining(names));
  });

  contractTest("`__proto__` itself is a key like any other", async ({ dock, store }) => {
    await dock.kv.set("__proto__", "a value", { store });
    expect(await dock.kv.get("__proto__")).toBe("a value");
    expect(await keysOf(dock)).toContain("__proto__");
    expect(await dock.kv.delete("__proto__", { store })).toBe(true);
    expect(await dock.kv.get("__proto__")).toBeUndefined();
  });

  contractTest(
    "a key of a layer stands before that of the next one, and shows it again when it is deleted",
    { tags: ["stores"] },
    async ({ dock, writable, needs, skipFor }) => {
      needs("stores");
      if (writable.length === 1) skipFor("only one of its layers can be written");
      const key = named("shadow");
      for (const store of writable.toReversed()) {
        await dock.kv.set(key, `in ${store}`, { store });
        expect(await dock.kv.find(key)).toMatchObject({ value: `in ${store}`, store });
      }
      expect(await inTurns(writable, (store) => dock.kv.get(key, { store }))).toEqual(writable.map((store) => `in ${store}`));
      for (const store of writable) {
        expect((await dock.kv.find(key))?.store).toBe(store);
        await dock.kv.delete(key, { store });
      }
      expect(await dock.kv.find(key)).toBeUndefined();
    },
  );

  contractTest("the list and the use of the layer follow", async ({ dock, store }) => {
    const key = named("counted");
    const before = await usedIn(dock, store);
    for (const [value, bytes] of [
      ["", 1],
      ["x".repeat(300), 303],
      [null, 1],
    ] as const) {
      await dock.kv.set(key, value, { store });
      expect(await entryOf(dock, key)).toEqual({ key, store, bytes, upd: false });
      expect(await usedIn(dock, store)).toBe(before + key.length + bytes);
    }
    await dock.kv.delete(key, { store });
    expect(await entryOf(dock, key)).toBeUndefined();
    expect(await usedIn(dock, store)).toBe(before);
    await expectAnswers(dock);
  });
}

/** Text that is so many bytes long as a value: the text, and three or more bytes that say how long it is. */
function ofLength(bytes: number): string {
  if (bytes <= 24) return "y".repeat(bytes - 1);
  return "y".repeat(bytes - (bytes <= 257 ? 2 : 3));
}

async function keysOf(dock: Dock): Promise<string[]> {
  return (await dock.kv.list()).map(({ key }) => key);
}

async function entryOf(dock: Dock, key: string): Promise<unknown> {
  return (await dock.kv.list()).find((entry) => entry.key === key);
}

async function usedIn(dock: Dock, layer: string): Promise<number> {
  return (await dock.info()).stores.find(({ store }) => store === layer)?.used ?? Number.NaN;
}
