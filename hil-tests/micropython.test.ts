/** The contract on the agent for real docks, which runs in MicroPython, over both lines. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { contractTest } from "./contract/contract-test.js";
import { contract } from "./contract.js";
import { layeredData } from "./layered.js";
import { type MockDock, startMock, startRefused } from "./mock-dock.js";

// Leases of this file's own: ports of mocks are others in each run.
process.env.XDG_DATA_HOME = mkdtempSync(join(tmpdir(), "dl7450-hil-"));
afterAll(() => rmSync(process.env.XDG_DATA_HOME ?? "", { recursive: true }));

describe.for([
  { line: "a pseudo-terminal", options: [] },
  { line: "TCP", options: ["--tcp", "0"] },
] as const)("the agent in MicroPython over $line", ({ options }) => {
  let mock: MockDock;

  beforeAll(async () => {
    const data = layeredData();
    mock = await startMock("--engine", "micropython", "--data", data.file, ...options);
    return async () => {
      await mock.stop("SIGKILL");
      data.remove();
    };
  });

  contractTest.override("port", () => mock.target);
  contractTest.override({ complete: true, isolate: "none" });
  contract();
});

test.for([
  [["--profile", "full"], "--engine micropython takes no --profile"],
  [["--chatty"], "--engine micropython takes no --chatty"],
  [["--fault", "busy"], "the fault busy is one of the mock's own dock"],
  [["--fault", "lie"], "the fault lie is one of the mock's own dock"],
] as const)("it doesn't start with %j, and says why", async ([options, why]) => {
  const { code, errors } = await startRefused("--engine", "micropython", ...options);
  expect(code).toBe(1);
  expect(errors).toContain(why);
});
