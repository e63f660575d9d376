import { dockTest } from "../../../src/vitest/index.js";

dockTest.override({ opening: { reconnect: { timeout: 300 } }, isolate: "none" });

dockTest("loses its dock", async ({ dock }) => {
  process.kill(Number(process.env.MOCK_PID), "SIGKILL");
  await dock.kv.get("timezone");
});

dockTest("is skipped, since it isn't back", async ({ dock }) => void (await dock.info()));
dockTest("is skipped as well", async ({ dock }) => void (await dock.info()));

dockTest("has another one", async ({ dock }) => void (await dock.info()));
