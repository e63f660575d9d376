/** What a trace is good for: a command that is traced, shown, and run again on what was recorded. Mostly in one process, over TCP. */
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Behind } from "../mocks/behind.js";
import { DockModel, PROFILES } from "../mocks/dock.js";
import { DockBehind } from "../mocks/dock-behind.js";
import { parseFault } from "../mocks/faults/parse.js";
import { Faults } from "../mocks/faults.js";
import { Random } from "../mocks/random.js";
import { Replay, readRecording } from "../mocks/replay.js";
import { Memory, Service } from "../mocks/service.js";
import { fill } from "../mocks/stock.js";
import { Recorder, runCli, unsafeLines } from "../src/cli/testing/run-cli.js";
import { systemClock } from "../src/clock.js";
import { Dock } from "../src/index.js";
import { descendantsOf, expectEnd } from "./processes.js";

const STOCK = new URL("../mocks/fixtures/stock/dock.json", import.meta.url).pathname;

let folder: string;
let trace: string;
let traces = 0;
let model: DockModel;
const servers: Served[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dl7450-traced-"));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(() => {
  trace = join(folder, `${traces++}.ndjson`);
  model = new DockModel(PROFILES.full, "RW02-0005");
  fill(model, STOCK, 1);
});
afterEach(() => {
  for (const served of servers.splice(0)) served.stop();
});

/** A dock, or the recording of one, on a TCP port of this process. */
class Served {
  readonly #server: Server;
  #host: Socket | undefined;

  static async start(behind: Behind, fault?: string): Promise<Served> {
    const faults = new Faults(systemClock);
    if (fault !== undefined) faults.add(parseFault(fault, new Random(1)));
    const memory = new Memory(0);
    const limits = behind instanceof Replay ? { limits: behind.limits } : {};
    const serve = faults.wrap((line) => new Service(behind, memory, { line, clock: systemClock, faults, ...limits }));
    const served = new Served((socket) => {
      const line = {
        send: (bytes: Uint8Array) => void socket.write(bytes),
        isFull: () => socket.writableLength > 64 * 1024,
        cut: () => socket.destroySoon(),
      };
      const peer = serve(line);
      socket.on("error", () => {});
      socket.on("data", (bytes) => peer.receive(bytes));
      socket.on("drain", () => peer.drained());
      socket.on("close", () => peer.hangUp());
    });
    served.#server.listen(0, "127.0.0.1");
    await once(served.#server, "listening");
    servers.push(served);
    return served;
  }

  private constructor(connected: (socket: Socket) => void) {
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#host = socket;
      connected(socket);
    });
  }

  get target(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
    return `tcp://127.0.0.1:${address.port}`;
  }

  /** Loses the host that is connected. */
  cut(): void {
    this.#host?.destroy();
  }

  stop(): void {
    this.#host?.destroy();
    this.#server.close();
  }
}

async function replayOf(path: string): Promise<Served> {
  const recording = await readRecording(path, (line, why) => {
    throw new Error(`line ${line}: ${why}`);
  });
  return Served.start(new Replay(recording));
}

describe("a command that is replayed says what it said", () => {
  test.each([
    [["ls"]],
    [["info"]],
    [["kv", "get", "timezone"]],
    [["kv", "get", "none"]],
    [["kv", "set", "zone", "CET", "--json"]],
    [["image", "list", "--json"]],
    [["image", "put", STOCK, "--type", "none"]],
    [["image", "delete", "none"]],
    [["reset", "--confirm", "RW02-0005"]],
  ])("%j", async (argv) => {
    const dock = await Served.start(new DockBehind(model));
    const first = await runCli(["--port", dock.target, "--trace", trace, ...argv]);
    const again = await replayOf(trace);
    expect(await runCli(["--port", again.target, ...argv])).toEqual(first);
    expect(await runCli(["--port", again.target, ...argv])).toEqual(first);
  });

  test("an image, byte for byte, also where the recorded line lost much of it", async () => {
    const dock = await Served.start(new DockBehind(model), "drop:every=200000");
    const output = join(folder, "default.png");
    const argv = ["image", "get", "default", "-o", output];
    const first = await runCli(["--port", dock.target, "--trace", trace, ...argv]);
    expect(first.exitCode).toBe(0);
    const bytes = await readFile(output);
    await rm(output);
    const again = await replayOf(trace);
    expect(await runCli(["--port", again.target, ...argv])).toEqual(first);
    expect(Buffer.compare(await readFile(output), bytes)).toBe(0);
    const shown = await runCli(["trace", "show", trace]);
    expect(shown.stdout).toMatch(/ {2}← {2}dropped {2}/);
    expect(shown.stderr).toMatch(/; 1 request, the slowest image\.get /);
    expect(unsafeLines(shown.stdout)).toEqual([]);
  });

  test("what wasn't asked then is refused", async () => {
    const dock = await Served.start(new DockBehind(model));
    await runCli(["--port", dock.target, "--trace", trace, "ls"]);
    const { exitCode, stderr } = await runCli(["--port", (await replayOf(trace)).target, "kv", "get", "timezone"]);
    expect([exitCode, stderr]).toEqual([7, expect.stringContaining("not in the recording")]);
  });
});

test("trace replay serves the recording in a process of its own, says where, and ends with it", async () => {
  const dock = await Served.start(new DockBehind(model));
  const first = await runCli(["--port", dock.target, "--trace", trace, "ls"]);
  const before = descendantsOf(process.pid);
  const stdout = new Recorder();
  const stop = new AbortController();
  const serving = runCli(["trace", "replay", trace, "--tcp", "0"], { stdout, signal: stop.signal });
  await until(() => stdout.data.includes("\n"));
  const started = descendantsOf(process.pid).filter((pid) => !before.includes(pid));
  const { port } = v.parse(v.object({ port: v.string() }), JSON.parse(stdout.data.toString()));
  expect(await runCli(["--port", `tcp://${port}`, "ls"])).toEqual(first);
  stop.abort();
  expect((await serving).exitCode).toBe(130);
  await expectEnd(started);
});

test("mock:FILE replays a trace, with `reconnect` too", async () => {
  const dock = await Served.start(new DockBehind(model));
  await runCli(["--port", dock.target, "--trace", trace, "kv", "get", "timezone"]);
  await using replayed = await Dock.open(`mock:${trace}`, { reconnect: true });
  expect([replayed.name, await replayed.kv.get("timezone")]).toEqual(["RW02-0005", "GMT"]);
});

describe("console", () => {
  const listening = (stderr: Recorder): Promise<unknown> => until(() => stderr.data.toString().includes("Listening"));

  test("shows what the dock prints and logs, says to which dock it listens, and ends with 130 on Ctrl-C", async () => {
    const dock = await Served.start(new DockBehind(model));
    const [stdout, stderr] = [new Recorder(), new Recorder()];
    const stop = new AbortController();
    const ran = runCli(["console", "--port", dock.target], { stdout, stderr, signal: stop.signal });
    await until(() => stdout.data.toString().includes("log "));
    await listening(stderr);
    stop.abort();
    expect((await ran).exitCode).toBe(130);
    expect(stdout.data.toString()).toMatch(
      /^DL-7450 mock dock RW02-0005, not a real one\nlog info: session of dl7450 [\d.]+\n$/,
    );
    expect(stderr.data.toString()).toBe(`Listening to RW02-0005 at ${dock.target}, until Ctrl-C.\ndl7450: interrupted\n`);
  });

  test("ends with 6 when the line goes, and goes on with --reconnect", async () => {
    const dock = await Served.start(new DockBehind(model));
    const once = { stderr: new Recorder() };
    const ran = runCli(["console", "--port", dock.target], once);
    await listening(once.stderr);
    dock.cut();
    expect((await ran).exitCode).toBe(6);
    const twice = { stderr: new Recorder(), stdout: new Recorder() };
    const stop = new AbortController();
    const going = runCli(["console", "--json", "--reconnect", "--port", dock.target], { ...twice, signal: stop.signal });
    await listening(twice.stderr);
    dock.cut();
    await until(() => twice.stderr.data.toString().includes("The dock is back."));
    await until(() => twice.stdout.data.toString().split("session of").length === 3);
    stop.abort();
    expect((await going).exitCode).toBe(130);
  });

  test("ends with 0 when its reader leaves", async () => {
    const dock = await Served.start(new DockBehind(model));
    const stdout = new Recorder();
    stdout._write = (_chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void =>
      done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
    expect((await runCli(["console", "--port", dock.target], { stdout })).exitCode).toBe(0);
  });
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}

test("a trace isn't written over the recording that the mock dock is to read", async () => {
  await writeFile(trace, "precious");
  for (const target of [`mock:${trace}`, `mock:?replay=${encodeURIComponent(trace)}`]) {
    expect(await runCli(["ls", "--port", target, "--trace", trace])).toMatchObject({ exitCode: 2, stdout: "" });
  }
  expect(await readFile(trace, "utf8")).toBe("precious");
});
