/** A mock dock with data of the test's own, in a process beside it. Needs the build in `dist/`. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as v from "valibot";
import { packageFolder } from "../../version.js";

const readyLine = v.pipe(v.string(), v.parseJson(), v.object({ port: v.string() }));

/**
 * Hosts reach it through a line that stays up, as a cable does when one program after the other opens its port: each host that
 * connects takes the place of the one before.
 */
export class MockDock {
  readonly #process: ChildProcess;
  readonly #line: Socket;
  readonly #server: Server;
  #host: Socket | undefined;
  #bytesLeft = Number.POSITIVE_INFINITY;
  #then: () => void = () => {};

  /** Starts one that holds `data` (as `mocks/stock.ts` describes it). */
  static async start(data: object, ...args: readonly string[]): Promise<MockDock> {
    const folder = await mkdtemp(join(tmpdir(), "dl7450-cli-"));
    const file = join(folder, "dock.json");
    await writeFile(file, JSON.stringify(data));
    const program = join(packageFolder, "dist", "bin", "dl7450-mock.js");
    const child = spawn(process.execPath, [program, "--data", file, "--tcp", "0", ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [ready] = await once(createInterface(child.stdout), "line");
    await rm(folder, { recursive: true });
    const [host, port] = v.parse(readyLine, ready).port.split(":");
    const server = createServer();
    const dock = new MockDock(child, connect(Number(port), host), server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return dock;
  }

  private constructor(child: ChildProcess, line: Socket, server: Server) {
    this.#process = child;
    this.#line = line;
    this.#server = server;
    server.on("connection", (host) => this.#connected(host));
    line.on("data", (bytes) => this.#passOn(bytes));
  }

  /** For `--port`. */
  get target(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
    return `tcp://127.0.0.1:${address.port}`;
  }

  /** Calls `then` once, when `bytes` more bytes have gone to a host. */
  after(bytes: number, then: () => void): void {
    this.#bytesLeft = bytes;
    this.#then = then;
  }

  /** Loses the host that is connected. */
  cut(): void {
    this.#host?.destroy();
  }

  /** Waits until no host is connected. */
  async left(): Promise<void> {
    const host = this.#host;
    if (host === undefined || host.closed) return;
    await new Promise<void>((resolve) => host.once("close", () => resolve())); // not `once`: an error that comes before doesn't matter
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.close();
    this.#line.destroy();
    const gone = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    await gone;
  }

  #connected(host: Socket): void {
    this.cut();
    this.#host = host;
    host.on("error", () => {}); // it has left while something was on its way to it
    host.on("data", (bytes) => this.#line.write(bytes));
  }

  #passOn(bytes: Buffer): void {
    this.#host?.write(bytes);
    this.#bytesLeft -= bytes.length;
    if (this.#bytesLeft > 0) return;
    this.#bytesLeft = Number.POSITIVE_INFINITY;
    this.#then();
  }
}
