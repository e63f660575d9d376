/** The docks of the VM, on both cables, and how its tests talk to them. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { Dock, type OpenOptions } from "../../src/index.js";
import { type MockDock, startMock } from "../mock-dock.js";
import { Cable } from "./cable.js";

if (process.env.USB_VM === undefined) throw new Error("these tests need the VM's cables: npm run test:usb");

/** Longest time for one test, in milliseconds: the VM computes many times slower than the machine that it is on. */
export const TIMEOUT = 120_000;
/** How a dock is opened: for the same reason. */
export const OPENING: OpenOptions = { handshakeTimeout: 20_000 };
/** Larger than all that can be on its way: a cable that is pulled in the middle cuts it in two. */
export const LARGE = 1_500_000;

export const cables = [new Cable(0), new Cable(1)] as const;
export const [cable, otherCable] = cables;

/** Has a mock dock on each cable while the tests of a file run: `Dock 0` and `Dock 1`. Gives them, from the first test on. */
export function serveDocks(): readonly MockDock[] {
  const docks: MockDock[] = [];
  beforeAll(async () => {
    for (const [i, { dockEnd }] of cables.entries()) docks.push(await startMock("--serial", dockEnd, "--name", `Dock ${i}`));
  }, TIMEOUT);
  afterAll(async () => {
    for (const dock of docks) await dock.stop();
  });
  return docks;
}

/** The first dock, by its serial number. */
export function openDock(options: OpenOptions = {}): Promise<Dock> {
  return Dock.open(`id:${cable.serialNumber}`, { ...OPENING, ...options });
}

/** Pulls the first dock's cable now, and has it back at the test's end whatever happens. */
export async function pull(): Promise<void> {
  onTestFinished(async () => void (await cable.plug().catch(() => {})));
  await cable.unplug();
}

export async function system(program: string, ...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(program, [...args])).stdout;
}

/** The command line's program. */
export const program = fileURLToPath(new URL("../../dist/bin/dl7450.js", import.meta.url));

export function dl7450(...args: readonly string[]): Promise<string> {
  return system(process.execPath, program, ...args);
}
