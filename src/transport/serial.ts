/** A serial port, by serialport. */
import { readSync, writeSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { setImmediate, setTimeout } from "node:timers/promises";
import { SerialPort } from "serialport";
import { DockError, type Problem } from "../errors.js";
import { holderOf } from "../holder.js";
import { visible } from "../visible.js";
import type { Transport } from "./transport.js";

/** Bits per second that a UART runs at unless told otherwise; a USB device and a pseudo-terminal don't care. */
export const USUAL_BAUD_RATE = 115_200;

/**
 * How long a port that is taken is tried again, and how often, in milliseconds: whoever has just closed it may have a read under way
 * in the kernel, which keeps the lock until it returns.
 */
const RELEASE = { most: 300, every: 20 };

/** Opens a port for itself alone, raw, 8N1, or fails with `NO_DOCK`, `BUSY` or `PERMISSION`. */
export async function openSerial(path: string, baudRate: number): Promise<Transport> {
  // hupcl off: closing the port doesn't drop DTR, at which some adapters reset what is behind them.
  const port = new SerialPort({ path, baudRate, autoOpen: false, lock: true, hupcl: false });
  const giveUpAt = performance.now() + RELEASE.most;
  for (;;) {
    const failure = await new Promise<Error | null>((resolve) => port.open(resolve));
    if (failure === null) break;
    const problem = problemOfOpening(path, failure);
    if (problem.code !== "BUSY") throw new DockError(problem);
    if (performance.now() > giveUpAt) throw new DockError({ ...problem, message: await messageOfBusy(path) });
    await setTimeout(RELEASE.every);
  }
  workAtOnce(port);
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= closePort(port);
    return closed;
  };
  return { kind: "serial", name: path, stream: port, holdsBack: await isPseudoTerminal(path), close };
}

/** A port as serialport has it on Linux and macOS. */
type UnixPort = Extract<NonNullable<SerialPort["port"]>, { poller: unknown }>;

/**
 * Reads and writes in this thread, and waits only for a port that has nothing, or takes no more. serialport has each read and each write done
 * by another thread; going there and back takes longer than the work, which needn't wait: the port is open without blocking. What is
 * read is all that there is: a kernel hands over 4 KiB at a time. Its `drain`, which isn't used here, no longer waits for a write.
 */
function workAtOnce({ port: binding }: SerialPort): void {
  if (binding === undefined || !("poller" in binding)) return; // Windows does it in another way
  keepBothWaiting(binding);
  const ready = (event: "readable" | "writable"): Promise<void> =>
    new Promise((resolve, reject) => {
      binding.poller.once(event, (error) => (error === null ? resolve() : reject(error)));
    });
  binding.read = async (buffer, offset, length) => {
    for (;;) {
      await ready("readable");
      if (binding.fd === null) throw new Error("Port is not open");
      const bytesRead = readAll(binding.fd, buffer.subarray(offset, offset + length));
      if (bytesRead > 0) return { bytesRead, buffer };
    }
  };
  binding.write = async (bytes) => {
    for (let at = 0; at < bytes.length; ) {
      if (binding.fd === null) throw new Error("Port is not open");
      at += taken(binding.fd, bytes.subarray(at));
      if (at < bytes.length) await ready("writable");
    }
    await setImmediate(); // the next write leaves a turn to others, even when the port takes everything
  };
}

/**
 * Lets reading and writing wait at the same time. serialport's poller, when somebody begins to wait for the one, no longer looks for
 * the other (`Poller::poll` in bindings-cpp 13 starts with the newest event alone): a long write would stand still until
 * something comes in.
 */
function keepBothWaiting({ poller }: UnixPort): void {
  const poll = poller.poll.bind(poller);
  poller.poll = (event = 0) => {
    const reading = poller.listenerCount("readable") > 0 ? READABLE : 0;
    const writing = poller.listenerCount("writable") > 0 ? WRITABLE : 0;
    poll(event | reading | writing);
  };
}

/** Reads what the port has, as far as there is room for it, and gives how many bytes. A port that has hung up is an error. */
function readAll(fd: number, into: Buffer): number {
  let filled = 0;
  try {
    while (filled < into.length) {
      const bytes = unlessNotNow(() => readSync(fd, into, filled, into.length - filled, null));
      if (bytes === 0) throw new Error("it has hung up");
      if (bytes === undefined) break;
      filled += bytes;
    }
  } catch (error) {
    if (filled === 0) throw error; // what came before is worth having, and the next read meets it again
  }
  return filled;
}

/** Bytes that a port takes just now. */
function taken(fd: number, bytes: Buffer): number {
  return unlessNotNow(() => writeSync(fd, bytes)) ?? 0;
}

/** Does what doesn't wait; undefined when it would have had to. */
function unlessNotNow<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "EAGAIN" || error.code === "EINTR")) return undefined;
    throw error;
  }
}

/** The poller's events, which are libuv's. */
const READABLE = 1;
const WRITABLE = 2;

async function closePort(port: SerialPort): Promise<void> {
  if (!port.isOpen) return;
  // What the device never took would keep the system waiting for it. An error means that the port is going by itself.
  await new Promise<void>((resolve) => port.flush(() => resolve()));
  await new Promise<void>((resolve) => port.close(() => resolve()));
}

async function isPseudoTerminal(path: string): Promise<boolean> {
  const real = await realpath(path).catch(() => path);
  return real.startsWith("/dev/pts/");
}

/** serialport's errors are plain ones whose text comes from the system. */
function problemOfOpening(path: string, cause: Error): Problem {
  const said = cause.message.replace(/^Error:?\s*/, "");
  if (/cannot lock port|resource busy|EBUSY|access denied/i.test(said)) {
    return { code: "BUSY", message: `${path} is in use.`, retryable: true, cause };
  }
  if (/permission denied|EACCES|EPERM/i.test(said)) {
    return {
      code: "PERMISSION",
      message: `You may not open ${path}. On Linux it belongs to a group, often dialout: sudo usermod -aG dialout $USER, then log in again.`,
      cause,
    };
  }
  if (/no such (file|device)|file not found|ENOENT|ENXIO|ENODEV/i.test(said)) {
    return { code: "NO_DOCK", message: `There is no port ${path}. \`dl7450 ports\` lists those that there are.`, cause };
  }
  return { code: "NO_DOCK", message: `${path} can't be opened as a serial port (${said}).`, cause };
}

async function messageOfBusy(path: string): Promise<string> {
  const holder = await holderOf(await realpath(path).catch(() => path));
  if (holder === undefined) return `${path} is in use by another program; close it, then try again.`;
  if (holder.pid === process.pid) return `${path} is in use by this program itself; close it there first.`;
  return `${path} is in use by ${visible(holder.program)} (process ${holder.pid}); close it, then try again.`;
}
