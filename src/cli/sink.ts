/** Where the bytes of an image go: whole to a file, straight into stdout, a device or a FIFO. */
import { constants, openSync, type Stats } from "node:fs";
import { access, open, realpath, stat } from "node:fs/promises";
import { Socket } from "node:net";
import type { Clock } from "../clock.js";
import { systemCode } from "../output-message.js";
import { PartFile } from "../part-file.js";
import { outputError } from "./cli-error.js";
import type { Context } from "./context.js";
import { writeOut, writeTo } from "./output.js";

export interface Sink {
  /** Waits until there is room for more. */
  write(chunk: Uint8Array): Promise<void>;
  /** Everything is there and good. */
  finish(): Promise<void>;
  /** It broke off: leaves nothing half behind. Never fails. */
  discard(): Promise<void>;
}

/** How long to wait before a FIFO is looked at again, in milliseconds. */
const FIFO_CHECK = 50;

export function stdoutSink(context: Context): Sink {
  return { write: (chunk) => writeOut(context, chunk), finish: async () => {}, discard: async () => {} };
}

/** The sink that a path names. A regular file is replaced when all is there, anything else is written into. Fails with `OUTPUT`. */
export async function fileSink(path: string, context: Pick<Context, "clock" | "signal">): Promise<Sink> {
  try {
    const sink = await openSink(path, context);
    return {
      write: (chunk) => sink.write(chunk).catch((error: unknown) => fail(path, error, context.signal)),
      finish: () => sink.finish().catch((error: unknown) => fail(path, error, context.signal)),
      discard: () => sink.discard().catch(() => {}), // what went wrong before is what matters
    };
  } catch (error) {
    return fail(path, error, context.signal);
  }
}

function fail(path: string, error: unknown, signal: AbortSignal): never {
  throw signal.aborted ? signal.reason : outputError(path, error);
}

async function openSink(path: string, { clock, signal }: Pick<Context, "clock" | "signal">): Promise<Sink> {
  const there = await statOf(path);
  if (there === undefined || there.isFile()) return openPartFile(path, there);
  return there.isFIFO() ? openFifo(path, clock, signal) : openDevice(path);
}

/** `replaced` is the file that is at `path` now, if there is one: it keeps its mode. */
async function openPartFile(path: string, replaced: Stats | undefined): Promise<Sink> {
  // Who may not write the file may not replace it either, though the folder would let them.
  if (replaced !== undefined) await access(path, constants.W_OK);
  const target = replaced === undefined ? path : await realpath(path); // a link stays a link
  const file = await PartFile.open(target, replaced?.mode);
  return {
    write: (chunk) => file.write(chunk),
    async finish() {
      await file.close();
      await file.place();
    },
    discard: () => file.discard(),
  };
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function openDevice(path: string): Promise<Sink> {
  const file = await open(path, constants.O_WRONLY);
  return { write: (chunk) => file.appendFile(chunk), finish: () => file.close(), discard: () => file.close() };
}

/** Opened without waiting in the kernel, where no signal could end the wait. */
async function openFifo(path: string, clock: Clock, signal: AbortSignal): Promise<Sink> {
  const socket = new Socket({ fd: await fifoWithReader(path, clock, signal), readable: false, writable: true });
  socket.on("error", () => {}); // each write hears of its own failure
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  return {
    write: (chunk) => writeTo(socket, chunk, signal),
    finish: () => {
      socket.end();
      return closed;
    },
    discard: () => {
      socket.destroy();
      return closed;
    },
  };
}

async function fifoWithReader(path: string, clock: Clock, signal: AbortSignal): Promise<number> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (systemCode(error) !== "ENXIO") throw error; // nobody has opened it to read yet
    }
    await new Promise<void>((resolve) => clock.after(FIFO_CHECK, resolve));
  }
}
