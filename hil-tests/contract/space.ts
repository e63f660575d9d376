/** SPEC §6 and §7: a layer holds what it has room for, and refuses the rest as if it had never been asked. */
import { expect } from "vitest";
import type { Dock, Layer } from "../../src/index.js";
import { costs } from "./calls.js";
import { contractTest } from "./contract-test.js";
import { HUGE } from "./reading.js";
import { content, named, ownNames } from "./writing.js";

export function space(): void {
  contractTest("a full layer is NO_SPACE with what is free, and nothing is written", async ({ dock, writable }) => {
    const store = await smallestLayer(dock, writable);
    const left = 10;
    await fillUp(dock, store, left);
    const before = { ...(await useOf(dock, store)), names: await ownIn(dock, store) };
    expect(before.capacity - before.used).toBe(left);
    const details = { store, free: left };
    const key = named("key");
    await expect(dock.kv.set(key, "x", { store })).rejects.toMatchObject({ code: "NO_SPACE", details });
    const put = async (): Promise<void> => {
      const call = dock.images.put(named("image"), content(5_000, "no space"), { store, type: "none" });
      await expect(call).rejects.toMatchObject({ code: "NO_SPACE", details });
    };
    expect((await costs(dock, put)).uploaded).toBe(0);
    expect({ ...(await useOf(dock, store)), names: await ownIn(dock, store) }).toEqual(before);
  });

  contractTest("what is replaced counts as free, and what is deleted makes room, to the byte", async ({ dock, writable }) => {
    const store = await smallestLayer(dock, writable);
    const last = named("last");
    await dock.images.put(last, content(500, "last"), { store, type: "none" });
    await fillUp(dock, store, 0);
    await dock.images.put(last, content(500, "another"), { store, type: "none" });
    await expect(dock.images.put(last, content(501, "larger"), { store, type: "none" })).rejects.toMatchObject({
      code: "NO_SPACE",
    });
    expect(content(500, "another").equals((await dock.images.get(last)).data)).toBe(true);
    await dock.images.delete(last, { store });
    const key = named("last");
    const bytes = new Uint8Array(500 - 3); // three bytes say how long it is
    await dock.kv.set(key, bytes, { store });
    const { used, capacity } = await useOf(dock, store);
    expect(used).toBe(capacity);
    expect(await dock.kv.get(key)).toEqual(bytes);
  });

  contractTest(
    "an image larger than the layer is TOO_LARGE with its capacity, and nothing of it is sent",
    async ({ dock, writable }) => {
      const store = await smallestLayer(dock, writable);
      const { capacity } = await useOf(dock, store);
      const put = async (): Promise<void> => {
        const call = dock.images.put(named("too large"), new Uint8Array(capacity + 1), { store, type: "none" });
        await expect(call).rejects.toMatchObject({ code: "TOO_LARGE", details: { limit: capacity } });
      };
      expect((await costs(dock, put)).uploaded).toBe(0);
    },
  );
}

async function useOf(dock: Dock, layer: Layer): Promise<{ capacity: number; used: number }> {
  const { stores } = await dock.info();
  const { capacity = 0, used = 0 } = stores.find(({ store }) => store === layer) ?? {};
  return { capacity, used };
}

/** The layer that is full first. */
async function smallestLayer(dock: Dock, layers: readonly Layer[]): Promise<Layer> {
  const { stores } = await dock.info();
  const [smallest] = stores
    .filter(({ store }) => layers.includes(store))
    .sort((a, b) => a.capacity - a.used - (b.capacity - b.used));
  if (smallest === undefined) throw new Error("what can be written isn't among the layers");
  return smallest.store;
}

/** Leaves `free` bytes: with one image under many tags, which is sent once, and one that is as large as the rest. */
async function fillUp(dock: Dock, store: Layer, free: number): Promise<void> {
  const rest = named("rest");
  for (let i = 0; ; i++) {
    const { capacity, used } = await useOf(dock, store);
    const room = capacity - used - free;
    const tag = named(`fill ${i}`);
    if (room < HUGE + tag.length + rest.length) {
      await dock.images.put(rest, content(room - rest.length, "rest"), { store, type: "none" });
      return;
    }
    await dock.images.put(tag, content(HUGE, "fill"), { store, type: "none" });
  }
}

async function ownIn(dock: Dock, layer: Layer): Promise<string[]> {
  const keys = (await dock.kv.list()).filter(({ store }) => store === layer).map(({ key }) => key);
  const tags = (await dock.images.list()).filter(({ store }) => store === layer).map(({ tag }) => tag);
  return [...ownNames(keys), ...ownNames(tags)];
}
