/** SPEC §3.2, §6 and §7.2: tokens, restart and reset: what survives, and what doesn't. */
import { expect } from "vitest";
import type { Dock, ImageToken } from "../../src/index.js";
import { codeOf } from "./calls.js";
import { contractTest } from "./contract-test.js";
import { expectAnswers } from "./reading.js";
import { content, named } from "./writing.js";

const NEEDS = ["stores", "write.runtime", "write.ephemeral"] as const;
const [KEY, IMAGE] = [named("key"), named("image")];

export function startingAgain(): void {
  contractTest("a token is STALE once its image is replaced or deleted", async ({ dock, store }) => {
    const put = async (seed: string): Promise<ImageToken> => {
      await dock.images.put(IMAGE, content(1_000, seed), { store, type: "none" });
      return dock.images.getToken(IMAGE);
    };
    const first = await put("first");
    expect((await dock.images.get(first)).data.length).toBe(1_000);
    const second = await put("second");
    expect(await codeOf(dock.images.get(first))).toBe("STALE");
    expect(content(1_000, "second").equals((await dock.images.get(second)).data)).toBe(true);
    await dock.images.delete(IMAGE, { store });
    expect(await codeOf(dock.images.get(second))).toBe("STALE");
  });

  contractTest(
    "after a restart with `reconnect` it is another boot: ephemeral is gone, the rest is there",
    { tags: ["restart", "stores"] },
    async ({ dock, needs }) => {
      needs("restart", ...NEEDS);
      await writeBoth(dock);
      const before = { ...(await dock.info()), kept: await keptOf(dock) };
      await dock.restart();
      const { bootId, uptimeMs, id } = await dock.info();
      expect({ id, isSameBoot: bootId === before.bootId }).toEqual({ id: before.id, isSameBoot: false });
      expect(uptimeMs).toBeLessThan(before.uptimeMs);
      expect(await keptOf(dock)).toEqual(before.kept);
      expect(await dock.kv.get(KEY)).toBe("in runtime");
      expect([await dock.kv.list({ store: "ephemeral" }), await dock.images.list({ store: "ephemeral" })]).toEqual([[], []]);
      expect(content(2_000, "runtime").equals((await dock.images.get(IMAGE)).data)).toBe(true);
      await dock.kv.set(KEY, "again", { store: "ephemeral" });
      expect(await dock.kv.get(KEY)).toBe("again");
    },
  );

  contractTest("a token of before a restart is STALE", { tags: ["restart", "stores"] }, async ({ dock, needs }) => {
    needs("restart", ...NEEDS);
    await writeBoth(dock);
    const tokens = await Promise.all([
      dock.images.getToken(IMAGE, { store: "runtime" }),
      dock.images.getToken(IMAGE, { store: "ephemeral" }),
    ]);
    await dock.restart();
    expect(await Promise.all(tokens.map((token) => codeOf(dock.images.get(token))))).toEqual(["STALE", "STALE"]);
  });

  contractTest(
    "after a restart without `reconnect` the link is over, and the dock can be opened again",
    { tags: ["restart", "stores"] },
    async ({ open, needs }) => {
      needs("restart", ...NEEDS);
      const dock = await open();
      await writeBoth(dock);
      const { bootId } = await dock.info();
      await dock.restart();
      expect(await dock.closed).toMatchObject({ code: "LINK_LOST" });
      expect(await codeOf(dock.kv.get(KEY))).toBe("LINK_LOST");
      await dock.close();
      const next = await open();
      expect((await next.info()).bootId).not.toBe(bootId);
      expect(await next.kv.find(KEY)).toMatchObject({ value: "in runtime", store: "runtime" });
    },
  );

  contractTest("a restart rolls an open transaction back", { tags: ["restart", "txn", "stores"] }, async ({ dock, needs }) => {
    needs("restart", "txn", ...NEEDS);
    const lost = dock.transaction("runtime", async (tx) => {
      await tx.kv.set(KEY, 1);
      await dock.restart();
    });
    expect(await codeOf(lost)).toBe("LINK_LOST");
    expect(await dock.kv.get(KEY)).toBeUndefined();
    await dock.transaction("runtime", async (tx) => tx.kv.set(KEY, 2));
    expect(await dock.kv.get(KEY)).toBe(2);
  });

  contractTest(
    "a reset clears runtime and ephemeral, and not factory; the boot goes on",
    { tags: ["reset", "stores"] },
    async ({ dock, found, needs }) => {
      needs("reset", ...NEEDS);
      await writeBoth(dock);
      const { bootId } = await dock.info();
      const factory = [await dock.kv.list({ store: "factory" }), await dock.images.list({ store: "factory" })];
      found("factory data", factory.flat()[0]);
      await dock.reset();
      for (const store of ["runtime", "ephemeral"] as const) {
        expect([await dock.kv.list({ store }), await dock.images.list({ store })]).toEqual([[], []]);
      }
      expect([await dock.kv.list(), await dock.images.list()]).toEqual(factory);
      const { stores, ...info } = await dock.info();
      expect(info.bootId).toBe(bootId);
      expect(stores.filter(({ used }) => used > 0).map(({ store }) => store)).toEqual(["factory"]);
      await expectAnswers(dock);
    },
  );

  contractTest(
    "factory data are written with the dock's name, stand behind the others, and outlive a reset",
    { tags: ["write.factory", "write.runtime", "stores", "txn", "reset"] },
    async ({ dock, needs }) => {
      needs("write.factory", "write.runtime", "stores", "txn", "reset");
      const to = { store: "factory", confirm: dock.name } as const;
      const [key, tag] = [named("factory"), named("factory image")];
      await dock.kv.set(key, "in factory", to);
      await dock.images.put(tag, content(3_000, "factory"), { ...to, type: "none" });
      expect(await dock.kv.find(key)).toMatchObject({ value: "in factory", store: "factory" });
      await dock.kv.set(key, "in runtime", { store: "runtime" });
      expect(await dock.kv.get(key)).toBe("in runtime");
      await dock.reset();
      expect(await dock.kv.get(key)).toBe("in factory");
      expect(content(3_000, "factory").equals((await dock.images.get(tag)).data)).toBe(true);
      await dock.transaction("factory", async (tx) => void (await tx.kv.delete(key)), { confirm: dock.name });
      expect(await dock.images.delete(tag, to)).toBe(true);
      expect([await dock.kv.get(key), await codeOf(dock.images.get(tag))]).toEqual([undefined, "NOT_FOUND"]);
    },
  );
}

/** A key and an image in runtime, and others of the same names in ephemeral. */
async function writeBoth(dock: Dock): Promise<void> {
  for (const store of ["runtime", "ephemeral"] as const) {
    await dock.kv.set(KEY, `in ${store}`, { store });
    await dock.images.put(IMAGE, content(2_000, store), { store, type: "none" });
  }
}

/** What is to survive a restart. */
async function keptOf(dock: Dock): Promise<unknown> {
  const stores = dock.stores.filter((store) => store !== "ephemeral");
  return Promise.all(stores.map(async (store) => [await dock.kv.list({ store }), await dock.images.list({ store })]));
}
