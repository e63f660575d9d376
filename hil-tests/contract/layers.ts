/** SPEC §3.3 and §6: layers, and the order in which they are asked. */
import { expect } from "vitest";
import { APPLICATION_DATA, type Dock, FACTORY_DATA, type ImageEntry, type KeyEntry, type Layer } from "../../src/index.js";
import { allOf, codeOf, codesOf, framesSent, inTurns, LOOKUPS } from "./calls.js";
import { contractTest } from "./contract-test.js";
import { all, byBytes, infoOf } from "./reading.js";

const LOOKUP_ORDER = ["ephemeral", "runtime", "factory"] as const;

export function layers(): void {
  contractTest("the list of a layer has what is in that layer, ordered", async ({ dock, needs }) => {
    needs("stores");
    for (const store of dock.stores) {
      const images = await dock.images.list({ store });
      const keys = await dock.kv.list({ store });
      expect(new Set([...images, ...keys].map((entry) => entry.store))).toEqual(new Set(images[0] || keys[0] ? [store] : []));
      expect(images.map(({ tag }) => tag)).toEqual(images.map(({ tag }) => tag).toSorted(byBytes));
      expect(keys.map(({ key }) => key)).toEqual(keys.map(({ key }) => key).toSorted(byBytes));
    }
  });

  contractTest(
    "the list of all is that of ephemeral, then what runtime adds, then what factory adds",
    async ({ dock, needs }) => {
      needs("stores");
      expect(await dock.images.list()).toEqual(await imagesIn(dock, LOOKUP_ORDER));
      expect(await dock.kv.list()).toEqual(await keysIn(dock, LOOKUP_ORDER));
    },
  );

  contractTest("a name is looked up in that order as well", async ({ dock, needs }) => {
    needs("stores");
    for (const { tag, store } of await imagesIn(dock, LOOKUP_ORDER)) {
      const info = await infoOf(dock, tag);
      expect({ tag, ...info }).toEqual({ tag, ...(await infoOf(dock, tag, { store })) });
      expect(info.store).toBe(store);
    }
    await inTurns(await keysIn(dock, LOOKUP_ORDER), async ({ key, store }) => {
      const answer = await dock.kv.find(key);
      expect({ key, ...answer }).toEqual({ key, ...(await dock.kv.find(key, { store })) });
      expect(answer?.store).toBe(store);
    });
  });

  contractTest(
    "a layer that is named answers with its own, though another stands before it",
    async ({ dock, found, needs }) => {
      needs("stores");
      const before = new Map((await dock.images.list()).map(({ tag, store }) => [tag, store]));
      const shadowed = (await imagesOfAll(dock)).filter(({ tag, store }) => before.get(tag) !== store);
      found("an image behind another", shadowed[0]);
      for (const { tag, ...listed } of shadowed) {
        const { data, ...info } = await dock.images.get(tag, { store: listed.store });
        expect({ tag, ...info }).toMatchObject({ tag, ...listed });
        expect(data.length).toBe(listed.size);
      }
    },
  );

  contractTest("a key that stands behind another is found in its layer", async ({ dock, found, needs }) => {
    needs("stores");
    const before = new Map((await dock.kv.list()).map(({ key, store }) => [key, store]));
    const shadowed = (await keysOfAll(dock)).filter(({ key, store }) => before.get(key) !== store);
    found("a key behind another", shadowed[0]);
    await inTurns(shadowed, async ({ key, store, upd }) => {
      const answer = await dock.kv.find(key, { store });
      expect({ key, ...answer }).toMatchObject({ key, store, upd });
      expect(await dock.kv.get(key, { store })).toEqual(answer?.value);
    });
  });

  contractTest("a name of one layer is unknown in the others", async ({ dock, needs }) => {
    needs("stores");
    const images = await imagesOfAll(dock);
    const keys = await keysOfAll(dock);
    for (const store of dock.stores) {
      const tags = new Set(images.filter((it) => it.store === store).map(({ tag }) => tag));
      const names = new Set(keys.filter((it) => it.store === store).map(({ key }) => key));
      const otherTag = images.find(({ tag }) => !tags.has(tag))?.tag;
      const otherKey = keys.find(({ key }) => !names.has(key))?.key;
      if (otherTag !== undefined) expect(await codeOf(dock.images.get(otherTag, { store }))).toBe("NOT_FOUND");
      if (otherKey !== undefined) expect(await dock.kv.get(otherKey, { store })).toBeUndefined();
    }
  });

  contractTest("the entries of a layer are its keys with their values", async ({ dock, needs }) => {
    needs("stores");
    for (const store of dock.stores) {
      const keys = (await dock.kv.list({ store })).map(({ key }) => key);
      const expected = await inTurns(keys, async (key) => [key, await dock.kv.get(key, { store })]);
      expect(await all(dock.kv.entries({ store }))).toEqual(expected);
    }
  });

  contractTest("FACTORY_DATA is factory, APPLICATION_DATA is ephemeral before runtime", async ({ dock, needs }) => {
    needs("stores");
    const choices = [
      { store: FACTORY_DATA, layers: ["factory"] },
      { store: APPLICATION_DATA, layers: ["ephemeral", "runtime"] },
    ] as const;
    for (const { store, layers } of choices) {
      if (!layers.some((layer) => dock.stores.includes(layer))) continue;
      expect(await dock.images.list({ store })).toEqual(await imagesIn(dock, layers));
      expect(await dock.kv.list({ store })).toEqual(await keysIn(dock, layers));
    }
  });

  contractTest("APPLICATION_DATA is looked up from ephemeral to runtime, and no further", async ({ dock, found, needs }) => {
    needs("stores");
    const inside = new Map((await keysIn(dock, ["ephemeral", "runtime"])).map(({ key, store }) => [key, store]));
    const tags = new Map((await imagesIn(dock, ["ephemeral", "runtime"])).map(({ tag, store }) => [tag, store]));
    found("application data", inside.size > 0 && tags.size > 0 ? inside : undefined);
    const store = APPLICATION_DATA;
    await inTurns(await keysOfAll(dock), async ({ key }) => {
      expect((await dock.kv.find(key, { store }))?.store).toBe(inside.get(key));
    });
    for (const { tag } of await imagesOfAll(dock)) {
      if (!tags.has(tag)) expect(await codeOf(dock.images.getToken(tag, { store }))).toBe("NOT_FOUND");
      else expect((await infoOf(dock, await dock.images.getToken(tag, { store }))).store).toBe(tags.get(tag));
    }
  });

  contractTest("a token stands for the image of the layer that it was asked of", async ({ dock, found, needs }) => {
    needs("stores");
    const images = await imagesOfAll(dock);
    found("an image", images[0]);
    for (const { tag, store, size, type } of images) {
      const token = await dock.images.getToken(tag, { store });
      expect(await infoOf(dock, token)).toMatchObject({ store, size, type });
      expect(await framesSent(dock, async () => expect(await codeOf(dock.images.get(token, { store }))).toBe("USAGE"))).toBe(0);
    }
  });

  contractTest("what the layers hold fits into them", async ({ dock, needs }) => {
    needs("stores");
    const images = (await imagesOfAll(dock)).map(({ tag, store, size }) => ({ store, size: Buffer.byteLength(tag) + size }));
    const keys = (await keysOfAll(dock)).map(({ key, store, bytes }) => ({ store, size: Buffer.byteLength(key) + bytes }));
    for (const { store, capacity } of (await dock.info()).stores) {
      const held = [...images, ...keys].filter((it) => it.store === store).reduce((sum, { size }) => sum + size, 0);
      expect(held).toBeLessThanOrEqual(capacity);
    }
  });

  contractTest("a layer that the dock doesn't have is UNSUPPORTED, and nothing is sent", async ({ dock, skipFor }) => {
    const store = LOOKUP_ORDER.find((layer) => !dock.stores.includes(layer));
    if (store === undefined) return skipFor("this dock has all three layers");
    const sent = await framesSent(dock, async () => {
      expect(await codesOf(LOOKUPS, dock, { store })).toEqual(allOf(LOOKUPS, "UNSUPPORTED"));
    });
    expect(sent).toBe(0);
  });

  contractTest.for([...LOOKUP_ORDER, APPLICATION_DATA] as const)(
    "without the feature `stores` it is UNSUPPORTED to name %s, and nothing is sent",
    async (store, { dock, skipFor }) => {
      if (dock.features.includes("stores")) return skipFor("this dock's layers can be named");
      const sent = await framesSent(dock, async () => {
        expect(await codesOf(LOOKUPS, dock, { store })).toEqual(allOf(LOOKUPS, "UNSUPPORTED"));
      });
      expect(sent).toBe(0);
    },
  );
}

/** The images of the layers that the dock has of these, each tag from the first that has it. */
async function imagesIn(dock: Dock, order: readonly Layer[]): Promise<ImageEntry[]> {
  const entries = new Map<string, ImageEntry>();
  for (const store of order.filter((layer) => dock.stores.includes(layer))) {
    for (const entry of await dock.images.list({ store })) if (!entries.has(entry.tag)) entries.set(entry.tag, entry);
  }
  return [...entries.values()].sort((a, b) => byBytes(a.tag, b.tag));
}

/** As `imagesIn`. */
async function keysIn(dock: Dock, order: readonly Layer[]): Promise<KeyEntry[]> {
  const entries = new Map<string, KeyEntry>();
  for (const store of order.filter((layer) => dock.stores.includes(layer))) {
    for (const entry of await dock.kv.list({ store })) if (!entries.has(entry.key)) entries.set(entry.key, entry);
  }
  return [...entries.values()].sort((a, b) => byBytes(a.key, b.key));
}

async function imagesOfAll(dock: Dock): Promise<ImageEntry[]> {
  return (await Promise.all(dock.stores.map((store) => dock.images.list({ store })))).flat();
}

async function keysOfAll(dock: Dock): Promise<KeyEntry[]> {
  return (await Promise.all(dock.stores.map((store) => dock.kv.list({ store })))).flat();
}
