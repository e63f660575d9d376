/** Turns what a user names, such as `id:RW02-0005`, into an open line. */
import { realpath } from "node:fs/promises";
import { isDock, listPorts, type PortInfo } from "../discovery.js";
import { DockError } from "../errors.js";
import { quoted, visible } from "../visible.js";
import { mockArguments } from "./mock-target.js";
import type { LineOptions } from "./serial.js";
import { openTcp, type TcpAddress } from "./tcp.js";
import type { Transport } from "./transport.js";

/** Where a dock is. */
export type Target =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "id"; readonly serialNumber: string }
  | { readonly kind: "tcp"; readonly address: TcpAddress }
  | { readonly kind: "mock" /** Of the mock dock's program. */; readonly args: readonly string[] }
  | { readonly kind: "only" };

export interface TargetOptions extends LineOptions {
  /** How to find the plugged-in ports. */
  readonly ports?: () => Promise<readonly PortInfo[]>;
}

/**
 * Reads a target: a path (`/dev/ttyACM0`, `COM3`), `id:SERIAL` (a USB serial number), `tcp://HOST:PORT`, or a mock dock: `mock:`,
 * `mock:preview`, `mock:development`, `mock:micropython`, `mock:FOLDER` (a snapshot), `mock:FILE` (a trace), also with options (`mock:?state=DIR&name=RW02-0005`).
 * Nothing, or an empty text, is the one dock there is. Fails with `USAGE`.
 */
export function parseTarget(text: string | undefined): Target {
  if (text === undefined || text === "") return { kind: "only" };
  if (text.startsWith("id:")) {
    const serialNumber = text.slice("id:".length);
    if (serialNumber === "") throw usage("id: needs a USB serial number, as in id:RW02-0005.");
    return { kind: "id", serialNumber };
  }
  if (text.startsWith("mock:")) return { kind: "mock", args: mockArguments(text.slice("mock:".length)) };
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
      return openPort(await portAt(target.path, options.ports ?? listPorts), options);
    case "id":
      return openPort(await portOfSerialNumber(target.serialNumber, options.ports ?? listPorts), options);
    case "tcp":
      return openTcp(target.address, options.timeout, options.signal);
    case "mock": {
      const { openMock } = await import("./mock.js");
      return openMock(target.args, options.timeout, options.signal);
    }
    case "only":
      return openPort(await portOfOnlyDock(options.ports ?? listPorts), options);
  }
}

/**
 * What tells the place of a dock from others on this host, however it is spelt: the USB serial number where there is one. Nothing for a mock dock, which is
 * its caller's own. Fails with `NO_DOCK` or `SEVERAL_DOCKS`.
 */
export async function placeName(target: Target, ports = listPorts): Promise<string | undefined> {
  switch (target.kind) {
    case "mock":
      return undefined;
    case "tcp":
      return `${target.address.host === "localhost" ? "127.0.0.1" : target.address.host}:${target.address.port}`;
    case "id":
      return target.serialNumber;
    case "path":
    case "only": {
      const { path, serialNumber } = target.kind === "path" ? await portAt(target.path, ports) : await portOfOnlyDock(ports);
      return serialNumber ?? (await realpath(path).catch(() => path));
    }
  }
}

/** Where a dock is for as long as somebody wants it, however often its line is lost. */
export interface LastingPlace {
  /** Opens the line for the first time, as `openTarget` does. */
  open(options: TargetOptions): Promise<Transport>;
  /** Opens another line to the same dock. */
  openAgain(options: TargetOptions): Promise<Transport>;
  /** Sets free what belongs to it. Can be called twice. */
  release(): Promise<void>;
}

/**
 * Finds out how a target can be opened again and again: a port by its USB serial number where it has one, since what is plugged back in may
 * come under another path; a mock dock as the process that it is. Fails as `openTarget` does.
 */
export async function lastingPlace(target: Target, options: TargetOptions): Promise<LastingPlace> {
  const release = async (): Promise<void> => {};
  const ports = options.ports ?? listPorts;
  switch (target.kind) {
    case "mock": {
      const { startMock } = await import("./mock.js");
      const mock = await startMock(target.args, options.timeout, options.signal);
      const open: LastingPlace["open"] = ({ timeout, signal }) => mock.open(timeout, signal);
      return { open, openAgain: open, release: mock.stop };
    }
    case "only":
    case "path": {
      const port = target.kind === "path" ? await portAt(target.path, ports) : await portOfOnlyDock(ports);
      const openAgain: LastingPlace["openAgain"] = async (later) =>
        openPort(await portAgain(port, later.ports ?? listPorts), later);
      return { open: (first) => openPort(port, first), openAgain, release };
    }
    case "id":
    case "tcp": {
      const open: LastingPlace["open"] = (it) => openTarget(target, it);
      return { open, openAgain: open, release };
    }
  }
}

/** A port: of a path that no USB device has, only the path is known. */
type Port = Pick<PortInfo, "path"> & Partial<PortInfo>;

async function openPort(port: Port, options: TargetOptions): Promise<Transport> {
  const { openSerial } = await import("./serial.js"); // loads a native module: only for who needs it
  return openSerial(port.path, options, deviceOf(port));
}

/** What a USB device says that it is; undefined for what is none. */
function deviceOf({ vendorId, productId, manufacturer, product }: Port): string | undefined {
  if (vendorId === undefined || productId === undefined) return undefined;
  const said = [manufacturer, product].filter((it) => it !== undefined).map(visible);
  return [...said, `USB ${vendorId}:${productId}`].join(", ");
}

async function portAt(path: string, ports: () => Promise<readonly PortInfo[]>): Promise<Port> {
  const real = await realpath(path).catch(() => path);
  const listed = await ports().catch(() => []); // it may be opened without
  const port = listed.find((it) => it.path === real);
  return { ...port, path };
}

/** A port that was lost: by its serial number where it has one, and where several have the same, by its path. */
async function portAgain({ path, serialNumber }: Port, ports: () => Promise<readonly PortInfo[]>): Promise<Port> {
  const here = await portAt(path, ports);
  if (serialNumber === undefined || here.serialNumber === serialNumber) return here;
  return portOfSerialNumber(serialNumber, ports);
}

async function portOfSerialNumber(serialNumber: string, ports: () => Promise<readonly PortInfo[]>): Promise<PortInfo> {
  const found = (await ports()).filter((port) => port.serialNumber === serialNumber);
  const [first] = found;
  if (first === undefined) {
    throw new DockError({
      code: "NO_DOCK",
      message: `No USB serial port with the serial number ${quoted(serialNumber)} is plugged in. \`dl7450 ports\` lists those that are.`,
    });
  }
  if (found.length > 1) throw several(`Several ports have the serial number ${quoted(serialNumber)}`, found);
  return first;
}

async function portOfOnlyDock(ports: () => Promise<readonly PortInfo[]>): Promise<PortInfo> {
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
  return first;
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
