/** Two docks at once: a bench names them by `DL7450_PORTS=id:RW02-0005,id:RW02-0006`. */
import { dockTest } from "dl7450/vitest";
import { describe, expect } from "vitest";

const PORTS = (process.env.DL7450_PORTS ?? "mock:?name=MOCK-0001,mock:?name=MOCK-0002").split(",");

describe("two docks", () => {
  dockTest.override({ ports: PORTS });

  dockTest("are told apart", async ({ docks }) => {
    expect(new Set(docks.map(({ id }) => id)).size).toBe(docks.length);
  });

  dockTest("what is written to one isn't on the other", async ({ docks: [left, ...others], needs }) => {
    needs("write.runtime");
    await left.kv.set("room", "4.12", { store: "runtime" });
    await expect(left).toHaveKey("room", "4.12");
    for (const other of others) await expect(other).not.toHaveKey("room", "4.12");
  });

  dockTest("an image goes from one to the other", async ({ docks: [left, right = left], needs }) => {
    needs("write.runtime");
    const { data, type } = await left.images.get("default");
    await right.images.put("copy", data, { store: "runtime", type });
    await expect(right).toHaveImage("copy", { data, type, store: "runtime" });
  });
});
