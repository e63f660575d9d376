/** A mock dock on a pseudo-terminal, which is opened by name like a port. */
import { ReadStream } from "node:tty";
import { spawn } from "@lydell/node-pty";
import { fail, onEnd, ready } from "../lifetime.js";
import type { Random } from "../random.js";
import { type Carriers, carry } from "./carriers.js";
import { Outlet } from "./outlet.js";
import type { Serve } from "./port.js";

/** Keeps a terminal raw and open, whether or not somebody has opened it. */
const KEEPER = "stty raw -echo && tty && exec sleep 2147483647";

/** A pseudo-terminal that can be opened at its path, like a port, and its other end. */
export interface PseudoTerminal extends Carriers {
  readonly path: string;
}

/**
 * Makes a pseudo-terminal, which is there until `gone` is called or this process ends. node-pty makes it, and carriers stand between
 * it and this process: node-pty's own writes spin, with everything at a stand, while nobody reads; and a pseudo-terminal holds no more than
 * some 12 kB, which a carrier takes while this process is at work, so that the other side needn't stop.
 */
export function openPseudoTerminal(gone: () => void): Promise<PseudoTerminal> {
  const terminal = spawn("/bin/sh", ["-c", KEEPER], { encoding: null });
  onEnd(() => terminal.kill("SIGKILL"));
  terminal.onExit(gone);
  let said = "";
  return new Promise((resolve) => {
    const pathCame = terminal.onData((data) => {
      said += data.toString();
      // Before it may stand what somebody writes who takes it for the terminal that had this path before.
      const [, path] = /(\/dev\/[\w/]+)\r?\n$/.exec(said) ?? [];
      if (path === undefined) return;
      pathCame.dispose();
      stopReading(terminal);
      resolve({ path, ...carry({ descriptor: masterOf(terminal) }, gone) });
    });
  });
}

/** Serves a pseudo-terminal. */
export async function servePseudoTerminal(random: Random, serve: Serve): Promise<void> {
  const { path, input, output } = await openPseudoTerminal(() => fail("the pseudo-terminal is gone"));
  const outlet = new Outlet(input, random, output, () => peer.drained());
  const peer = serve(outlet);
  output.on("data", (bytes: Buffer) => peer.receive(bytes));
  ready(path);
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
