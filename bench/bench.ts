/** What reading costs: ratios against a bare pipe in the same run, with the spread of the machine. `npm run bench [-- --json]`. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { SerialPort } from "serialport";
import { Dock } from "../src/index.js";
import { serveLine } from "./line.js";

const IMAGE = 13_000_000;
const ROUNDS = 7;
const CALLS = 1_000;
/** The request and the answer of `kv.get` are about so long, in bytes. */
const ECHO_BYTES = 48;

interface Figure {
  readonly what: string;
  readonly unit: string;
  /** Median over the rounds, with the least and the most. */
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** What the figure should be. */
  readonly goal: string;
}

const folder = await mkdtemp(join(tmpdir(), "dl7450-bench-"));
const data = join(folder, "dock.json");
await writeFile(
  data,
  JSON.stringify({ ephemeral: { images: { big: { random: IMAGE, type: "none" } }, keys: { k: "value" } } }),
);
const figures: Figure[] = [];
try {
  figures.push(...(await overPseudoTerminal()), await overSlowLine(), await memory());
} finally {
  await rm(folder, { recursive: true });
}
if (process.argv.includes("--json")) {
  process.stdout.write(`${JSON.stringify(figures, undefined, 2)}\n`);
} else {
  for (const { what, unit, median, least, most, goal } of figures) {
    process.stdout.write(`${what}: ${digits(median)} ${unit} (${digits(least)} to ${digits(most)}), goal ${goal}\n`);
  }
}

/** Reading and asking, in turn with a bare pipe between the same two kinds of process. */
async function overPseudoTerminal(): Promise<Figure[]> {
  const bare = await started("bench/bare-peer.js", []);
  const mock = await started("bin/dl7450-mock.js", ["--data", data]);
  const port = new SerialPort({ path: bare.port, baudRate: 115_200, autoOpen: false });
  await new Promise<void>((resolve, reject) => port.open((error) => (error === null ? resolve() : reject(error))));
  const dock = await Dock.open(mock.port);
  const rounds: { pipe: number; read: number; echo: number; get: number; many: number }[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    rounds.push({
      pipe: await timed(() => pull(port, `${IMAGE}\n`, IMAGE)),
      read: await timed(() => stream(dock)),
      echo: await timed(() => times(CALLS, () => pull(port, `${"x".repeat(ECHO_BYTES - 1)}\n`, ECHO_BYTES))),
      get: await timed(() => times(CALLS, () => dock.kv.get("k"))),
      many: await timed(() => Promise.all(Array.from({ length: 32 }, () => times(CALLS / 8, () => dock.kv.get("k"))))),
    });
  }
  rounds.shift(); // the first one warms up
  await dock.close();
  await new Promise<void>((resolve) => port.close(() => resolve()));
  await Promise.all([bare.stop(), mock.stop()]);
  const megabytes = IMAGE / 1e6;
  return [
    figure(
      "bare pipe over a pseudo-terminal",
      "MB/s",
      rounds.map((it) => megabytes / it.pipe),
      "none, for comparison",
    ),
    figure(
      "13 MB image over a pseudo-terminal",
      "MB/s",
      rounds.map((it) => megabytes / it.read),
      "none, for comparison",
    ),
    figure(
      "13 MB image, of the bare pipe",
      "times",
      rounds.map((it) => it.pipe / it.read),
      ">= 0.6",
    ),
    figure(
      "round trip of the bare pipe",
      "ms",
      rounds.map((it) => (it.echo / CALLS) * 1e3),
      "none, for comparison",
    ),
    figure(
      "kv.get, of the bare round trip",
      "times",
      rounds.map((it) => it.get / it.echo),
      "<= 2.5",
    ),
    figure(
      "kv.get with 32 in flight, of one at a time",
      "times",
      rounds.map((it) => (it.get / it.many) * 4),
      ">= 4",
    ),
  ];
}

/** A line of 1 MB/s with 5 ms each way, in front of a mock on TCP. */
async function overSlowLine(): Promise<Figure> {
  const rate = 1_000_000;
  const mock = await started("bin/dl7450-mock.js", ["--data", data, "--tcp", "0"]);
  const line = await serveLine(mock.port, { bytesPerSecond: rate, delay: 5 });
  const dock = await Dock.open(`tcp://127.0.0.1:${line.port}`);
  const seconds = await timed(() => stream(dock));
  await dock.close();
  line.close();
  await mock.stop();
  return figure("13 MB image over 1 MB/s with 5 ms each way, of the line", "times", [IMAGE / rate / seconds], ">= 0.97");
}

/** In a process of its own, so that nothing else is in its memory. */
async function memory(): Promise<Figure> {
  const extra: number[] = [];
  for (let round = 0; round < 3; round++) {
    const mock = await started("bin/dl7450-mock.js", ["--data", data]);
    const { stdout } = await promisify(execFile)(process.execPath, [programOf("bench/memory.js"), mock.port]);
    extra.push(Number(stdout) / 1e6);
    await mock.stop();
  }
  return figure("extra memory while 13 MB stream to nowhere", "MB", extra, "<= 24");
}

async function stream(dock: Dock): Promise<void> {
  let received = 0;
  for await (const chunk of dock.images.stream("big")) received += chunk.length;
  if (received !== IMAGE) throw new Error(`${received} bytes came of ${IMAGE}`);
}

async function pull(port: SerialPort, request: string, bytes: number): Promise<void> {
  let received = 0;
  await new Promise<void>((resolve) => {
    const take = (chunk: Buffer): void => {
      received += chunk.length;
      if (received < bytes) return;
      port.off("data", take);
      resolve();
    };
    port.on("data", take);
    port.write(request);
  });
}

async function times(count: number, what: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i++) await what();
}

async function timed(what: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  await what();
  return (performance.now() - since) / 1e3;
}

interface Started {
  readonly port: string;
  stop(): Promise<void>;
}

async function started(program: string, args: readonly string[]): Promise<Started> {
  const child: ChildProcess = spawn(process.execPath, [programOf(program), ...args], { stdio: ["ignore", "pipe", "inherit"] });
  if (child.stdout === null) throw new Error("a child with a pipe has an output");
  const [line] = await once(createInterface(child.stdout), "line");
  const { port } = JSON.parse(line);
  return {
    port,
    async stop() {
      const gone = once(child, "exit");
      child.kill();
      await gone;
    },
  };
}

function programOf(name: string): string {
  return fileURLToPath(new URL(`../${name}`, import.meta.url));
}

function figure(what: string, unit: string, values: readonly number[], goal: string): Figure {
  const sorted = [...values].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  return { what, unit, median, least: sorted[0] ?? median, most: sorted.at(-1) ?? median, goal };
}

function digits(value: number): string {
  return value.toPrecision(3);
}
