/** The ports that a mock is served on: a pseudo-terminal or TCP. What goes out is cut at random places, as lines do. */
import { spawn as spawnProcess } from "node:child_process";
import { createServer, type Socket } from "node:net";
import type { Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { spawn } from "@lydell/node-pty";
import { fail, onEnd, ready } from "./lifetime.js";
import type { Random } from "./random.js";

/** Pieces in which bytes go out are at most so long: what a serial driver hands over at once. */
const LONGEST_PIECE = 32 * 1024;
/** Bytes that may wait to go out before the other side isn't listened to any more: who doesn't read needn't ask. */
const MOST_WAITING = 1024 * 1024;

/** Who answers on a line. */
export interface Peer {
  receive(bytes: Uint8Array): void;
  /** The other side is gone, where the port can tell. */
  hangUp(): void;
}

/** Makes the one who answers, given how to send. */
export type Serve = (send: (bytes: Uint8Array) => void) => Peer;

/** Keeps a terminal raw and open, whether or not somebody has opened it, until the mock is gone. */
const KEEPER = "stty raw -echo && tty && while kill -0 $PPID; do sleep 1; done 2>/dev/null";

/** Serves a pseudo-terminal, which is opened by name like a port. */
export function servePseudoTerminal(random: Random, serve: Serve): void {
  const terminal = spawn("/bin/sh", ["-c", KEEPER], { encoding: null });
  // node-pty's own writes spin, with everything at a stand, while nobody reads. `cat` waits in its place.
  const writer = spawnProcess("cat", { stdio: ["pipe", masterOf(terminal), "ignore"] });
  if (writer.stdin === null) throw new Error("a child with a pipe has an input");
  const outlet = new Outlet(writer.stdin, random, terminal);
  const peer = serve((bytes) => outlet.send(bytes));
  let path = "";
  // With `encoding: null` node-pty gives buffers, whatever its types say.
  terminal.onData((data: string | Buffer) => {
    const bytes = Buffer.from(data);
    if (path.endsWith("\n")) return peer.receive(bytes);
    path += bytes.toString();
    if (path.endsWith("\n")) ready(path.trim());
  });
  terminal.onExit(() => fail("the pseudo-terminal is gone"));
  onEnd(() => {
    writer.kill("SIGKILL");
    terminal.kill("SIGKILL");
  });
}

/** The terminal's own end, as a file descriptor. A child that inherits it finds it blocking: libuv sees to that. */
function masterOf(terminal: object): number {
  if ("fd" in terminal && typeof terminal.fd === "number") return terminal.fd;
  throw new Error("this node-pty has no file descriptor");
}

/** How long a host waits for the one before it, which may be leaving just now, in milliseconds. */
const CHANGE_OVER = 200;

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
    const outlet = new Outlet(socket, random, socket);
    const peer = serve((bytes) => outlet.send(bytes));
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

/** Sends bytes in pieces that are cut at random places, one after the other: a receiver must not rely on whole messages. */
class Outlet {
  readonly #stream: Writable;
  readonly #random: Random;
  readonly #source: { pause(): unknown; resume(): unknown };
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #sending = false;

  /** @param source what the other side's bytes come from, to be paused while it doesn't read */
  constructor(stream: Writable, random: Random, source: { pause(): unknown; resume(): unknown }) {
    this.#stream = stream;
    this.#random = random;
    this.#source = source;
    stream.on("error", () => {}); // the other side is gone, which the port itself notices
  }

  send(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > MOST_WAITING) this.#source.pause();
    if (!this.#sending) void this.#sendWaiting();
  }

  async #sendWaiting(): Promise<void> {
    this.#sending = true;
    for (let bytes = this.#waiting.shift(); bytes !== undefined; bytes = this.#waiting.shift()) {
      for (let at = 0; at < bytes.length; ) {
        const longest = this.#random.between(1, 8) === 1 ? 16 : LONGEST_PIECE;
        const end = at + this.#random.between(1, longest);
        const goOn = this.#stream.write(bytes.subarray(at, end));
        if (this.#stream.destroyed) return;
        if (!goOn) await this.#drained();
        else if (end < bytes.length) await setImmediate();
        at = end;
      }
      this.#waitingBytes -= bytes.length;
      if (this.#waitingBytes <= MOST_WAITING) this.#source.resume();
    }
    this.#sending = false;
  }

  /** Waits until the stream takes more, or is gone. */
  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#stream.off("drain", done).off("close", done);
        resolve();
      };
      this.#stream.on("drain", done).on("close", done);
    });
  }
}
