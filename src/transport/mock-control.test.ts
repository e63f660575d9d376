import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { fakeTime } from "../testing/fake-time.js";
import { MockControl } from "./mock-control.js";

/** A child that does, in a shell, what a mock dock might. */
function child(script: string): ChildProcess {
  const it = spawn("/bin/sh", ["-c", script], { stdio: ["pipe", "pipe", "ignore"] });
  onTestFinished(() => void it.kill("SIGKILL"));
  return it;
}

const DONE = '{"control":{"faults":[]}}';
const FAILED = '{"control":{"failed":"no fault"}}';

test("each call is settled by its answer, in order, whatever else is said between", async () => {
  const control = new MockControl(
    child(
      `read a; read b; echo '{"faults":{"cut":1}}'; echo nonsense; echo '${FAILED}'; echo '${DONE}'; read c; echo '${DONE}'`,
    ),
  );
  const calls = await Promise.allSettled([control.setFaults(["x"]), control.setFaults([])]);
  expect(calls.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
  await expect(control.setFaults(["cut"])).resolves.toBeUndefined();
});

test("what is asked is one line of JSON", async () => {
  const control = new MockControl(
    child(`read -r line; [ "$line" = '{"faults":["a\\nb","c"]}' ] && echo '${DONE}' || echo '${FAILED}'`),
  );
  await expect(control.setFaults(["a\nb", "c"])).resolves.toBeUndefined();
});

test("a fault that can't be is USAGE, in the mock's words, safe to print", async () => {
  const control = new MockControl(child(`read line; printf '%s\\n' '{"control":{"failed":"no \\u001b[1mfault"}}'`));
  await expect(control.setFaults(["x"])).rejects.toMatchObject({
    code: "USAGE",
    message: "The mock dock can't have these faults: no \\x1b[1mfault",
  });
});

describe("a mock that has ended is NO_DOCK", () => {
  test("for a call that waits", async () => {
    const control = new MockControl(child("read line"));
    await expect(control.setFaults([])).rejects.toMatchObject({ code: "NO_DOCK" });
  });

  test.each([
    ["by itself", "exit 0"],
    ["by a signal", "kill -9 $$"],
  ])("for a call that comes later, when it ended %s", async (_how, script) => {
    const ended = child(script);
    const control = new MockControl(ended);
    await once(ended, "close");
    await expect(control.setFaults([])).rejects.toMatchObject({ code: "NO_DOCK" });
  });

  test("for a call that it doesn't even take, however much that says", async () => {
    const control = new MockControl(child("exec 0<&-"));
    await expect(control.setFaults(Array(10_000).fill("x".repeat(100)))).rejects.toMatchObject({ code: "NO_DOCK" });
  });
});

test("a mock that doesn't answer in time is TIMEOUT, and its late answer isn't the next call's", async () => {
  fakeTime();
  const control = new MockControl(child(`read a; read b; echo '${FAILED}'; echo '${DONE}'`));
  const first = expect(control.setFaults([])).rejects.toMatchObject({ code: "TIMEOUT" });
  await vi.advanceTimersByTimeAsync(10_000);
  await first;
  await expect(control.setFaults([])).resolves.toBeUndefined();
});
