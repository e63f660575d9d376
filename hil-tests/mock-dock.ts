/** Starts the mock dock as the process that it is installed as, and makes sure that it ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as v from "valibot";

/** The mock dock's program, as `npm run build` makes it. */
export const mockProgram = fileURLToPath(new URL("../dist/bin/dl7450-mock.js", import.meta.url));

/** Longest time for the mock to start, in milliseconds: in a VM on a busy machine it takes long. */
const START_TIME = 60_000;

/** What the mock prints when it is ready. */
export const readyLine = v.pipe(v.string(), v.parseJson(), v.strictObject({ ready: v.literal(true), port: v.string() }));

export interface MockDock extends AsyncDisposable {
  /** For `Dock.open`. */
  readonly target: string;
  /** As the mock says it: a path, or `host:port`. */
  readonly port: string;
  readonly pid: number;
  readonly process: ChildProcess;
  /** What it has printed to its output up to now. */
  output(): string;
  /** Has it end, and gives what it ended with: a code or a signal. */
  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

/** Starts a mock dock with `args`, and waits until it is ready. */
export async function startMock(...args: readonly string[]): Promise<MockDock> {
  const child = spawn(process.execPath, [mockProgram, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const ended = once(child, "close").then(() => child.exitCode ?? child.signalCode ?? "SIGKILL");
  const signal = AbortSignal.timeout(START_TIME);
  const line = once(createInterface(child.stdout), "line", { signal }).then(
    ([first]) => first,
    () => "",
  );
  const first = await Promise.race([line, ended]);
  const parsed = v.safeParse(readyLine, first);
  if (!parsed.success || child.pid === undefined) {
    child.kill("SIGKILL");
    throw new Error(`the mock dock didn't start: ${output}${errors}`);
  }
  const { port } = parsed.output;
  const stop = (signal: NodeJS.Signals = "SIGTERM"): Promise<number | NodeJS.Signals> => {
    child.kill(signal);
    return ended;
  };
  return {
    target: args.includes("--tcp") ? `tcp://${port}` : port,
    port,
    pid: child.pid,
    process: child,
    output: () => output,
    stop,
    async [Symbol.asyncDispose]() {
      await stop("SIGKILL");
    },
  };
}

/** Starts a mock dock that shouldn't start, and gives what it ended with and why it says so. One that does start is ended. */
export async function startRefused(...args: readonly string[]): Promise<{ code: number | null; errors: string }> {
  const child = spawn(process.execPath, [mockProgram, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  child.stdout.once("data", () => child.kill("SIGKILL"));
  await once(child, "close");
  return { code: child.exitCode, errors };
}
