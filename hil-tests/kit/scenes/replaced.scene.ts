import { afterAll, expect } from "vitest";
import { dockTest } from "../../../src/vitest/index.js";
import { type MockDock, startMock } from "../../mock-dock.js";

let other: MockDock | undefined;

afterAll(() => other?.stop());

dockTest("has another dock in the place of its own", async ({ dock, open }) => {
  process.kill(Number(process.env.MOCK_PID), "SIGKILL");
  await dock.close();
  other = await startMock("--tcp", (process.env.DL7450_PORT ?? "").replace("tcp://", ""), "--name", "RW02-0006");
  await expect(open()).rejects.toMatchObject({
    code: "NO_DOCK",
    message: expect.stringContaining("Another dock is there now"),
  });
});

dockTest("doesn't have the other one", async ({ dock }) => expect(dock.name).toBe("RW02-0005"));
