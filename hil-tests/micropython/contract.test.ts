/** The contract on the agent for real docks, which runs in MicroPython, over both lines. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { contractTest } from "../contract/contract-test.js";
import { expectCleanReading } from "../contract/reading.js";
import { contract } from "../contract.js";
import { layeredData } from "../layered.js";
import { type MockDock, startMock, startRefused } from "../mock-dock.js";

// The docks' names, and leases of this file's own: ports of mocks are others in each run.
process.env.DL7450_ALLOW_WRITE = "MOCK-0001";
process.env.XDG_DATA_HOME = mkdtempSync(join(tmpdir(), "dl7450-hil-"));
afterAll(() => rmSync(process.env.XDG_DATA_HOME ?? "", { recursive: true }));

describe.for([
  { profile: "full", line: "TCP", options: ["--tcp", "0"] },
  { profile: "preview", line: "a pseudo-terminal", options: [] },
  { profile: "preview", line: "TCP", options: ["--tcp", "0"] },
] as const)("the agent in MicroPython with the firmware $profile over $line", ({ profile, options }) => {
  let mock: MockDock;

  beforeAll(async () => {
    const data = layeredData();
    mock = await startMock("--engine", "micropython", "--profile", profile, "--data", data.file, ...options);
    return async () => {
      await mock.stop("SIGKILL");
      data.remove();
    };
  });

  contractTest.override("port", () => mock.target);
  contractTest.override({ complete: true, isolate: "none" });
  contract();

  contractTest("nothing gets lost or is broken on the line", async ({ open }) => {
    await expectCleanReading(await open({}));
  });
});

test.for([
  [["--profile", "development"], "--engine micropython has the profiles preview and full"],
  [["--chatty"], "--engine micropython takes no --chatty"],
  [["--fault", "busy"], "the fault busy is one of the mock's own dock"],
  [["--fault", "lie"], "the fault lie is one of the mock's own dock"],
] as const)("it doesn't start with %j, and says why", async ([options, why]) => {
  const { code, errors } = await startRefused("--engine", "micropython", ...options);
  expect(code).toBe(1);
  expect(errors).toContain(why);
});
