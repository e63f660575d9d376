/** Which serial ports are plugged in, and which of them are docks. */
import { readdir, readFile, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Holder, holdersOf } from "./holder.js";

/** DisplayLink's USB vendor id. */
export const DISPLAYLINK = "17e9";

/** A USB serial port. */
export interface PortInfo {
  /** What to open: `/dev/ttyACM0`, `COM3`. */
  readonly path: string;
  /** USB vendor and product id, four hexadecimal digits in lower case. */
  readonly vendorId: string;
  readonly productId: string;
  /** What the device says of itself; absent when it says nothing. The text is the device's own: don't print it raw. */
  readonly serialNumber?: string;
  readonly manufacturer?: string;
  readonly product?: string;
}

/** A port, and who has it open, as far as that can be seen. */
export interface FoundPort extends PortInfo {
  readonly holder?: Holder;
}

/** A port that is plugged in. */
export interface PluggedPort {
  readonly port: PortInfo;
  /** Another one for each plugging in, also of the same device into the same place. */
  readonly plug: string;
}

/** Whether a port is a DisplayLink device, and so may be a dock. */
export function isDock(port: PortInfo): boolean {
  return port.vendorId === DISPLAYLINK;
}

/** The USB serial ports of this host, ordered by path. On Linux out of `/sys/class/tty`, with or without udev. */
export async function listPorts(): Promise<PortInfo[]> {
  return (await pluggedPorts()).map(({ port }) => port);
}

/** The USB serial ports of this host, and who has them open. */
export async function findPorts(): Promise<FoundPort[]> {
  const ports = await listPorts();
  const holders = await holdersOf(ports.map(({ path }) => path));
  return ports.map((port) => {
    const holder = holders.get(port.path);
    return holder === undefined ? port : { ...port, holder };
  });
}

export async function pluggedPorts(): Promise<PluggedPort[]> {
  return process.platform === "linux" ? pluggedPortsOfSysfs("/sys/class/tty") : pluggedPortsOfSystem();
}

/** The USB serial ports under a folder like `/sys/class/tty`, whose entries are links to devices. */
export async function pluggedPortsOfSysfs(classFolder: string): Promise<PluggedPort[]> {
  const names = await readdir(classFolder).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return []; // a system without
    throw error;
  });
  const ports = await Promise.all(names.map((name) => portOfSysfs(classFolder, name)));
  return ports.filter((port) => port !== undefined).sort(byPath);
}

async function portOfSysfs(classFolder: string, name: string): Promise<PluggedPort | undefined> {
  const deviceOf = (): Promise<string | undefined> => realpath(join(classFolder, name, "device")).catch(() => undefined);
  const device = await deviceOf();
  if (device === undefined || !/\/usb\d+\//.test(device)) return undefined;
  // From the tty up through its interface to the USB device: the first folder that has a vendor id.
  for (let folder = device, up = 0; up < 6 && folder !== "/"; folder = dirname(folder), up++) {
    const vendorId = await attribute(folder, "idVendor");
    const productId = await attribute(folder, "idProduct");
    if (vendorId === undefined || productId === undefined) continue;
    const serialNumber = await attribute(folder, "serial");
    const manufacturer = await attribute(folder, "manufacturer");
    const product = await attribute(folder, "product");
    const port = {
      path: `/dev/${name}`,
      vendorId: vendorId.toLowerCase(),
      productId: productId.toLowerCase(),
      ...(serialNumber === undefined ? {} : { serialNumber }),
      ...(manufacturer === undefined ? {} : { manufacturer }),
      ...(product === undefined ? {} : { product }),
    };
    if ((await deviceOf()) !== device) return undefined; // it has gone meanwhile, and some of this isn't its own
    return { port, plug: `${port.path} ${await attribute(folder, "busnum")} ${await attribute(folder, "devnum")}` };
  }
  return undefined;
}

async function attribute(folder: string, name: string): Promise<string | undefined> {
  const text = await readFile(join(folder, name), "utf8").catch(() => "");
  return text.replace(/\n$/, "") || undefined;
}

async function pluggedPortsOfSystem(): Promise<PluggedPort[]> {
  const { SerialPort } = await import("serialport");
  const ports: PluggedPort[] = [];
  for (const { path, vendorId, productId, serialNumber, manufacturer } of await SerialPort.list()) {
    if (vendorId === undefined || productId === undefined) continue;
    const port = {
      path,
      vendorId: vendorId.toLowerCase(),
      productId: productId.toLowerCase(),
      ...(serialNumber === undefined ? {} : { serialNumber }),
      ...(manufacturer === undefined ? {} : { manufacturer }),
    };
    ports.push({ port, plug: Object.values(port).join(" ") });
  }
  return ports.sort(byPath);
}

function byPath({ port: a }: PluggedPort, { port: b }: PluggedPort): number {
  return a.path.localeCompare(b.path, "en", { numeric: true });
}
