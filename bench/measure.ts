/** What measurements have in common: figures with their spread, time, and processes to measure. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as v from "valibot";

export interface Figure {
  readonly what: string;
  readonly unit: string;
  /** Median over the rounds, with the least and the most. */
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** What the figure should be. */
  readonly goal: string;
}

/** For what is only there to be compared with. */
export const NO_GOAL = "none, for comparison";

export function figure(what: string, unit: string, values: readonly number[], goal: string): Figure {
  const sorted = [...values].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  return { what, unit, median, least: sorted[0] ?? median, most: sorted.at(-1) ?? median, goal };
}

/** Seconds. */
export async function timed(what: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  await what();
  return (performance.now() - since) / 1e3;
}

export async function times(count: number, what: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i++) await what();
}

interface Started {
  readonly port: string;
  stop(): Promise<void>;
}

const readyLine = v.pipe(v.string(), v.parseJson(), v.object({ ready: v.literal(true), port: v.string() }));

/** Starts a program of this package that serves a port, and waits until it does. */
export async function started(program: string, args: readonly string[]): Promise<Started> {
  const child: ChildProcess = spawn(process.execPath, [programOf(program), ...args], { stdio: ["ignore", "pipe", "inherit"] });
  if (child.stdout === null) throw new Error("a child with a pipe has an output");
  const ended = once(child, "exit").then(() => {
    throw new Error(`${program} didn't start`);
  });
  const [line] = await Promise.race([once(createInterface(child.stdout), "line"), ended]);
  ended.catch(() => {}); // later on it is to end
  const { port } = v.parse(readyLine, line);
  return {
    port,
    async stop() {
      const gone = once(child, "exit");
      child.kill();
      await gone;
    },
  };
}

/** Bytes of the image that is moved: as much as a dock's flash holds. */
export const IMAGE = 13_000_000;

/** Writes what `dl7450-mock --data` takes: a dock with that image, `big`, and the key `k`. Gives the file's path. */
export async function describeDock(folder: string): Promise<string> {
  const file = join(folder, "dock.json");
  const big = { random: IMAGE, type: "none" };
  await writeFile(file, JSON.stringify({ ephemeral: { images: { big } }, runtime: { keys: { k: "value" } } }));
  return file;
}

/** Prints figures, a line each, or as JSON for `--json`. */
export function print(figures: readonly Figure[]): void {
  if (process.argv.includes("--json")) {
    process.stdout.write(`${JSON.stringify(figures, undefined, 2)}\n`);
    return;
  }
  for (const { what, unit, median, least, most, goal } of figures) {
    process.stdout.write(`${what}: ${digits(median)} ${unit} (${digits(least)} to ${digits(most)}), goal ${goal}\n`);
  }
}

function digits(value: number): string {
  return value < 1_000 ? value.toPrecision(3) : Math.round(value).toLocaleString("en");
}

export function programOf(name: string): string {
  return fileURLToPath(new URL(`../${name}`, import.meta.url));
}
