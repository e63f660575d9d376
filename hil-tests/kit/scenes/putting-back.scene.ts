import { describe, expect } from "vitest";
import { dockTest } from "../../../src/vitest/index.js";

const IMAGE = Buffer.alloc(10_000, 7);

describe("layer", () => {
  dockTest("writes everywhere", async ({ dock }) => {
    await dock.kv.set("timezone", "CET", { store: "runtime" });
    await dock.kv.set("a", 1, { store: "ephemeral" });
    await dock.images.put("a", IMAGE, { store: "runtime", type: "none" });
  });
  dockTest("finds nothing of it", async ({ dock }) => {
    expect(await dock.kv.find("timezone")).toMatchObject({ value: "GMT", store: "factory" });
    expect([await dock.kv.list({ store: "application" }), await dock.images.list({ store: "application" })]).toEqual([[], []]);
  });
});

describe("none", () => {
  dockTest.override({ isolate: "none" });
  dockTest("leaves something", async ({ dock }) => dock.kv.set("left", 1, { store: "runtime" }));
  dockTest("finds what was left", async ({ dock }) => {
    expect(await dock.kv.get("left")).toBe(1);
    await dock.kv.delete("left", { store: "runtime" });
  });
});

describe("snapshot, on a dock whose factory data can be written", () => {
  dockTest.override({ port: "mock:development", isolate: "snapshot" });
  dockTest("writes to factory", async ({ dock }) => {
    const to = { store: "factory", confirm: dock.name } as const;
    await dock.kv.set("timezone", "CET", to);
    await dock.images.delete("default", to);
  });
  dockTest("finds factory as it was", async ({ dock }) => {
    expect(await dock.kv.get("timezone")).toBe("GMT");
    expect((await dock.images.get("default")).type).toBe("png");
  });
});

describe("a dock that was reset and restarted", () => {
  dockTest("loses all that isn't factory", async ({ dock, needs }) => {
    needs("restart", "reset");
    await dock.kv.set("a", 1, { store: "runtime" });
    await dock.restart();
    expect(await dock.kv.get("a")).toBe(1);
    await dock.reset();
  });
  dockTest("goes on", async ({ dock }) => expect(await dock.kv.get("timezone")).toBe("GMT"));
});
