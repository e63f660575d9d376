/** What a cable can do: it is pulled, and put back or not. Runs in the VM of `vm.sh`, by `npm run test:usb`. */
import { createHash, randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { Dock, type OpenOptions } from "../../src/index.js";
import { cable, LARGE, openDock, otherCable, pull, serveDocks, TIMEOUT } from "./docks.js";

const reconnecting = { reconnect: { timeout: 60_000 }, timeout: 60_000 } satisfies OpenOptions;

serveDocks();

describe("a cable that is pulled", { timeout: TIMEOUT }, () => {
  test("while nothing happens is LINK_LOST, and what comes later fails at once", async () => {
    await using dock = await openDock();
    await pull();
    expect(await dock.closed).toMatchObject({ code: "LINK_LOST" });
    await expect(dock.kv.get("timezone")).rejects.toMatchObject({ code: "LINK_LOST" });
    await expect(openDock()).rejects.toMatchObject({ code: "NO_DOCK" });
  });

  test("and put back while nothing happens goes unnoticed with `reconnect`", async () => {
    await using dock = await openDock(reconnecting);
    await pull();
    await cable.plug();
    expect(await dock.kv.get("timezone")).toBe("GMT");
    expect(dock.link.counters.reconnects).toBe(1);
  });

  test("and put back in a list: the list is whole", async () => {
    await using dock = await openDock(reconnecting);
    const keys = Array.from({ length: 60 }, (_, i) => `key ${String(i).padStart(3, "0")}`);
    await dock.transaction("ephemeral", async (tx) => {
      for (const key of keys) await tx.kv.set(key, "x".repeat(200));
    });
    const found: string[] = [];
    for await (const [key] of dock.kv.entries()) {
      if (found.length === 3) {
        await pull();
        await cable.plug();
      }
      if (key.startsWith("key ")) found.push(key);
    }
    expect(found).toEqual(keys);
  });

  test("and put back in a download: it goes on where it was", async () => {
    await using dock = await openDock(reconnecting);
    const image = randomBytes(LARGE);
    await dock.images.put("download", image, { store: "ephemeral", type: "none" });
    const before = dock.link.counters.bytesIn;
    const hash = createHash("sha256");
    let pulled = false;
    let received = 0;
    for await (const chunk of dock.images.stream("download")) {
      hash.update(chunk);
      received += chunk.length;
      if (pulled || received < LARGE / 2) continue;
      pulled = true;
      await pull();
      await cable.plug();
    }
    expect(hash.digest("hex")).toBe(createHash("sha256").update(image).digest("hex"));
    expect(dock.link.counters.bytesIn - before).toBeLessThan(LARGE * 1.4); // and not twice
  });

  test("and put back in an upload: it goes on where it was", async () => {
    await using dock = await openDock(reconnecting);
    const image = randomBytes(LARGE);
    let plugging: Promise<unknown> | undefined;
    const onProgress = ({ sent }: { readonly sent: number }): void => {
      if (sent >= LARGE / 2) plugging ??= pullAndPlug();
    };
    const pullAndPlug = async (): Promise<void> => {
      await cable.unplug();
      await cable.plug();
    };
    await dock.images.put("upload", image, { store: "ephemeral", type: "none", onProgress });
    await plugging;
    expect(plugging).toBeDefined();
    expect(Buffer.compare((await dock.images.get("upload")).data, image)).toBe(0);
    expect(dock.link.counters.uploaded).toBeLessThan(LARGE * 1.4);
  });

  test("in a transaction: it fails, and nothing of it was done", async () => {
    await using dock = await openDock(reconnecting);
    const transaction = dock.transaction("runtime", async (tx) => {
      await tx.kv.set("half", "done");
      await pull();
      await cable.plug();
      await tx.kv.set("other half", "done");
    });
    await expect(transaction).rejects.toMatchObject({ name: "DockError" });
    expect([await dock.kv.get("half"), await dock.kv.get("other half")]).toEqual([undefined, undefined]);
  });

  test("and comes back under another path is found by its serial number, also when it was opened by its path", async () => {
    const before = await cable.hostEnd();
    await using dock = await Dock.open(before, { handshakeTimeout: 20_000, ...reconnecting });
    const holder = await open(before, "r+"); // keeps the old name taken
    onTestFinished(() => holder.close());
    await pull();
    const after = await cable.plug();
    expect(after).not.toBe(before);
    expect(await dock.kv.get("timezone")).toBe("GMT");
  });

  test("isn't made up for by another dock, not even under the same path", async () => {
    onTestFinished(async () => void (await otherCable.plug()));
    await otherCable.unplug();
    await pull();
    const path = await cable.plug(); // the first that is free, which the next to be plugged in gets
    await using dock = await Dock.open(path, { handshakeTimeout: 20_000, ...reconnecting });
    await cable.unplug();
    expect(await otherCable.plug()).toBe(path);
    const asked = dock.info();
    expect(await Promise.race([asked, setTimeout(1_500, "waits")])).toBe("waits");
    await cable.plug();
    expect((await asked).name).toBe("Dock 0");
  });

  test("for longer than is waited for is LINK_LOST", async () => {
    await using dock = await openDock({ reconnect: { timeout: 1_000 } });
    await pull();
    expect(await dock.closed).toMatchObject({ code: "LINK_LOST" });
  });

  test("three times a second for five seconds: every write is there that was said to be", async () => {
    await using dock = await openDock(reconnecting);
    let isFlapping = true;
    const flapping = (async () => {
      try {
        for (let i = 0; i < 15; i++) {
          await cable.flick(100);
          await setTimeout(233);
        }
        await cable.plug();
      } finally {
        isFlapping = false;
      }
    })();
    const done: string[] = [];
    for (let i = 0; isFlapping || done.length === 0; i++) {
      await dock.kv.set(`count ${i}`, i, { store: "runtime" }).then(
        () => done.push(`count ${i}`),
        (error: unknown) => expect(error).toMatchObject({ code: "OUTCOME_UNKNOWN" }),
      );
    }
    await flapping;
    const kept = (await dock.kv.list()).map(({ key }) => key);
    expect(kept).toEqual(expect.arrayContaining(done));
    expect(dock.link.counters.reconnects).toBeGreaterThan(0);
  });
});
