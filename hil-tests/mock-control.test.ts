/** A mock dock whose faults are changed while it runs: what a host sees of it, and that its process is never left. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import { Dock } from "../src/index.js";
import { type ControlledMock, startControlledMock } from "../src/transport/mock.js";
import { codeOf } from "./contract/calls.js";
import { expectAnswers } from "./contract/reading.js";
import { descendantsOf, expectEnd, firstOutput, killAll, killNow } from "./processes.js";

/** Longest time for the mock to start, in milliseconds. */
const START_TIME = 60_000;

async function start(): Promise<ControlledMock> {
  const mock = await startControlledMock([], START_TIME);
  onTestFinished(() => mock.stop());
  return mock;
}

test("a line that was cut for good is there again, in the same session, when the fault is taken back", async () => {
  const mock = await start();
  await using dock = await Dock.open(mock.target, { timeout: 300 });
  await mock.setFaults(["cut:at=1"]);
  expect(await codeOf(dock.kv.get("timezone"))).toBe("TIMEOUT");
  await mock.setFaults([]);
  await expectAnswers(dock);
});

test("a fault that can't be is USAGE with what there is, and those that are there stay", async () => {
  const mock = await start();
  await using dock = await Dock.open(mock.target);
  await mock.setFaults(["full:rate=1"]);
  await expect(mock.setFaults(["dorp"])).rejects.toMatchObject({
    code: "USAGE",
    message: expect.stringMatching(/no fault "dorp": there are drop, /),
  });
  expect(await codeOf(dock.kv.set("key", 1, { store: "runtime" }))).toBe("NO_SPACE");
});

describe("a program that closes nothing leaves no mock", () => {
  /** Starts a mock, says so, waits for a byte, and comes to its end, which `how` is. */
  const program = (how: string): string => `
    import { readSync, writeSync } from "node:fs";
    import { startControlledMock } from ${JSON.stringify(new URL("../dist/src/transport/mock.js", import.meta.url).href)};
    const mock = await startControlledMock([], ${START_TIME});
    await mock.setFaults(["delay"]);
    writeSync(1, "ready");
    readSync(0, Buffer.alloc(1));
    ${how}
  `;

  test.for([
    ["when it comes to its end by itself", "", [0, null]],
    ["when it is killed", 'process.kill(process.pid, "SIGKILL");', [null, "SIGKILL"]],
  ] as const)("%s", async ([, how, end]) => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", program(how)], { stdio: ["pipe", "pipe", "inherit"] });
    onTestFinished(() => killNow(child));
    await firstOutput(child);
    const started = descendantsOf(child.pid ?? 0);
    onTestFinished(() => killAll(started));
    expect(started.length).toBeGreaterThan(0);
    const ended = once(child, "exit");
    child.stdin.write("\n"); // and stays open, as the mock's own doesn't
    expect(await ended).toEqual(end);
    await expectEnd(started);
  });
});
