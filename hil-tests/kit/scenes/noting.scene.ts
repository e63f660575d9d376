import { dockTest } from "../../../src/vitest/index.js";

dockTest("has a dock that may be written", async ({ dock, needs }) => {
  needs("write.runtime");
  await dock.kv.set("mode", "testing", { store: "runtime" });
});
