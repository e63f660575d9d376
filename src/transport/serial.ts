/** A serial port, by serialport. */
import { writeSync } from "node:fs";
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
  keepBothWaiting(port);
  writeAtOnce(port);
  watch(port);
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= closePort(port);
    return closed;
  };
  return { kind: "serial", name: path, stream: port, holdsBack: await isPseudoTerminal(path), close };
}

/**
 * Lets reading and writing wait at the same time. serialport's poller, when somebody begins to wait for the one, no longer looks for
 * the other (`Poller::poll` in bindings-cpp 13 starts with the newest event alone): a long write would stand still until
 * something comes in.
 */
function keepBothWaiting({ port: binding }: SerialPort): void {
  if (binding === undefined || !("poller" in binding)) return; // Windows waits in another way
  const { poller } = binding;
  const poll = poller.poll.bind(poller);
  poller.poll = (event = 0) => {
    const reading = poller.listenerCount("readable") > 0 ? READABLE : 0;
    const writing = poller.listenerCount("writable") > 0 ? WRITABLE : 0;
    poll(event | reading | writing);
  };
}

/**
 * Writes what the port takes at once, and waits where it takes no more. serialport has each write done by another thread; going there and
 * back takes longer than the write, which needn't wait: the port is open without blocking. Its `drain`, which isn't used here, no longer
 * waits for a write.
 */
function writeAtOnce({ port: binding }: SerialPort): void {
  if (binding === undefined || !("poller" in binding)) return; // Windows writes in another way
  binding.write = async (bytes) => {
    for (let at = 0; at < bytes.length; ) {
      if (binding.fd === null) throw new Error("Port is not open");
      at += taken(binding.fd, bytes.subarray(at));
      if (at === bytes.length) break;
      await new Promise<void>((resolve, reject) => {
        binding.poller.once("writable", (error) => (error === null ? resolve() : reject(error)));
      });
    }
    await setImmediate(); // the next write leaves a turn to others, even when the port takes everything
  };
}

/** Bytes that a port takes just now. */
function taken(fd: number, bytes: Buffer): number {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "EAGAIN" || error.code === "EINTR")) return 0;
    throw error;
  }
}

/** The poller's events, which are libuv's. */
const READABLE = 1;
const WRITABLE = 2;

/** How often a port is asked whether it is still there, in milliseconds. */
const WATCH = 500;

/**
 * Ends a port that has hung up. serialport misses that when it is just reading: an end of file makes it read again, for ever.
 * What a hung-up port answers to any question is an error of input or output; one that has no modem lines says just that.
 */
function watch(port: SerialPort): void {
  const timer = setInterval(() => {
    if (!port.isOpen) return clearInterval(timer);
    port.get((error) => {
      if (error !== null && /input\/output error|no such device|bad file/i.test(error.message))
        port.destroy(new Error("it has hung up"));
    });
  }, WATCH);
  timer.unref();
  port.once("close", () => clearInterval(timer));
}

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
