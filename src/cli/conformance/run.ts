/** Runs the contract suite by vitest, in a process beside this one. */
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { FEATURES } from "../../features.js";
import { packageFolder } from "../../version.js";
import { CliError } from "../cli-error.js";
import { ResultCollector } from "./collector.js";
import { type Counts, countsOf, type Run } from "./results.js";

export type Vitest = typeof import("vitest/node");

export interface RunOptions {
  /** For the process with the tests, beside this one's. */
  readonly env: Readonly<Record<string, string>>;
  /** Features, and parts of names; empty for everything. */
  readonly only: readonly string[];
  /** Whether traces of tests that have failed stay, in the system's folder for temporary files: their output names them. */
  readonly keepsTraces: boolean;
  /** Ends the run, with what was done until then. */
  readonly signal: AbortSignal;
  readonly onGroup: (group: string, counts: Counts) => void;
}

/** The suite's folder, as it is built: JavaScript that is run as it is. */
const FOLDER = join(packageFolder, "dist", "hil-tests");

/** Longest time for one test, in milliseconds: at 115,200 bit/s a megabyte takes 90 s, and nothing slows a mock down. */
const TIMEOUT = { dock: 3_600_000, mock: 60_000 } as const;

/** The tests' tags: what a dock may announce, and what needs nothing of that. */
const TAGS: readonly string[] = ["reading", ...FEATURES];

/** How long a test that is to end may take to put back what it has changed, in milliseconds. */
const GRACE = 5_000;

/** The vitest beside this package, by `load`. Fails with `MISSING` where there is none, or another than is needed. */
export async function findVitest<Found extends { readonly version: string }>(load: () => Promise<Found>): Promise<Found> {
  const advice = "Install it beside dl7450: npm install vitest@4";
  let vitest: Found;
  try {
    vitest = await load();
  } catch (error) {
    throw new CliError("MISSING", `This needs vitest 4.1, which can't be loaded. ${advice}`, error);
  }
  const [major = 0, minor = 0] = vitest.version.split(".").map(Number);
  if (major === 4 && minor >= 1) return vitest;
  throw new CliError("MISSING", `This needs vitest 4.1, and there is ${vitest.version}. ${advice}`);
}

/** Runs it. Reads no config, and leaves no file behind but the traces that are to be kept. */
export async function runContract(vitest: Vitest, options: RunOptions): Promise<Run> {
  const collector = new ResultCollector(options.onGroup);
  const begun = new Date();
  const attachments = join(tmpdir(), `dl7450-conformance-${process.pid}-${begun.getTime()}`); // made where a test attaches a file
  const dropAdded = keepListeners(process);
  const runner = await vitest.createVitest(
    "test",
    { ...settings(options), attachmentsDir: attachments, reporters: [collector, { onTestModuleCollected: () => again() }] },
    { envDir: false, css: { postcss: {} } }, // else both are looked for above the root, where the user's files are
    { stdout: nowhere(), stderr: nowhere() },
  );
  dropAdded();
  const { signal } = options;
  const stop = (): void => void runner.cancelCurrentRun("keyboard-input").catch(() => {});
  const again = (): void => void (signal.aborted && stop()); // what is cancelled before it has begun isn't heard
  let repeat: NodeJS.Timeout | undefined;
  const abort = (): void => {
    collector.freeze();
    stop();
    repeat = setInterval(stop, GRACE); // the second time by force
  };
  try {
    signal.throwIfAborted();
    signal.addEventListener("abort", abort, { once: true });
    const suite = runner.getRootProject().createSpecification(join(FOLDER, "conformance.js"));
    await runner.runTestSpecifications([suite], true);
    return collector.run(begun, Date.now() - begun.getTime());
  } finally {
    clearInterval(repeat);
    signal.removeEventListener("abort", abort);
    await runner.close();
    if (!options.keepsTraces || countsOf(collector.results()).failed === 0)
      await rm(attachments, { recursive: true, force: true });
  }
}

type Settings = Parameters<Vitest["createVitest"]>[1];

function settings({ env, only }: RunOptions): Settings {
  const tags = only.filter((it) => TAGS.includes(it));
  const names = only.filter((it) => !TAGS.includes(it));
  return {
    ...{ config: false, root: FOLDER, watch: false, cache: false },
    ...{ pool: "forks", fileParallelism: false, maxWorkers: 1 },
    tags: TAGS.map((name) => ({ name })),
    testTimeout: env.DL7450_PORT?.startsWith("mock:") ? TIMEOUT.mock : TIMEOUT.dock,
    ...(tags.length === 0 ? {} : { tagsFilter: [tags.join(" or ")] }),
    ...(names.length === 0 ? {} : { testNamePattern: new RegExp(names.map(escaped).join("|"), "i") }),
    env: { ...env },
    // Everything is loaded by Node, as it lies there: in a checkout as in node_modules.
    server: { deps: { external: [/./] } },
  };
}

/** Events that vitest would end this process at, where the command has to tell first what was done. */
const OURS = ["SIGINT", "SIGTERM", "unhandledRejection"] as const;

/** Gives a function that takes away whoever has come to listen to them since. */
function keepListeners(process: NodeJS.EventEmitter): () => void {
  const before = new Map(OURS.map((event) => [event, process.listeners(event)]));
  return () => {
    for (const [event, kept] of before) {
      const added = process.listeners(event).filter((it) => !kept.includes(it));
      for (const listener of added.filter(isListener)) process.off(event, listener);
    }
  };
}

function isListener(it: unknown): it is (...args: unknown[]) => void {
  return typeof it === "function";
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** What vitest prints is told in another way. */
function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
