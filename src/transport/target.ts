/** Turns what a user names, such as `id:RW02-0005`, into an open line. */
import { realpath } from "node:fs/promises";
import { isDock, listPorts, type PortInfo } from "../discovery.js";
import { DockError } from "../errors.js";
import { quoted, visible } from "../visible.js";
import { openTcp, type TcpAddress } from "./tcp.js";
import type { Transport } from "./transport.js";

/** Where a dock is. */
export type Target =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "id"; readonly serialNumber: string }
  | { readonly kind: "tcp"; readonly address: TcpAddress }
  | { readonly kind: "mock"; readonly profile: MockProfile }
  | { readonly kind: "only" };

const MOCK_PROFILES = ["full", "preview", "development"] as const;
type MockProfile = (typeof MOCK_PROFILES)[number];

export interface TargetOptions {
  /** Bits per second of a UART. */
  readonly baudRate: number;
  /** Longest time to open, in milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal;
  /** How to find the plugged-in ports. */
  readonly ports?: () => Promise<readonly PortInfo[]>;
}

/**
 * Reads a target: a path (`/dev/ttyACM0`, `COM3`), `id:SERIAL` (a USB serial number), `tcp://HOST:PORT`, `mock:` or
 * `mock:preview`. Nothing, or an empty text, is the one dock there is. Fails with `USAGE`.
 */
export function parseTarget(text: string | undefined): Target {
  if (text === undefined || text === "") return { kind: "only" };
  if (text.startsWith("id:")) {
    const serialNumber = text.slice("id:".length);
    if (serialNumber === "") throw usage("id: needs a USB serial number, as in id:RW02-0005.");
    return { kind: "id", serialNumber };
  }
  if (text.startsWith("mock:")) return { kind: "mock", profile: mockProfile(text.slice("mock:".length)) };
  if (text.startsWith("tcp://")) return { kind: "tcp", address: tcpAddress(text) };
  if (/^[a-z0-9+.-]+:\/\//i.test(text) || text.includes("\0")) {
    throw usage(`${quoted(text)} is no target: give a path, id:SERIAL, tcp://HOST:PORT or mock:.`);
  }
  return { kind: "path", path: text };
}

/** Opens a target, or fails with `NO_DOCK`, `SEVERAL_DOCKS`, `BUSY`, `PERMISSION`, `TIMEOUT` or `ABORTED`. */
export async function openTarget(target: Target, options: TargetOptions): Promise<Transport> {
  switch (target.kind) {
    case "path":
      return openPath(target.path, options);
    case "id":
      return openPath(await pathOfSerialNumber(target.serialNumber, options.ports ?? listPorts), options);
    case "tcp":
      return openTcp(target.address, options.timeout, options.signal);
    case "mock": {
      const { openMock } = await import("./mock.js");
      return openMock(["--profile", target.profile], options.timeout, options.signal);
    }
    case "only":
      return openPath(await pathOfOnlyDock(options.ports ?? listPorts), options);
  }
}

/**
 * How to find again what was opened at `opened`: by its USB serial number where it has one, since what is plugged back in may come
 * under another path.
 */
export async function targetAgain(target: Target, opened: string, ports = listPorts): Promise<Target> {
  if (target.kind !== "path" && target.kind !== "only") return target;
  const real = await realpath(opened).catch(() => opened);
  const { serialNumber } = (await ports()).find(({ path }) => path === real) ?? {};
  return serialNumber === undefined ? { kind: "path", path: opened } : { kind: "id", serialNumber };
}

async function openPath(path: string, { baudRate }: TargetOptions): Promise<Transport> {
  const { openSerial } = await import("./serial.js"); // loads a native module: only for who needs it
  return openSerial(path, baudRate);
}

async function pathOfSerialNumber(serialNumber: string, ports: () => Promise<readonly PortInfo[]>): Promise<string> {
  const found = (await ports()).filter((port) => port.serialNumber === serialNumber);
  const [first] = found;
  if (first === undefined) {
    throw new DockError({
      code: "NO_DOCK",
      message: `No USB serial port with the serial number ${quoted(serialNumber)} is plugged in. \`dl7450 ports\` lists those that are.`,
    });
  }
  if (found.length > 1) throw several(`Several ports have the serial number ${quoted(serialNumber)}`, found);
  return first.path;
}

async function pathOfOnlyDock(ports: () => Promise<readonly PortInfo[]>): Promise<string> {
  const docks = (await ports()).filter(isDock);
  const [first] = docks;
  if (first === undefined) {
    throw new DockError({
      code: "NO_DOCK",
      message:
        "No DisplayLink serial port is plugged in. Name the dock: a path, id:SERIAL, tcp://HOST:PORT, or mock: to try without one.",
    });
  }
  if (docks.length > 1) throw several("Several docks are plugged in", docks);
  return first.path;
}

function several(what: string, ports: readonly PortInfo[]): DockError {
  const candidates = ports.map(({ path, serialNumber }) =>
    serialNumber === undefined ? path : `${path} (id:${visible(serialNumber)})`,
  );
  return new DockError({
    code: "SEVERAL_DOCKS",
    message: `${what}: ${candidates.join(", ")}. Name the one that you mean.`,
    details: { candidates },
  });
}

function mockProfile(text: string): MockProfile {
  const profile = MOCK_PROFILES.find((known) => known === (text === "" ? "full" : text));
  if (profile === undefined)
    throw usage(`A mock dock is mock: or one of ${MOCK_PROFILES.map((it) => `mock:${it}`).join(", ")}.`);
  return profile;
}

function tcpAddress(text: string): TcpAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const port = Number(url?.port);
  if (url === undefined || url.hostname === "" || !(port > 0) || !["", "/"].includes(url.pathname) || url.username !== "") {
    throw usage(`${quoted(text)} is no TCP target: give tcp://HOST:PORT.`);
  }
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port };
}

function usage(message: string): DockError {
  return new DockError({ code: "USAGE", message });
}
