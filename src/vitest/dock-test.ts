/** `dockTest`: vitest's `test` with a dock in it. */
import { aroundEach, beforeEach, type RunnerTestFile, type TestAPI, type TestContext, TestRunner, type test } from "vitest";
import type { Dock, OpenOptions } from "../dock.js";
import { DockError } from "../errors.js";
import { quoted } from "../visible.js";
import { declaredAt, noteDeclaration } from "./declared.js";
import type { Faults } from "./faults.js";
import { forget, watchOver } from "./leaving.js";
import { type Needs, needsOf } from "./needs.js";
import type { Place } from "./place.js";
import type { Isolation } from "./putting-back.js";
import { reportFailure, skipFor } from "./report.js";
import { Station, type Taken } from "./station.js";

/** What `dockTest.override` and `provide` in vitest's configuration change. */
export interface DockTestOptions {
  /** The dock, as `Dock.open` takes it: a path, `id:SERIAL`, `tcp://HOST:PORT`, `mock:`. Unless told `DL7450_PORT` in the environment, else the only one there is. */
  readonly port: string | undefined;
  /** The docks of a test that has several: `dock` is the first. Unless told, the one of `port`. */
  readonly ports: readonly string[];
  /** What is put back after each test; `"layer"` unless told. */
  readonly isolate: Isolation;
  /** Longest time to wait for a dock that somebody else on this host has, in milliseconds; 60,000 unless told. */
  readonly leaseTimeout: number;
  /** How `dock` is opened. Unless told otherwise it is looked for, for 10 s, when it is lost. */
  readonly opening: OpenOptions;
}

/** What a test is given. */
export interface DockTestFixtures extends DockTestOptions {
  /** The dock: nobody else's meanwhile, open, and put back afterwards. */
  readonly dock: Dock;
  /** One for each of `ports`. */
  readonly docks: readonly [Dock, ...Dock[]];
  /** Opens a session of the test's own, in place of `dock`, which is closed. It is closed at the end of the test, if the test hasn't. */
  readonly open: (options?: OpenOptions) => Promise<Dock>;
  /** Skips the test unless the dock has these features; `"mock"` is a dock that isn't hardware. The reason is in every report. */
  readonly needs: Needs;
  /** Has the mock dock, or its line, fail until the end of the test. Skips the test where the dock isn't a mock. */
  readonly faults: Faults;
}

/** What the fixtures need of one another. */
interface Behind {
  readonly station: Station;
  readonly taken: Taken;
}

/** The file that this was loaded for. */
let fileHere: RunnerTestFile | undefined;

/** What has the hooks: the file, or suites of it. */
const PREPARED = new Set<object>();

/**
 * Tests that have a dock. Before the first of a file the dock is taken, so that nobody else on the host has it until the file's end, and
 * opened; after each test it is made to hold what it held. What a failing test had to do with it is in the report.
 * @example dockTest("it knows its time zone", async ({ dock }) => expect(await dock.kv.get("timezone")).toBe("GMT"));
 */
export const dockTest: TestAPI<DockTestFixtures> = collected().extend<DockTestFixtures & Behind>({
  port: [undefined, { injected: true }],
  ports: async ({ port }, use) => use([port ?? process.env.DL7450_PORT ?? ""]),
  isolate: ["layer", { injected: true }],
  leaseTimeout: [60_000, { injected: true }],
  opening: {},
  station: [
    // biome-ignore lint/correctness/noEmptyPattern: vitest looks which fixtures it names
    async ({}, use) => {
      const station = stationOfFile();
      await use(station);
      await station.release();
      forget(station);
    },
    { scope: "file" },
  ],
  taken: async ({ task, signal: given, station, ports, isolate, leaseTimeout, opening }, use) => {
    const isRunning = (): boolean => task.result?.state === "run";
    const signal = given.aborted ? new AbortController().signal : given; // of a test that is tried again it is over already
    const { id: test, file } = task;
    await use(await station.beginTest({ test, file: file.name, isRunning, ports, isolate, leaseTimeout, opening, signal }));
  },
  dock: async ({ taken }, use) => use(placesOf(taken)[0].dock),
  docks: async ({ taken }, use) => {
    const [first, ...others] = placesOf(taken);
    await use([first.dock, ...others.map(({ dock }) => dock)]);
  },
  open: async ({ taken, opening }, use) => {
    const open = placesOf(taken)[0].opener();
    await use((options) => open({ ...opening, ...options }));
  },
  needs: async ({ taken, annotate, skip, task }, use) =>
    use(needsOf(placesOf(taken), (reason) => skipFor({ annotate, skip, task }, reason))),
  faults: async ({ taken, annotate, skip, task }, use) => {
    const [{ faults, info, port }] = placesOf(taken);
    if (faults === undefined) {
      return skipFor({ annotate, skip, task }, `${quoted(info?.name ?? port)} is no mock dock, and has no faults on demand`);
    }
    await use(faults);
  },
});

/** The stations of files: what is made by `dockTest.extend` has the same docks in a file, though vitest makes its fixtures anew. */
const STATIONS = new WeakMap<object, Station>();

function stationOfFile(): Station {
  const file = TestRunner.getCurrentTest()?.file;
  const station = (file && STATIONS.get(file)) ?? new Station((text) => console.warn(text));
  if (file !== undefined) STATIONS.set(file, station);
  watchOver(station);
  return station;
}

/**
 * Has the docks of a suite's tests waited for before hooks of a user's, within limits of their own, and put back after them: of the whole file when this is
 * loaded at its beginning. Naming the fixture has vitest make it, for tests that have it.
 */
function prepare(): void {
  const suite = TestRunner.getCurrentSuite();
  const { file } = suite;
  if (file === undefined) return;
  checkFile(file);
  if (PREPARED.has(file) || PREPARED.has(suite)) return;
  PREPARED.add(suite.suite === undefined ? file : suite);
  aroundEach(putBackAfter, 0);
  beforeEach(checkTaken, 0);
}

/** Fails with `USAGE` where vitest runs files in a way in which one would disturb another. */
function checkFile(file: RunnerTestFile): void {
  const wrong = (why: string): DockError => new DockError({ code: "USAGE", message: `dl7450/vitest ${why}` });
  if (file.pool !== "forks")
    throw wrong(`needs vitest's pool "forks", not ${quoted(file.pool ?? "")}: a port's driver is one process's.`);
  fileHere ??= file;
  if (fileHere !== file) throw wrong("needs vitest's `isolate: true`: what `dockTest.override` sets is for one file.");
}

/** vitest's `test`, but with the hooks. */
function collected(): typeof test {
  if (isCollecting()) prepare();
  return TestRunner.createTaskCollector(function (this: object, ...args: unknown[]) {
    const suite = TestRunner.getCurrentSuite();
    Reflect.apply(suite.test.fn, this, args);
    const task = suite.tasks.at(-1);
    if (task === undefined) return;
    noteDeclaration(task);
    prepare();
  });
}

/** Not where a configuration is read. */
function isCollecting(): boolean {
  try {
    return TestRunner.getCurrentSuite() !== undefined;
  } catch {
    return false;
  }
}

type Given = TestContext & Partial<Behind>;

/** Fails, or skips, a test that can't have its docks: a hook of `aroundEach` can't skip. */
function checkTaken({ taken, annotate, skip, task }: Given): void {
  if (taken === undefined || taken.kind === "ready") return;
  if (!taken.known) throw taken.error;
  const why = taken.error instanceof Error ? taken.error.message : String(taken.error);
  skipFor({ annotate, skip, task }, `A test before has failed for want of its dock, which isn't back: ${why}`);
}

/** Puts the docks back after a test and all that is on top of them: fixtures and hooks, whatever these throw. */
async function putBackAfter(runTest: () => Promise<void>, { task, annotate, taken, station }: Given): Promise<void> {
  const before = failuresOf(task);
  if (taken?.kind === "failed") mayNotPass(task);
  await runTest();
  if (taken?.kind !== "ready" || station === undefined) return;
  const hasFailed = failuresOf(task) > before; // in this round: one that is repeated keeps its failures
  const wasSkipped = task.result?.state === "skip";
  const report = (): Promise<void> => reportFailure({ annotate, task }, taken.places).catch((error) => console.error(error));
  if (hasFailed) await report();
  const wrong = await station.endTest(task.id, hasFailed ? "has failed" : wasSkipped ? "was skipped" : "has passed");
  if (wrong.length === 0) return;
  if (!hasFailed) await report();
  mayNotPass(task);
  throw new AggregateError(wrong.map((error) => declaredAt(task, error)));
}

function failuresOf({ result }: TestContext["task"]): number {
  return result?.errors?.length ?? 0;
}

/** What the kit finds wrong isn't what a test expects that is to fail. */
function mayNotPass(task: TestContext["task"]): void {
  Object.assign(task, { fails: false });
}

function placesOf(taken: Taken): readonly [Place, ...Place[]] {
  if (taken.kind === "failed") throw taken.error;
  return taken.places;
}
