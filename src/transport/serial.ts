/** A serial port, by serialport. */
import { realpath } from "node:fs/promises";
import { SerialPort } from "serialport";
import { DockError, type Problem } from "../errors.js";
import type { Transport } from "./transport.js";

/** Bits per second that a UART runs at unless told otherwise; a USB device and a pseudo-terminal don't care. */
export const USUAL_BAUD_RATE = 115_200;

/** Opens a port for itself alone, raw, 8N1, or fails with `NO_DOCK`, `BUSY` or `PERMISSION`. */
export async function openSerial(path: string, baudRate: number): Promise<Transport> {
  // hupcl off: closing the port doesn't drop DTR, at which some adapters reset what is behind them.
  const port = new SerialPort({ path, baudRate, autoOpen: false, lock: true, hupcl: false });
  const failure = await new Promise<Error | null>((resolve) => port.open(resolve));
  if (failure !== null) throw new DockError(problemOfOpening(path, failure));
  return { name: path, stream: port, holdsBack: await isPseudoTerminal(path), close: () => closePort(port) };
}

async function closePort(port: SerialPort): Promise<void> {
  if (!port.isOpen) return;
  // An error here means that the port went away by itself meanwhile, which is what was wanted.
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
    return { code: "BUSY", message: `${path} is in use by another program; close it, then try again.`, retryable: true, cause };
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
