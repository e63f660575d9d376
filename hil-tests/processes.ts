/** Who runs, and whose child it is: what /proc says (Linux). */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

/** Longest time for a process to end, in milliseconds. */
const END_TIME = 8_000;
/** How often it is looked whether a process has ended, in milliseconds. */
const LOOK_AGAIN = 10;

interface Running {
  readonly pid: number;
  readonly parent: number;
  /** The program's name. */
  readonly name: string;
}

/** The process, unless it has ended. One that has ended and that nobody has asked for yet (a zombie) doesn't count. */
function running(pid: number): Running | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  const [, name = "", state, parent] = /^\d+ \((.*)\) (\S) (\d+)/s.exec(stat) ?? [];
  return state === "Z" || state === "X" ? undefined : { pid, parent: Number(parent), name };
}

/** The children of a process, and theirs. */
export function descendantsOf(parent: number): number[] {
  const everyone = readdirSync("/proc").flatMap((entry) => (/^\d+$/.test(entry) ? (running(Number(entry)) ?? []) : []));
  const below = (pid: number): number[] =>
    everyone.filter((it) => it.parent === pid).flatMap((child) => [child.pid, ...below(child.pid)]);
  return below(parent);
}

/** Waits until all of them have ended; fails when they don't. */
export async function expectEnd(pids: readonly number[]): Promise<void> {
  const deadline = performance.now() + END_TIME;
  while (isAnyLeft(pids, deadline)) await setTimeout(LOOK_AGAIN);
}

/** As `expectEnd`, but lets nothing else happen in this process meanwhile. */
export function blockUntilEnd(pids: readonly number[]): void {
  const deadline = performance.now() + END_TIME;
  while (isAnyLeft(pids, deadline));
}

function isAnyLeft(pids: readonly number[], deadline: number): boolean {
  const left = pids.flatMap((pid) => running(pid) ?? []);
  if (left.length > 0 && performance.now() > deadline) throw new Error(`still running: ${JSON.stringify(left)}`);
  return left.length > 0;
}

/** Ends what a failed test has left. */
export function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    if (running(pid) === undefined) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch {} // it has just ended: some do when another one does
  }
}

/** A Node process that runs `code` (an ES module) with `args` after its name, and ends when this process does. */
export function startNode(code: string, ...args: readonly string[]): ChildProcess {
  const endsWithUs = 'process.stdin.on("end", () => process.exit()).resume();';
  return spawn(process.execPath, ["--input-type=module", "-e", `${endsWithUs}${code}`, "--", ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
}

/** The first text that a process prints; fails when it ends without. */
export async function firstOutput({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error("its output isn't a pipe");
  const first: unknown = (await Promise.race([once(stdout, "data"), once(stdout, "end")]))[0];
  if (!(first instanceof Buffer)) throw new Error("it printed nothing");
  return first.toString();
}

/** Kills a process as nothing can catch, and waits for its end. */
export async function killNow(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
