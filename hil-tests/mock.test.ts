/** The contract on the mock dock, over both of its lines and in all of its profiles. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { contractTest } from "./contract/contract-test.js";
import { expectCleanReading } from "./contract/reading.js";
import { contract } from "./contract.js";
import { layeredData } from "./layered.js";
import { type MockDock, startMock } from "./mock-dock.js";

const MOCKS = [
  { line: "a pseudo-terminal", profile: "full", options: ["--chatty"] },
  { line: "TCP", profile: "development", options: ["--tcp", "0"] },
  { line: "TCP", profile: "preview", options: ["--tcp", "0", "--chatty"] },
] as const;

// The mocks' names, and leases of this file's own: ports of mocks are others in each run.
process.env.DL7450_ALLOW_WRITE = "MOCK-0001";
process.env.XDG_DATA_HOME = mkdtempSync(join(tmpdir(), "dl7450-hil-"));
afterAll(() => rmSync(process.env.XDG_DATA_HOME ?? "", { recursive: true }));

describe.for(MOCKS)("a mock dock of the profile $profile over $line", ({ profile, options }) => {
  let mock: MockDock;

  beforeAll(async () => {
    const data = layeredData();
    mock = await startMock("--profile", profile, "--data", data.file, ...options);
    return async () => {
      await mock.stop("SIGKILL");
      data.remove();
    };
  });

  contractTest.override("port", () => mock.target);
  contractTest.override({ complete: true, isolate: "none" });
  contract();

  contractTest("nothing gets lost or is broken on the line, whether the dock prints meanwhile or not", async ({ open }) => {
    let text = "";
    const onText = (more: string): void => {
      text += more;
    };
    const dock = await open({ onText });
    const { textBytes } = await expectCleanReading(dock);
    expect(Buffer.byteLength(text)).toBe(textBytes);
    expect(text.includes("app: request\r\n")).toBe(options.some((option) => option === "--chatty"));
  });
});
