/** `mock:`: a mock dock in a process of its own, started for one caller and stopped with it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import * as v from "valibot";
import { DockError } from "../errors.js";
import { endMock, mockProgram } from "./mock-program.js";
import { openSerial, USUAL_BAUD_RATE } from "./serial.js";
import { openTcp } from "./tcp.js";
import type { Transport } from "./transport.js";

const readyLine = v.pipe(v.string(), v.parseJson(), v.object({ ready: v.literal(true), port: v.string() }));

/** A mock dock that runs. */
export interface RunningMock {
  /** Connects to it. `timeout` is in milliseconds. */
  open(timeout: number, signal?: AbortSignal): Promise<Transport>;
  /** Ends it. Can be called twice. */
  stop(): Promise<void>;
}

/** One whose faults can be changed. It doesn't keep this process alive, and ends with it. */
export interface ControlledMock extends RunningMock {
  /** For `Dock.open`. */
  readonly target: string;
  /**
   * From now on it has these faults, named as `dl7450-mock --fault` takes them, and no others that were given here before: nothing of
   * those is left behind. One that was given before, too, goes on. Fails with `USAGE`, in the mock's words, when one can't be, and
   * then all is as it was; with `NO_DOCK` when the mock has ended, with `TIMEOUT` when it doesn't answer in time.
   */
  setFaults(texts: readonly string[]): Promise<void>;
}

/** Starts a mock dock with `args` after its name. `timeout` is in milliseconds. */
export async function startMock(args: readonly string[], timeout: number, signal?: AbortSignal): Promise<RunningMock> {
  return begun(spawnMock(args, "ignore"), timeout, signal);
}

/** The same for one whose faults can be changed. */
export async function startControlledMock(
  args: readonly string[],
  timeout: number,
  signal?: AbortSignal,
): Promise<ControlledMock> {
  const { MockControl } = await import("./mock-control.js"); // only for who needs it
  const child = spawnMock(["--control", ...args], "pipe");
  const { port, ...mock } = await begun(child, timeout, signal);
  const control = new MockControl(child);
  return { ...mock, target: OVER_TCP ? `tcp://${port}` : port, setFaults: (texts) => control.setFaults(texts) };
}

/** Windows has no pseudo-terminals to open by name. */
const OVER_TCP = process.platform === "win32";

function spawnMock(args: readonly string[], input: "ignore" | "pipe"): ChildProcess {
  const line = OVER_TCP ? ["--tcp", "127.0.0.1:0"] : [];
  return spawn(process.execPath, [mockProgram, ...line, ...args], { stdio: [input, "pipe", "pipe"] });
}

/** Waits until a mock is ready; ends it where that doesn't come. */
async function begun(
  child: ChildProcess,
  timeout: number,
  signal?: AbortSignal,
): Promise<RunningMock & { readonly port: string }> {
  try {
    const port = await portOf(child, timeout, signal);
    const [host = "", number = ""] = port.split(":");
    const open: RunningMock["open"] = async (timeout, signal) => {
      // Its pseudo-terminal may be somebody else's by now.
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new DockError({ code: "NO_DOCK", message: "The mock dock has ended." });
      }
      return OVER_TCP
        ? await openTcp({ host, port: Number(number) }, timeout, signal)
        : await openSerial(port, { baudRate: USUAL_BAUD_RATE, timeout, signal });
    };
    return { port, open, stop: () => endMock(child) };
  } catch (error) {
    await endMock(child);
    throw error;
  }
}

/** Starts a mock dock for one connection, and stops it with that. */
export async function openMock(args: readonly string[], timeout: number, signal?: AbortSignal): Promise<Transport> {
  const mock = await startMock(args, timeout, signal);
  try {
    const transport = await mock.open(timeout, signal);
    return {
      ...transport,
      async close() {
        await transport.close();
        await mock.stop();
      },
    };
  } catch (error) {
    await mock.stop();
    throw error;
  }
}

async function portOf(child: ChildProcess, timeout: number, aborted?: AbortSignal): Promise<string> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error("the mock dock has no output");
  let said = "";
  stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-2_000);
  });
  const lines = createInterface(stdout);
  const stopped = new AbortController();
  try {
    const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(timeout), ...(aborted === undefined ? [] : [aborted])]);
    const first = await Promise.race([
      once(lines, "line", { signal }).then(([line]) => v.safeParse(readyLine, line)),
      once(child, "exit", { signal }).then(() => undefined),
    ]);
    if (first?.success) return first.output.port;
  } catch (cause) {
    if (aborted?.aborted) throw new DockError({ code: "ABORTED", message: "Starting the mock dock was aborted.", cause });
    throw new DockError({ code: "NO_DOCK", message: `The mock dock didn't start within ${timeout} ms. ${said}`.trim(), cause });
  } finally {
    stopped.abort();
    lines.close();
    stdout.resume();
  }
  throw new DockError({ code: "NO_DOCK", message: `The mock dock didn't start: ${said.trim() || "it said nothing"}` });
}
