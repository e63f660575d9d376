/** The mock dock of a soak: a process that is killed and started again on the same port, with the same state. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as v from "valibot";

const program = fileURLToPath(new URL("../../bin/dl7450-mock.js", import.meta.url));
const readyLine = v.pipe(v.string(), v.parseJson(), v.object({ ready: v.literal(true), port: v.string() }));
const report = v.pipe(v.string(), v.parseJson(), v.object({ faults: v.record(v.string(), v.number()) }));

export class SoakMock {
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  #port = "127.0.0.1:0";
  /** What the process that runs has told of its faults. */
  #reported: Readonly<Record<string, number>> = {};
  /** How often which fault has happened, over all processes. */
  readonly faults = new Map<string, number>();

  constructor(args: readonly string[]) {
    this.#args = args;
  }

  get target(): string {
    return `tcp://${this.#port}`;
  }

  async start(faults: readonly string[], seed: number): Promise<void> {
    const given = faults.flatMap((fault) => ["--fault", fault]);
    const args = [program, "--tcp", this.#port, "--report", "--seed", String(seed), ...this.#args, ...given];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#child = child;
    this.#reported = {};
    const lines = createInterface(child.stdout);
    const first: unknown = (await Promise.race([once(lines, "line"), once(child, "exit").then(() => [""])]))[0];
    const ready = v.safeParse(readyLine, first);
    if (!ready.success) throw new Error("the mock dock didn't start");
    this.#port = ready.output.port;
    lines.on("line", (line) => {
      const told = v.safeParse(report, line);
      if (told.success) this.#reported = told.output.faults;
    });
  }

  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const ended = once(child, "close"); // its output has been read then, too
    child.kill(signal);
    await ended;
    this.#child = undefined;
    for (const [kind, times] of Object.entries(this.#reported)) this.faults.set(kind, (this.faults.get(kind) ?? 0) + times);
    this.#reported = {};
  }
}
