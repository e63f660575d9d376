import { expect } from "vitest";
import { dockTest } from "../../../src/vitest/index.js";

dockTest("finds the dock as it was", async ({ dock }) => {
  expect(await dock.kv.get("mode")).toBe("usual");
  expect((await dock.images.get("logo")).data).toHaveLength(3_000);
  expect(await dock.images.list({ store: "runtime" })).toHaveLength(1);
});
