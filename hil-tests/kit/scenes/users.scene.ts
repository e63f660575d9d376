import { describe, expect } from "vitest";
import { dockTest } from "../../../src/vitest/index.js";

/** Fixtures of a user's, on top of the kit's. */
const roomTest = dockTest.extend<{ room: string; broken: string }>({
  room: async ({ dock }, use) => {
    await dock.kv.set("room", "4.12", { store: "runtime" });
    await use("4.12");
  },
  broken: async ({ dock }, use) => {
    await dock.kv.set("left", 1, { store: "runtime" });
    await use("broken");
    throw new Error("a fixture that throws when it is over");
  },
});

dockTest("has the dock by itself", async ({ dock }) => void (await dock.info()));
roomTest("has the same dock by a fixture on top", async ({ dock, room }) => expect(await dock.kv.get("room")).toBe(room));
roomTest("has a fixture that throws", async ({ broken }) => expect(broken).toBe("broken"));
dockTest("finds nothing that its fixture has left", async ({ dock }) => expect(await dock.kv.get("left")).toBeUndefined());

describe("read only for a while", () => {
  dockTest.override({ opening: { readOnly: true } });
  dockTest("can't write there", async ({ dock }) => {
    await expect(dock.kv.set("a", 1, { store: "runtime" })).rejects.toMatchObject({ code: "READ_ONLY" });
  });
});

dockTest("can write again", async ({ dock }) => dock.kv.set("a", 1, { store: "runtime" }));

/** How often "is repeated" was begun. */
let rounds = 0;

dockTest("is repeated, and leaks when it passes", { repeats: 1 }, async ({ dock }) => {
  rounds++;
  if (rounds === 1) throw new Error("the first round");
  void dock.kv.set("leaked", 2, { store: "runtime" });
});

describe("no dock", () => {
  dockTest.override({ port: "tcp://127.0.0.1:1", opening: { reconnect: { timeout: 100 } } });
  dockTest("fails as often as it is tried", { retry: 2 }, async ({ dock }) => void (await dock.info()));
});

describe("another dock that isn't there", () => {
  dockTest.override({ port: "tcp://127.0.0.1:2", opening: { reconnect: { timeout: 100 } } });
  dockTest.fails("isn't passed for want of a dock", async ({ dock }) => void (await dock.info()));
});
