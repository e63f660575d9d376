import { dockTest } from "../../../src/vitest/index.js";

dockTest("writes, and stays", { timeout: 60_000 }, async ({ dock }) => {
  await dock.kv.set("mode", "testing", { store: "runtime" });
  await dock.images.put("logo", Buffer.alloc(5_000, 1), { store: "runtime", type: "none" });
  console.log(`${process.pid} has the dock`);
  // With something to tell all the time.
  for (let i = 0; ; i++) {
    await dock.kv.set("count", i, { store: "ephemeral" });
    console.log(i);
  }
});
