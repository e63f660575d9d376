import { expect } from "vitest";
import { dockTest } from "../../../src/vitest/index.js";

dockTest("is skipped for want of leave", async ({ needs }) => needs("write.runtime"));

dockTest("can't write all the same", async ({ dock }) => {
  await expect(dock.kv.set("a", 1, { store: "runtime" })).rejects.toMatchObject({ code: "READ_ONLY" });
});

dockTest("is told how to get leave", async ({ dock }) => dock.kv.set("a", 1, { store: "runtime" }));

dockTest("is skipped for having no mock", async ({ faults }) => faults.add("busy"));
