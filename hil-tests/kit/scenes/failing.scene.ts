import { describe, expect } from "vitest";
import { dockTest, type Faults } from "../../../src/vitest/index.js";

dockTest("is told what it did", async ({ dock }) => {
  await dock.restart(); // the mock greets on its console
  expect(await dock.kv.get("timezone")).toBe("Mars");
});

dockTest("is skipped for what the dock lacks", async ({ needs }) => needs("write.factory"));

dockTest("leaves a transaction open", async ({ dock }) => {
  dock
    .transaction("runtime", async (tx) => {
      await tx.kv.set("leaked", 1);
      await new Promise(() => {});
    })
    .catch(() => {});
  await dock.kv.get("timezone");
});

dockTest("leaves a write under way", async ({ dock }) => {
  void dock.kv.set("leaked", 2, { store: "runtime" });
});

dockTest("finds nothing that was left", async ({ dock }) => {
  expect(await dock.kv.get("leaked")).toBeUndefined();
  await dock.transaction("runtime", async (tx) => tx.kv.set("a", 1));
});

dockTest("takes too long", { timeout: 200 }, async ({ dock, faults }) => {
  await faults.add("slow:ms=60000");
  await dock.kv.get("timezone");
});

let kept: Faults | undefined;

dockTest("has two faults that were asked for at once", async ({ dock, faults }) => {
  kept = faults;
  await Promise.all([faults.add("full:rate=1"), faults.add("slow:ms=1")]);
  await expect(dock.kv.set("a", 1, { store: "runtime" })).rejects.toMatchObject({ code: "NO_SPACE" });
  await faults.clear();
  await dock.kv.set("a", 1, { store: "runtime" });
});

dockTest("can't have faults of the test before", async ({ dock }) => {
  await expect(kept?.add("busy")).rejects.toMatchObject({ code: "USAGE" });
  await dock.kv.set("a", 1, { store: "runtime" });
});

dockTest("closes its dock", async ({ dock }) => dock.close());

dockTest("opens one of its own", async ({ dock, open }) => {
  const own = await open({ timeout: 1_000 });
  expect(await own.kv.get("timezone")).toBe("GMT");
  await expect(dock.kv.get("timezone")).rejects.toMatchObject({ code: "CLOSED" });
});

dockTest("is tried again", { retry: 1 }, async ({ dock, task }) => {
  expect(await dock.kv.get("tried")).toBeUndefined();
  await dock.kv.set("tried", 1, { store: "runtime" });
  expect(task.result?.retryCount).toBe(1);
});

describe("one at a time", () => {
  dockTest.concurrent("has the dock", async ({ dock }) => {
    await dock.kv.get("timezone");
  });
  dockTest.concurrent("doesn't have it as well", async ({ dock }) => {
    await dock.kv.get("timezone");
  });
});
