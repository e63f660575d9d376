/** What the agent for real docks does in MicroPython: images over a pseudo-terminal and over a line, and how long `poll` takes. `npm run bench:agent [-- --json]`. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { SerialPort } from "serialport";
import { DockModel, PROFILES } from "../mocks/dock.js";
import { prepareMicroPython } from "../mocks/micropython/engine.js";
import { systemClock } from "../src/clock.js";
import { ImageStore } from "../src/image-store.js";
import { Dock } from "../src/index.js";
import { KvStore } from "../src/kv-store.js";
import { Session } from "../src/session.js";
import { duplexPair } from "../src/testing/duplex-pair.js";
import { closeBarePipe, openBarePipe, pull } from "./bare-pipe.js";
import { serveLine } from "./line.js";
import { type Figure, figure, NO_GOAL, print, started, timed, times } from "./measure.js";

const ROUNDS = 5;
const CALLS = 200;
/** Bytes of what is made for this: random ones, and zeros with one other byte between them, which is the worst for COBS. */
const SIZE = 4_000_000;
const RATE = 1_000_000;
const TAGS = ["default", "welcome", "random", "zeros"] as const;

const folder = await mkdtemp(join(tmpdir(), "dl7450-bench-"));
const figures: Figure[] = [];
try {
  const data = await describe(folder);
  figures.push(...(await overTerminal(data)), await overLine(data), ...(await polls()));
} finally {
  await rm(folder, { recursive: true });
}
print(figures);

async function describe(folder: string): Promise<string> {
  const zeros = Buffer.alloc(SIZE);
  for (let i = 1; i < SIZE; i += 2) zeros[i] = 1;
  await writeFile(join(folder, "zeros"), zeros);
  const stock = (file: string): string => relative(folder, join(import.meta.dirname, "../../mocks/fixtures/stock", file));
  const images = {
    default: { file: stock("default.png"), type: "png" },
    welcome: { file: stock("welcome.bmp"), type: "bmp" },
    random: { random: SIZE, type: "none" },
    zeros: { file: "zeros", type: "none" },
  };
  const file = join(folder, "dock.json");
  await writeFile(file, JSON.stringify({ factory: { images, keys: { k: "value" } } }));
  return file;
}

async function overTerminal(data: string): Promise<Figure[]> {
  const bare = await started("bench/bare-peer.js", []);
  const mock = await started("bin/dl7450-mock.js", ["--engine", "micropython", "--profile", "full", "--data", data]);
  const port = await openBarePipe(bare.port);
  const dock = await Dock.open(mock.port);
  const rounds: Round[] = [];
  for (let i = 0; i <= ROUNDS; i++) rounds.push(await round(port, dock));
  rounds.shift(); // the first one warms up
  await dock.close();
  await closeBarePipe(port);
  await Promise.all([bare.stop(), mock.stop()]);
  const rate = (what: string, of: keyof Round, goal = NO_GOAL): Figure =>
    figure(
      what,
      "MB/s",
      rounds.map((it) => it[of]),
      goal,
    );
  const calls = rounds.map(({ call }) => call);
  return [
    rate("bare pipe to the host", "bare"),
    rate("download of the stock PNG", "default", ">= 2"),
    rate("download of the stock BMP", "welcome", ">= 2"),
    rate("download of random bytes", "random", ">= 2"),
    rate("download of 00 01 00 01 ...", "zeros"),
    rate("upload of random bytes", "put"),
    figure("kv.get", "ms", calls, NO_GOAL),
  ];
}

/** MB/s each way, and milliseconds of a call. */
type Round = Readonly<Record<"bare" | (typeof TAGS)[number] | "put" | "call", number>>;

async function round(port: SerialPort, dock: Dock): Promise<Round> {
  const bytes = randomBytes(SIZE);
  return {
    bare: SIZE / 1e6 / (await pull(port, SIZE)).seconds,
    default: await download(dock, "default"),
    welcome: await download(dock, "welcome"),
    random: await download(dock, "random"),
    zeros: await download(dock, "zeros"),
    put: SIZE / 1e6 / (await timed(() => dock.images.put("up", bytes, { store: "runtime", type: "none" }))),
    call: ((await timed(() => times(CALLS, () => dock.kv.get("k")))) / CALLS) * 1e3,
  };
}

/** MB/s. */
async function download(dock: Dock, tag: (typeof TAGS)[number]): Promise<number> {
  let size = 0;
  const seconds = await timed(async () => {
    size = (await dock.images.get(tag)).size;
  });
  return size / 1e6 / seconds;
}

async function overLine(data: string): Promise<Figure> {
  const shares: number[] = [];
  for (let round = 0; round < 3; round++) {
    const mock = await started("bin/dl7450-mock.js", ["--engine", "micropython", "--data", data, "--tcp", "0"]);
    const line = await serveLine(mock.port, { bytesPerSecond: RATE, delay: 5 });
    const dock = await Dock.open(`tcp://127.0.0.1:${line.port}`);
    shares.push(SIZE / RATE / (await timed(() => dock.images.get("random"))));
    await dock.close();
    line.close();
    await mock.stop();
  }
  return figure("download over 1 MB/s with 5 ms each way, of the line", "times", shares, ">= 0.9");
}

/** How long `poll` takes while everything is asked for, in this process. */
async function polls(): Promise<Figure[]> {
  const model = new DockModel(PROFILES.full, "MOCK-0001");
  model.fillImage("factory", "large", "none", randomBytes(2_000_000));
  for (let i = 0; i < 1_000; i++) model.fillKey("factory", `key ${i}`, { value: "x".repeat(i % 100), upd: false });
  const { python, wire } = await prepareMicroPython(model, { announced: true });
  let poll = (): void => {};
  python.registerJsModule("_bench", {
    run: (it: () => void) => {
      poll = it;
    },
  });
  python.runPython(`
import _bench, _contents, sys
from datastore_agent import Agent
agent = Agent(sys.stdin.buffer, sys.stdout.buffer, allocate=_contents.block, release=_contents.release)
_bench.run(agent.poll)
`);
  const { host, dock: end } = duplexPair();
  const peer = wire.connect({ isFull: () => false, send: (bytes) => void end.write(bytes) });
  end.on("data", (bytes: Buffer) => peer.receive(bytes));
  const took: number[] = [];
  const timer = setInterval(() => {
    const since = performance.now();
    poll();
    took.push(performance.now() - since);
  }, 5);
  const session = await Session.open(host, { clock: systemClock, software: "bench", handshakeTimeout: 5_000 });
  const [keys, images] = [new KvStore(session), new ImageStore(session)];
  const picture = randomBytes(2_000_000);
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all([images.get("large"), keys.list(), images.list(), keys.get("key 7")]);
    await images.put(`put ${round}`, picture, { store: "runtime", type: "none" });
    await images.put("put", randomBytes(2_000_000), { store: "runtime", type: "none" });
    await times(20, () => keys.set("key", "x".repeat(4_000), { store: "runtime" }));
  }
  await session.close();
  clearInterval(timer);
  const sorted = took.filter((ms) => ms > 0.2).sort((a, b) => a - b); // those that had something to do
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return [
    figure(`poll, median of ${sorted.length} that had something to do`, "ms", [at(0.5)], NO_GOAL),
    figure("poll, 99th percentile", "ms", [at(0.99)], "<= 20"),
    figure("poll, longest", "ms", [sorted.at(-1) ?? Number.NaN], NO_GOAL),
  ];
}
