/** A serial port, by serialport. */
import { readSync, writeSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { setImmediate, setTimeout } from "node:timers/promises";
import { SerialPort } from "serialport";
import { DockError } from "../errors.js";
import { problemOfOpening, saidBy, troubleOf } from "./port-trouble.js";
import type { Transport } from "./transport.js";

/** Bits per second that a UART runs at unless told otherwise; a USB device and a pseudo-terminal don't care. */
export const USUAL_BAUD_RATE = 115_200;

/**
 * How long a port is tried again that is taken, or may not be opened, and how often, in milliseconds. Whoever has just closed it may have a
 * read under way in the kernel, which keeps the lock until it returns; and udev takes a moment to say who may open what was just plugged in.
 */
const SETTLING = { most: 300, every: 20 };

export interface LineOptions {
  /** Bits per second of a UART. */
  readonly baudRate: number;
  /** Whether DTR, and RTS, are on, as opening a port has them; on unless told. */
  readonly dtr?: boolean | undefined;
  readonly rts?: boolean | undefined;
  /** Longest time to open, in milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a port for itself alone, raw, 8N1, or fails with `NO_DOCK`, `BUSY`, `PERMISSION` or `ABORTED`; with `USAGE` when DTR or RTS can't be
 * turned off. Whether closing drops DTR is left to the system, or to who has said `stty -hupcl`.
 * @param device what is plugged in there, for messages
 */
export async function openSerial(path: string, options: LineOptions, device?: string): Promise<Transport> {
  const { baudRate, timeout, signal } = options;
  const port = new SerialPort({ path, baudRate, autoOpen: false, lock: true, hupcl: false });
  const giveUpAt = performance.now() + Math.min(SETTLING.most, timeout);
  for (;;) {
    if (signal?.aborted) {
      throw new DockError({ code: "ABORTED", message: `Opening ${path} was aborted.`, cause: signal.reason });
    }
    const failure = await new Promise<Error | null>((resolve) => port.open(resolve));
    if (failure === null) break;
    if (troubleOf(failure) === "NO_DOCK" || performance.now() > giveUpAt) {
      throw new DockError(await problemOfOpening(path, failure, device));
    }
    await setTimeout(SETTLING.every);
  }
  await setSignals(port, options);
  workAtOnce(port);
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= closePort(port);
    return closed;
  };
  const holdsBack = await isPseudoTerminal(path);
  return { kind: "serial", name: path, ...(device === undefined ? {} : { device }), stream: port, holdsBack, close };
}

/**
 * Has DTR and RTS on or off. Opening a port turns both on, but on Windows. serialport 13 on Linux clears a break before it turns one off: a port
 * whose device knows none, as some of CDC-ACM, refuses that.
 */
async function setSignals(port: SerialPort, { dtr = true, rts = true }: LineOptions): Promise<void> {
  if (dtr && rts && process.platform !== "win32") return;
  const failure = await new Promise<Error | null>((resolve) => port.set({ dtr, rts }, resolve));
  if (failure === null) return;
  await closePort(port);
  const said = saidBy(failure);
  if (!/not supported|inappropriate ioctl|invalid argument/i.test(said)) {
    throw new DockError(await problemOfOpening(port.path, failure));
  }
  const message = `DTR and RTS of ${port.path} can't be turned off (${said}).`;
  throw new DockError({ code: "USAGE", message, cause: failure });
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
      binding.poller.once(event, (error) => {
        if (error === null) resolve();
        else reject("canceled" in error ? error : new Error(HUNG_UP, { cause: error })); // canceled: the port was closed
      });
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
      if (bytes === 0) throw new Error(HUNG_UP);
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

const HUNG_UP = "it has hung up";

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
