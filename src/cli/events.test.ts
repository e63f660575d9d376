/** `--progress json`: stderr is an object a line, whatever happens. */
import { describe, expect, test } from "vitest";
import { runCli } from "./testing/run-cli.js";

async function events(...argv: string[]): Promise<Record<string, unknown>[]> {
  const { stderr } = await runCli(argv);
  return stderr
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

test("a command that succeeds: a start, its remarks, a result", async () => {
  expect(await events("ports", "--progress=json")).toEqual([
    { event: "start", version: expect.stringMatching(/^\d+\.\d+\.\d+/) },
    { event: "remark", text: "No USB serial port is plugged in." },
    { event: "result", exitCode: 0 },
  ]);
});

describe("a command line that can't be parsed has a start, an error and a result as well", () => {
  const cases: [argv: string[], said: unknown][] = [
    [["lss", "--progress", "json"], expect.stringContaining("unknown command")],
    [["kv", "--progress=json"], "a command is missing"],
    [["--progress=none", "--progress=json", "--json", "kv", "get"], expect.stringContaining("missing required argument")],
  ];
  test.each(cases)("%j", async (argv, message) => {
    expect(await events(...argv)).toEqual([
      { event: "start", version: expect.any(String) },
      { event: "error", code: "USAGE", message, exitCode: 2 },
      { event: "result", exitCode: 2 },
    ]);
  });
});

test("what stands after -- is no option", async () => {
  const { stderr } = await runCli(["kv", "get", "--", "--progress=json", "more"]);
  expect(stderr).toMatch(/^dl7450: too many arguments/);
});
