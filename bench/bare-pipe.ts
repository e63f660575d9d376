/** The host's end of a bare pipe: serialport as it comes, without a protocol. Its other end is `bare-peer.ts`. */
import { SerialPort } from "serialport";

/** Bytes that are written at once, as many as the driver does. */
const WRITE = 32 * 1024;
/** What doesn't come for so long, in milliseconds, is lost; and for so long when nothing has come yet. */
const SILENCE = 1_000;
const FIRST_SILENCE = 30_000;

/** What came of what was asked for. */
export interface Pulled {
  /** Bytes. */
  readonly received: number;
  /** From asking to the last byte. */
  readonly seconds: number;
}

export async function openBarePipe(path: string): Promise<SerialPort> {
  const port = new SerialPort({ path, baudRate: 115_200, autoOpen: false });
  await new Promise<void>((resolve, reject) => port.open((error) => (error === null ? resolve() : reject(error))));
  return port;
}

export function closeBarePipe(port: SerialPort): Promise<void> {
  return new Promise((resolve) => port.close(() => resolve()));
}

/** Asks for bytes, and gives those that came. The reader is busy for `busy` milliseconds after each piece. */
export function pull(port: SerialPort, bytes: number, busy = 0): Promise<Pulled> {
  return ask(port, `${bytes}\n`, bytes, busy);
}

/** Has `bytes` bytes sent there and back. */
export function echo(port: SerialPort, bytes: number): Promise<Pulled> {
  return ask(port, `${"x".repeat(bytes - 1)}\n`, bytes);
}

/** Writes bytes, and waits until the other end has said that it has them all. Gives seconds. */
export async function push(port: SerialPort, bytes: Uint8Array): Promise<number> {
  const arrived = ask(port, `>${bytes.length}\n`, 1);
  for (let at = 0; at < bytes.length; at += WRITE) {
    const goOn = port.write(bytes.subarray(at, at + WRITE));
    if (!goOn) await new Promise<void>((resolve) => port.once("drain", () => resolve()));
  }
  return (await arrived).seconds;
}

async function ask(port: SerialPort, request: string, bytes: number, busy = 0): Promise<Pulled> {
  const since = performance.now();
  let last = since;
  let received = 0;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      port.off("data", take);
      clearInterval(silence);
      resolve();
    };
    const take = (chunk: Buffer): void => {
      last = performance.now();
      received += chunk.length;
      compute(busy);
      if (received >= bytes) done();
    };
    const silence = setInterval(() => {
      if (performance.now() - last > (received > 0 ? SILENCE : FIRST_SILENCE)) done();
    }, SILENCE / 4);
    port.on("data", take);
    port.write(request);
  });
  return { received, seconds: (last - since) / 1e3 };
}

/** Keeps this thread busy for so many milliseconds. */
export function compute(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}
