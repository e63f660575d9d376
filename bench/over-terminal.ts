/** Moving images and asking for keys over a pseudo-terminal, in turn with a bare pipe between the same two kinds of process. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { SerialPort } from "serialport";
import { Dock } from "../src/index.js";
import { closeBarePipe, echo, openBarePipe, pull, push } from "./bare-pipe.js";
import { type Figure, figure, NO_GOAL, started, timed, times } from "./measure.js";

const ROUNDS = 7;
const CALLS = 1_000;
/** The request and the answer of `kv.get` are about so long, in bytes. */
const ECHO_BYTES = 48;

/** What one round took, in seconds. */
interface Round {
  readonly pull: number;
  readonly push: number;
  readonly echo: number;
  readonly read: number;
  readonly put: number;
  readonly get: number;
  readonly set: number;
  readonly many: number;
}

/** @param data describes a dock with the image `big` of `size` bytes in ephemeral */
export async function overTerminal(data: string, folder: string, size: number): Promise<Figure[]> {
  const bare = await started("bench/bare-peer.js", []);
  const mock = await started("bin/dl7450-mock.js", ["--data", data, "--state", join(folder, "state")]);
  const port = await openBarePipe(bare.port);
  const dock = await Dock.open(mock.port);
  const rounds: Round[] = [];
  for (let i = 0; i <= ROUNDS; i++) rounds.push(await round(port, dock, size));
  rounds.shift(); // the first one warms up
  await put(dock, "again", new Uint8Array(size));
  const again = await bytesSent(dock, () => put(dock, "again", new Uint8Array(size)));
  await dock.close();
  await closeBarePipe(port);
  await Promise.all([bare.stop(), mock.stop()]);
  return [...figuresOf(rounds, size), figure("13 MB upload of what is there", "bytes sent", [again], "< 1000")];
}

async function round(port: SerialPort, dock: Dock, size: number): Promise<Round> {
  const fresh = randomBytes(size);
  return {
    pull: (await pull(port, size)).seconds,
    read: await timed(() => stream(dock, size)),
    push: await push(port, fresh),
    put: await timed(() => put(dock, "fresh", fresh)),
    echo: await timed(() => times(CALLS, () => echo(port, ECHO_BYTES))),
    get: await timed(() => times(CALLS, () => dock.kv.get("k"))),
    set: await timed(() => times(CALLS, () => dock.kv.set("k", "value", { store: "runtime" }))),
    many: await timed(() => Promise.all(Array.from({ length: 32 }, () => times(CALLS / 8, () => dock.kv.get("k"))))),
  };
}

function figuresOf(rounds: readonly Round[], size: number): Figure[] {
  const each = (what: string, unit: string, of: (it: Round) => number, goal = NO_GOAL): Figure =>
    figure(what, unit, rounds.map(of), goal);
  const megabytes = size / 1e6;
  return [
    each("bare pipe to the host", "MB/s", (it) => megabytes / it.pull),
    each("13 MB download", "MB/s", (it) => megabytes / it.read),
    each("13 MB download, of the bare pipe", "times", (it) => it.pull / it.read, ">= 0.6"),
    each("bare pipe to the dock", "MB/s", (it) => megabytes / it.push),
    each("13 MB upload", "MB/s", (it) => megabytes / it.put),
    each("13 MB upload, of the bare pipe", "times", (it) => it.push / it.put, ">= 0.6"),
    each("round trip of the bare pipe", "ms", (it) => (it.echo / CALLS) * 1e3),
    each("kv.get, of the bare round trip", "times", (it) => it.get / it.echo, "<= 2.5"),
    each("kv.set with the state kept, of kv.get", "times", (it) => it.set / it.get, "<= 3"),
    each("kv.get with 32 in flight, of one at a time", "times", (it) => (it.get / it.many) * 4, ">= 4"),
  ];
}

async function stream(dock: Dock, size: number): Promise<void> {
  let received = 0;
  for await (const chunk of dock.images.stream("big")) received += chunk.length;
  if (received !== size) throw new Error(`${received} bytes came of ${size}`);
}

async function put(dock: Dock, tag: string, bytes: Uint8Array): Promise<void> {
  await dock.images.put(tag, bytes, { store: "ephemeral", type: "none" });
}

async function bytesSent(dock: Dock, what: () => Promise<void>): Promise<number> {
  const before = dock.link.counters.bytesOut;
  await what();
  return dock.link.counters.bytesOut - before;
}
