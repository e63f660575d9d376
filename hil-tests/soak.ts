/** Random calls on a dock where everything goes wrong: nothing may be lost, doubled, broken or left open. `npm run soak -- --seconds 60 --seed 1`. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Command, InvalidArgumentError } from "commander";
import * as v from "valibot";
import { Dock, DockError, type DockErrorCode } from "../src/index.js";
import { Chances } from "./soak/chances.js";
import { SoakMock } from "./soak/mock.js";
import { fingerprint, Reference } from "./soak/reference.js";
import { SCENES, type Scene } from "./soak/scenes.js";
import { Tally, Worker, work } from "./soak/worker.js";

/** How long a scene goes on, in milliseconds. */
const SCENE = 2_500;
/** Who calls at once. */
const WORKERS = 4;
/** A call that takes longer isn't settled, in milliseconds: its deadlines, an outage and a write that is asked after. */
const SETTLED_WITHIN = 90_000;
/** What a bad line explains. */
const LINE: readonly DockErrorCode[] = ["TIMEOUT", "LINK_LOST", "OUTCOME_UNKNOWN"];

const manifest = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ layers: v.object({ runtime: v.object({ generation: v.number() }) }) }),
);

interface Options {
  readonly seconds: number;
  readonly seed: number;
}

/** What a soak adds up. */
class Soak {
  readonly tally = new Tally();
  readonly mock: SoakMock;
  readonly reference = new Reference();
  readonly chance: Chances;
  readonly #folder: string;
  kills = 0;
  reconnects = 0;
  retries = 0;
  resends = 0;
  reads = 0;
  readonly lost: string[] = [];
  readonly doubled: string[] = [];
  #rounds = 0;
  /** Runtime's generation, beside the changes that the reference has counted. */
  #generation = 0;

  constructor(folder: string, seed: number) {
    this.#folder = folder;
    this.chance = new Chances(seed);
    this.mock = new SoakMock(["--state", folder, "--name", "SOAK-0001"]);
  }

  /** Makes the dock, and looks how it is. */
  async begin(): Promise<void> {
    await this.mock.start([], 1);
    await this.mock.stop("SIGTERM");
    this.#generation = await this.#runtimeGeneration();
  }

  /** One scene: workers on a dock with faults, then a look at what is there without them. */
  async play(scene: Scene): Promise<void> {
    const seed = this.chance.between(1, 2 ** 31);
    await this.mock.start(scene.faults, seed);
    if (scene.opens === "yes") await this.#work(scene, seed);
    else await this.#expectEcho();
    await this.mock.stop("SIGTERM");
    await this.#verify(scene);
  }

  async #work(scene: Scene, seed: number): Promise<void> {
    const dock = await opened(this.mock.target);
    const until = performance.now() + SCENE;
    const isOver = (): boolean => performance.now() > until;
    const killing = this.#kill(scene, seed, isOver);
    const explained = new Set([...LINE, ...scene.explains]);
    const { tally, chance, reference } = this;
    const round = ++this.#rounds;
    const after = (ms: number, then: () => void): void => void setTimeout(ms).then(then);
    const workers = Array.from({ length: WORKERS }, (_, i) => {
      const options = { name: `w${i}`, round, chance: chance.fork(), reference, tally, explained, largest: 300_000, after };
      return work(new Worker(dock, { ...options, images: scene.images }), tally, SETTLED_WITHIN, isOver);
    });
    await Promise.all([...workers, killing]);
    const { counters } = dock.link;
    this.reconnects += counters.reconnects;
    this.retries += counters.retries;
    this.resends += counters.resends + counters.resendsIn;
    await dock.close();
  }

  /** Kills the mock at random moments, and starts it again. */
  async #kill({ killedEvery, faults }: Scene, seed: number, isOver: () => boolean): Promise<void> {
    if (killedEvery === undefined) return;
    for (let i = 1; ; i++) {
      await setTimeout(this.chance.between(1, 2 * killedEvery));
      if (isOver()) return;
      await this.mock.stop("SIGKILL");
      this.kills++;
      await this.mock.start(faults, seed + i);
    }
  }

  async #expectEcho(): Promise<void> {
    try {
      await (await Dock.open(this.mock.target)).close();
      this.tally.unexplained.push("a line that echoes was opened");
    } catch (error) {
      if (!(error instanceof DockError) || error.code !== "ECHO") this.tally.unexplained.push(String(error));
      else this.tally.failed(error.code);
    }
  }

  /** What runtime holds, over a line that is good: as the reference says, and changed as often as it says. */
  async #verify(scene: Scene): Promise<void> {
    const { images } = scene;
    await this.mock.start([], 1);
    await using dock = await Dock.open(this.mock.target);
    const runtime = this.reference.layer("runtime");
    for (const name of runtime.names) {
      const isImage = name.includes(" image ");
      const value = isImage ? await imageOf(dock, name) : textOf(await dock.kv.get(name, { store: "runtime" }));
      const possible = runtime.possible(name);
      const isKnown = !isImage || images === "known";
      if (isKnown && !possible.has(value))
        this.lost.push(`${scene.name}: ${name} is ${short(value)}, not one of ${[...possible].map(short).join(", ")}`);
      runtime.found(name, value);
    }
    await dock.close();
    await this.mock.stop("SIGTERM");
    await this.#verifyChanges(scene);
  }

  async #verifyChanges({ name, images }: Scene): Promise<void> {
    const { least, most } = this.reference.layer("runtime").changes;
    const generation = await this.#runtimeGeneration();
    const made = generation - this.#generation;
    if (images === "known" && made < least) this.lost.push(`${name}: ${made} changes were made, ${least} were told of`);
    if (images === "known" && made > most)
      this.doubled.push(`${name}: ${made} changes were made, at most ${most} were asked for`);
    this.#generation = generation - least;
    this.reference.layer("runtime").settleUnknown();
  }

  async #runtimeGeneration(): Promise<number> {
    const text = await readFile(join(this.#folder, "manifest.json"), "utf8");
    return v.parse(manifest, text).layers.runtime.generation;
  }
}

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}

function short(value: string | undefined): string {
  return value === undefined ? "nothing" : value.slice(0, 24);
}

async function imageOf(dock: Dock, tag: string): Promise<string | undefined> {
  try {
    return fingerprint((await dock.images.get(tag, { store: "runtime" })).data);
  } catch (error) {
    if (error instanceof DockError && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}

/** Opens a dock over a line that may fail while it is opened. */
async function opened(target: string): Promise<Dock> {
  for (let tries = 1; ; tries++) {
    try {
      return await Dock.open(target, { reconnect: { timeout: 20_000 }, timeout: 5_000 });
    } catch (error) {
      if (tries === 20 || !(error instanceof DockError)) throw error;
      await setTimeout(50);
    }
  }
}

function report({ tally, mock, kills, reconnects, retries, resends, lost, doubled }: Soak): void {
  const faults = [...mock.faults].sort(([a], [b]) => a.localeCompare(b));
  const lines: [string, string | number][] = [
    ["calls", tally.calls],
    ["  that failed", [...tally.failures].map(([code, times]) => `${code} ${times}`).join(", ")],
    ["faults", faults.map(([kind, times]) => `${kind} ${times}`).join(", ")],
    ["SIGKILLs of the dock", kills],
    ["reconnects", reconnects],
    ["retries", retries],
    ["ranges sent again", resends],
    ["failures that nothing explains", tally.unexplained.length],
    ["wrong bytes", tally.wrong.length],
    ["lost writes", lost.length],
    ["doubled writes", doubled.length],
    ["unsettled calls", tally.unsettled],
  ];
  for (const [what, figure] of lines) process.stdout.write(`${what.padEnd(32)}${figure}\n`);
  for (const problem of [...tally.unexplained, ...tally.wrong, ...lost, ...doubled].slice(0, 20))
    process.stderr.write(`${problem}\n`);
}

function number(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("a whole number");
  return Number(text);
}

const { seconds, seed } = new Command("soak")
  .description(
    "Random calls on a mock dock where everything goes wrong; exits 1 unless nothing is lost, doubled, broken or left open.",
  )
  .option("--seconds <number>", "how long", number, 60)
  .option("--seed <number>", "which calls and faults", number, 1)
  .parse()
  .opts<Options>();
const folder = await mkdtemp(join(tmpdir(), "dl7450-soak-"));
const soak = new Soak(join(folder, "state"), seed);
try {
  const until = performance.now() + seconds * 1_000;
  await soak.begin();
  for (let i = 0; performance.now() < until; i++) {
    const scene = SCENES[(i + seed) % SCENES.length];
    if (scene === undefined) break;
    if (process.stderr.isTTY) process.stderr.write(`${scene.name} …\n`);
    await soak.play(scene);
  }
} finally {
  await soak.mock.stop("SIGKILL");
  await rm(folder, { recursive: true });
}
report(soak);
const { tally, lost, doubled } = soak;
process.exitCode = tally.unexplained.length + tally.wrong.length + lost.length + doubled.length + tally.unsettled > 0 ? 1 : 0;
