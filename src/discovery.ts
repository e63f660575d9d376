/** Which serial ports are plugged in, and which of them are docks. */
import { readdir, readFile, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";

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

/** Whether a port is a DisplayLink device, and so may be a dock. */
export function isDock(port: PortInfo): boolean {
  return port.vendorId === DISPLAYLINK;
}

/** The USB serial ports of this host, ordered by path. On Linux out of `/sys/class/tty`, with or without udev. */
export async function listPorts(): Promise<PortInfo[]> {
  return process.platform === "linux" ? listPortsOfSysfs("/sys/class/tty") : listPortsOfSystem();
}

/** The USB serial ports under a folder like `/sys/class/tty`, whose entries are links to devices. */
export async function listPortsOfSysfs(classFolder: string): Promise<PortInfo[]> {
  const names = await readdir(classFolder).catch(() => []);
  const ports = await Promise.all(names.map((name) => portOfSysfs(classFolder, name)));
  return ports.filter((port) => port !== undefined).sort(byPath);
}

async function portOfSysfs(classFolder: string, name: string): Promise<PortInfo | undefined> {
  const device = await realpath(join(classFolder, name, "device")).catch(() => undefined);
  if (device === undefined) return undefined;
  // From the tty up through its interface to the USB device: the first folder that has a vendor id.
  for (let folder = device, up = 0; up < 6 && folder !== "/"; folder = dirname(folder), up++) {
    const vendorId = await attribute(folder, "idVendor");
    const productId = await attribute(folder, "idProduct");
    if (vendorId === undefined || productId === undefined) continue;
    const serialNumber = await attribute(folder, "serial");
    const manufacturer = await attribute(folder, "manufacturer");
    const product = await attribute(folder, "product");
    return {
      path: `/dev/${name}`,
      vendorId: vendorId.toLowerCase(),
      productId: productId.toLowerCase(),
      ...(serialNumber === undefined ? {} : { serialNumber }),
      ...(manufacturer === undefined ? {} : { manufacturer }),
      ...(product === undefined ? {} : { product }),
    };
  }
  return undefined;
}

async function attribute(folder: string, name: string): Promise<string | undefined> {
  const text = await readFile(join(folder, name), "utf8").catch(() => "");
  return text.replace(/\n$/, "") || undefined;
}

async function listPortsOfSystem(): Promise<PortInfo[]> {
  const { SerialPort } = await import("serialport");
  const ports: PortInfo[] = [];
  for (const { path, vendorId, productId, serialNumber, manufacturer } of await SerialPort.list()) {
    if (vendorId === undefined || productId === undefined) continue;
    ports.push({
      path,
      vendorId: vendorId.toLowerCase(),
      productId: productId.toLowerCase(),
      ...(serialNumber === undefined ? {} : { serialNumber }),
      ...(manufacturer === undefined ? {} : { manufacturer }),
    });
  }
  return ports.sort(byPath);
}

function byPath(a: PortInfo, b: PortInfo): number {
  return a.path.localeCompare(b.path, "en", { numeric: true });
}
