/** A mock dock as a process: its port, its ready line, its end. */
import { createServer, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { spawn } from "@lydell/node-pty";
import { Command, InvalidArgumentError, Option } from "commander";
import { DockModel, PROFILES, type ProfileName } from "./dock.js";
import { Random } from "./random.js";
import { Service } from "./service.js";
import { fill } from "./stock.js";

/** How often the process looks whether its parent is still there, in milliseconds. */
const PARENT_CHECK = 250;
/** Pieces in which bytes go out are at most so long: what a serial driver hands over at once. */
const LONGEST_PIECE = 32 * 1024;

interface Options {
  readonly profile: ProfileName;
  readonly name: string;
  readonly seed: number;
  readonly data: string;
  readonly tcp?: { readonly host: string; readonly port: number };
  readonly chatty: boolean;
}

/** Runs the mock dock until it is told to end. */
export function run(argv: readonly string[]): void {
  const started = performance.now();
  endWithParent();
  const options = parse(argv);
  const random = new Random(options.seed);
  const dock = new DockModel(PROFILES[options.profile], options.name);
  fill(dock, options.data, options.seed);
  const serve = (write: (piece: Uint8Array) => void): Service =>
    new Service(dock, {
      send: (bytes) => inPieces(bytes, random, write),
      uptime: () => performance.now() - started,
      chatty: options.chatty,
    });
  if (options.tcp === undefined) servePseudoTerminal(serve);
  else serveTcp(options.tcp, serve);
}

type Serve = (write: (piece: Uint8Array) => void) => Service;

/** The parent's end of the terminal is opened by name; a shell keeps it open and raw meanwhile. */
function servePseudoTerminal(serve: Serve): void {
  const keeper = "stty raw -echo && tty && exec sleep 2147483647";
  const terminal = spawn("/bin/sh", ["-c", keeper], { encoding: null });
  // With `encoding: null` node-pty takes and gives buffers, whatever its types say.
  const raw: { write(data: string | Buffer): void } = terminal;
  const service = serve((piece) => raw.write(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)));
  let path = "";
  terminal.onData((data: string | Buffer) => {
    const bytes = Buffer.from(data);
    if (path.endsWith("\n")) return service.receive(bytes);
    path += bytes.toString();
    if (path.endsWith("\n")) ready(path.trim());
  });
  terminal.onExit(() => fail("the pseudo-terminal is gone"));
  onEnd(() => terminal.kill("SIGKILL"));
}

/** One host at a time, as on a cable: a second one is let go at once. */
function serveTcp({ host, port }: { host: string; port: number }, serve: Serve): void {
  let connected: Socket | undefined;
  const server = createServer({ noDelay: true }, (socket) => {
    if (connected !== undefined) return void socket.destroy();
    connected = socket;
    const service = serve((piece) => socket.write(piece));
    socket.on("data", (bytes) => {
      service.receive(bytes);
      // Who doesn't read what it asks for isn't read from either: what waits is bounded.
      if (socket.writableNeedDrain) socket.pause();
    });
    socket.on("drain", () => socket.resume());
    socket.on("error", () => {}); // `close` follows
    socket.on("close", () => {
      service.hangUp();
      connected = undefined;
    });
  });
  server.on("error", (error) => fail(error.message));
  server.listen(port, host, () => {
    const address = server.address();
    if (address === null || typeof address === "string") return fail("no TCP address");
    ready(`${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`);
  });
}

/** Cuts bytes at random places, since a line does so too and a receiver must not mind. */
function inPieces(bytes: Uint8Array, random: Random, write: (piece: Uint8Array) => void): void {
  for (let at = 0; at < bytes.length; ) {
    const longest = random.between(1, 8) === 1 ? 16 : LONGEST_PIECE;
    const end = at + random.between(1, longest);
    write(bytes.subarray(at, end));
    at = end;
  }
}

function ready(port: string): void {
  process.stdout.write(`${JSON.stringify({ ready: true, port })}\n`);
}

function fail(message: string): never {
  process.stderr.write(`dl7450-mock: ${message}\n`);
  process.exit(1);
}

const atEnd: (() => void)[] = [];

function onEnd(then: () => void): void {
  atEnd.push(then);
}

function end(): void {
  for (const then of atEnd) then();
  process.exit(0);
}

function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) end();
  }, PARENT_CHECK).unref();
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  process.on("SIGHUP", end);
}

function parse(argv: readonly string[]): Options {
  const stock = fileURLToPath(new URL("./fixtures/stock/dock.json", packagedMocks()));
  const program = new Command("dl7450-mock")
    .description(
      "A mock DL-7450 dock: serves a pseudo-terminal, prints one JSON line with its port when ready, ends on SIGTERM or with its parent.",
    )
    .addOption(new Option("--profile <name>", "what it can do").choices(Object.keys(PROFILES)).default("full"))
    .option("--name <label>", "the dock's label", "MOCK-0001")
    .option("--seed <number>", "for everything random", wholeNumber, 1)
    .option("--data <file>", "what it holds, as JSON (see mocks/stock.ts)", stock)
    .option("--tcp <host:port>", "serve TCP instead; a port alone is on 127.0.0.1, 0 is any free one", tcpAddress)
    .option("--chatty", "print console text before each answer", false)
    .addHelpText("after", "\nExample: dl7450-mock --profile preview --tcp 7450");
  program.parse([...argv], { from: "user" });
  return program.opts<Options>();
}

/** The folder of this file in the package's sources: the fixtures aren't compiled. */
function packagedMocks(): URL {
  return new URL(import.meta.url.includes("/dist/mocks/") ? "../../mocks/" : "./", import.meta.url);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError("a whole number");
  return Number(text);
}

function tcpAddress(text: string): { host: string; port: number } {
  const [, host = "127.0.0.1", port] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535) throw new InvalidArgumentError("HOST:PORT or PORT");
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}
