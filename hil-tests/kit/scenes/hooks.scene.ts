import { describe, expect, vi } from "vitest";
import { dockTest } from "../../../src/vitest/index.js";

/** Hooks of a user's, above the first test. */
dockTest.beforeEach(async ({ dock }) => dock.kv.set("by a hook", 1, { store: "runtime" }));
dockTest.aroundEach(async (runTest, { dock }) => {
  expect(await dock.kv.get("by a hook")).toBeUndefined();
  await runTest();
  expect(await dock.kv.get("by a hook")).toBe(1);
});

dockTest("has what its hook has written", async ({ dock }) => expect(await dock.kv.get("by a hook")).toBe(1));
dockTest("finds nothing of it before its hook", async ({ dock }) => void (await dock.info()));

dockTest("leaks under hooks", async ({ dock }) => {
  dock.transaction("ephemeral", () => new Promise(() => {})).catch(() => {});
  await dock.kv.get("timezone");
});

describe("time that is turned by hand", () => {
  dockTest("leaves fake timers", async ({ dock }) => {
    vi.useFakeTimers();
    await dock.kv.get("timezone");
  });
  dockTest("goes on after them", async ({ dock }) => {
    vi.useRealTimers();
    await dock.kv.get("timezone");
  });
});
