/** The ports that a mock is served on: a pseudo-terminal or TCP. What goes out is cut at random places, as lines do. */
import { spawn as spawnProcess } from "node:child_process";
import { createServer, type Socket } from "node:net";
import { Readable, Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { ReadStream } from "node:tty";
import { type IPty, spawn } from "@lydell/node-pty";
import { fail, onEnd, ready } from "./lifetime.js";
import type { Random } from "./random.js";

/** Pieces in which bytes go out are at most so long: what a serial driver hands over at once. */
const LONGEST_PIECE = 32 * 1024;
/** Bytes that may wait to go out before streams have to wait: more would only be late when something must be sent again. */
const FULL = 64 * 1024;
/** Bytes that may wait to go out before the other side isn't listened to any more: who doesn't read needn't ask. */
const MOST_WAITING = 1024 * 1024;

/** Where answers go. */
export interface Line {
  send(bytes: Uint8Array): void;
  /** Whether so much waits to go out that what can wait should. */
  isFull(): boolean;
  /** Cuts it, where that can be done: a pseudo-terminal has no plug. */
  cut?(): void;
}

/** Who answers on a line. */
interface Peer {
  receive(bytes: Uint8Array): void;
  /** The line, which was full, has room again. */
  drained(): void;
  /** The other side is gone, where the port can tell. */
  hangUp(): void;
}

/** Makes the one who answers, given where to. */
export type Serve = (line: Line) => Peer;

/** Keeps a terminal raw and open, whether or not somebody has opened it. */
const KEEPER = "stty raw -echo && tty && exec sleep 2147483647";
/**
 * Carries bytes from descriptor 3 to the terminal, which is descriptor 1, and from there to descriptor 4. Descriptor 0 never gets a
 * byte: it ends when the mock does, however that ends, and then the whole group is killed, even a `cat` that waits for a reader.
 */
const CARRIERS = "cat <&1 >&4 3<&- & cat <&3 4>&- & exec 3<&- 4>&-; read nothing; kill -9 0";

/**
 * Serves a pseudo-terminal, which is opened by name like a port. Two processes `cat` stand between it and the mock. One, since
 * node-pty's own writes spin, with everything at a stand, while nobody reads. The other, since a pseudo-terminal holds no more than some
 * 12 kB: it takes them while the mock is at work, so that the host needn't stop.
 */
export function servePseudoTerminal(random: Random, serve: Serve): void {
  const terminal = spawn("/bin/sh", ["-c", KEEPER], { encoding: null });
  let path = "";
  const pathCame = terminal.onData((data) => {
    path += data.toString();
    if (!path.endsWith("\n")) return;
    pathCame.dispose();
    stopReading(terminal);
    serveTerminal(terminal, random, serve);
    ready(path.trim());
  });
  terminal.onExit(gone);
}

function gone(): never {
  return fail("the pseudo-terminal is gone");
}

function serveTerminal(terminal: IPty, random: Random, serve: Serve): void {
  const stdio = ["pipe", masterOf(terminal), "ignore", "pipe", "pipe"] as const;
  const carriers = spawnProcess("/bin/sh", ["-c", CARRIERS], { stdio: [...stdio], detached: true }); // a group of its own, to be ended whole
  const [, , , input, output] = carriers.stdio;
  if (!(input instanceof Writable && output instanceof Readable)) throw new Error("a child with pipes has both ends");
  const outlet = new Outlet(input, random, output, () => peer.drained());
  const peer = serve(outlet);
  output.on("data", (bytes: Buffer) => peer.receive(bytes));
  carriers.on("exit", gone);
  for (const end of [input, output]) end.on("close", gone);
  onEnd(() => {
    terminal.kill("SIGKILL");
    try {
      if (carriers.pid !== undefined) process.kill(-carriers.pid, "SIGKILL");
    } catch {} // they have ended already
  });
}

/**
 * The terminal's own end, as a file descriptor. A child that inherits it finds it blocking: libuv sees to that, and so it is for this process,
 * which shares the open file.
 */
function masterOf(terminal: object): number {
  if ("fd" in terminal && typeof terminal.fd === "number") return terminal.fd;
  throw new Error("this node-pty has no file descriptor");
}

/**
 * Has node-pty read nothing any more, which would take bytes from the carrier, and wait with everything at a stand when there are none.
 * `pause` isn't enough: a paused socket reads on until its buffer is full. It takes itself to be reading still, and so doesn't begin again.
 */
function stopReading(terminal: object): void {
  const socket = "_socket" in terminal ? terminal._socket : undefined;
  const handle = socket instanceof ReadStream && "_handle" in socket ? socket._handle : undefined;
  if (typeof handle !== "object" || handle === null || !("readStop" in handle) || typeof handle.readStop !== "function")
    throw new Error("this node-pty can't be told to stop reading");
  handle.readStop();
}

/** How long a host waits for the one before it, which may be leaving just now, in milliseconds. */
const CHANGE_OVER = 500;

/** Serves TCP, one host at a time, as on a cable: a second one is let go. */
export function serveTcp({ host, port }: { host: string; port: number }, random: Random, serve: Serve): void {
  let connected: Socket | undefined;
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
    socket.on("error", () => {}); // `close` follows
    const before = connected;
    if (before === undefined) return begin(socket);
    const late = setTimeout(() => socket.destroy(), CHANGE_OVER);
    before.once("close", () => {
      clearTimeout(late);
      if (connected === undefined) begin(socket);
      else socket.destroy();
    });
  });
  const begin = (socket: Socket): void => {
    if (socket.destroyed) return;
    connected = socket;
    const outlet = new Outlet(socket, random, socket, () => peer.drained());
    const peer = serve(cuttable(outlet, socket));
    socket.on("data", (bytes) => peer.receive(bytes));
    socket.on("close", () => {
      peer.hangUp();
      connected = undefined;
    });
    socket.resume();
  };
  server.on("error", (error) => fail(error.message));
  server.listen(port, host, () => {
    const address = server.address();
    if (address === null || typeof address === "string") return fail("no TCP address");
    ready(`${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`);
  });
}

/** A line whose plug can be pulled: what was sent before goes out. */
function cuttable(outlet: Outlet, socket: Socket): Line {
  let isCut = false;
  return {
    send: (bytes) => {
      if (!isCut) outlet.send(bytes);
    },
    isFull: () => outlet.isFull(),
    cut: () => {
      isCut = true;
      outlet.onceSent(() => socket.destroySoon());
    },
  };
}

/** Sends bytes in pieces that are cut at random places, one after the other: a receiver must not rely on whole messages. */
class Outlet implements Line {
  readonly #stream: Writable;
  readonly #random: Random;
  readonly #source: { pause(): unknown; resume(): unknown };
  readonly #drained: () => void;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #sending = false;
  #sent: () => void = () => {};

  /** @param source what the other side's bytes come from, to be paused while it doesn't read */
  constructor(stream: Writable, random: Random, source: { pause(): unknown; resume(): unknown }, drained: () => void) {
    this.#stream = stream;
    this.#random = random;
    this.#source = source;
    this.#drained = drained;
    stream.on("error", () => {}); // the other side is gone, which the port itself notices
  }

  send(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > MOST_WAITING) this.#source.pause();
    if (!this.#sending) void this.#sendWaiting();
  }

  isFull(): boolean {
    return this.#waitingBytes >= FULL;
  }

  /** Calls `then` when all that was sent is on the line. */
  onceSent(then: () => void): void {
    this.#sent = then;
    if (!this.#sending) then();
  }

  async #sendWaiting(): Promise<void> {
    this.#sending = true;
    for (let bytes = this.#waiting.shift(); bytes !== undefined; bytes = this.#waiting.shift()) {
      for (let at = 0; at < bytes.length; ) {
        const longest = this.#random.between(1, 8) === 1 ? 16 : LONGEST_PIECE;
        const end = at + this.#random.between(1, longest);
        const goOn = this.#stream.write(bytes.subarray(at, end));
        if (this.#stream.destroyed) return;
        if (!goOn) await this.#room();
        else if (end < bytes.length) await setImmediate();
        at = end;
      }
      const wasFull = this.isFull();
      this.#waitingBytes -= bytes.length;
      if (wasFull && !this.isFull()) this.#drained();
      if (this.#waitingBytes <= MOST_WAITING) this.#source.resume();
    }
    this.#sending = false;
    this.#sent();
  }

  /** Waits until the stream takes more, or is gone. */
  #room(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#stream.off("drain", done).off("close", done);
        resolve();
      };
      this.#stream.on("drain", done).on("close", done);
    });
  }
}
