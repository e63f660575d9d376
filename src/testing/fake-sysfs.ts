/** A folder like /sys/class/tty, with the links that a real one has. */
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

const BUS = "devices/pci0000:00/0000:00:14.0/usb1";

/** Attributes of a USB device: `idVendor`, `idProduct`, `serial`, `manufacturer`, `product`. */
export type UsbAttributes = Readonly<Record<string, string>>;

/** A CDC-ACM port, as /dev/ttyACM0: its tty stands in the folder of its interface. */
export async function addCdcPort(root: string, tty: string, usbPort: string, attributes: UsbAttributes): Promise<void> {
  const interfaceFolder = join(root, BUS, usbPort, `${usbPort}:1.0`);
  await addUsbDevice(root, usbPort, attributes);
  await addTty(root, tty, join(interfaceFolder, "tty", tty), interfaceFolder);
}

/** A port of a serial adapter, as /dev/ttyUSB0: between its tty and its interface is one folder more. */
export async function addAdapterPort(root: string, tty: string, usbPort: string, attributes: UsbAttributes): Promise<void> {
  const port = join(root, BUS, usbPort, `${usbPort}:1.0`, tty);
  await addUsbDevice(root, usbPort, attributes);
  await addTty(root, tty, join(port, "tty", tty), port);
}

/** A port of the board, as /dev/ttyS0. */
export async function addBoardPort(root: string, tty: string): Promise<void> {
  const device = join(root, "devices/platform/serial8250");
  await addTty(root, tty, join(device, "tty", tty), device);
}

/** A terminal that is no device, as /dev/tty0. */
export async function addVirtualTty(root: string, tty: string): Promise<void> {
  const folder = join(root, "devices/virtual/tty", tty);
  await mkdir(folder, { recursive: true });
  await link(folder, join(root, "class/tty", tty));
}

async function addUsbDevice(root: string, usbPort: string, attributes: UsbAttributes): Promise<void> {
  const hub = join(root, BUS);
  await write(hub, { idVendor: "1d6b", idProduct: "0002", serial: "0000:00:14.0", product: "xHCI Host Controller" });
  await write(join(hub, usbPort), attributes);
}

async function write(folder: string, attributes: UsbAttributes): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, value] of Object.entries(attributes)) await writeFile(join(folder, name), `${value}\n`);
}

async function addTty(root: string, tty: string, folder: string, device: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await link(device, join(folder, "device"));
  await link(folder, join(root, "class/tty", tty));
}

async function link(to: string, at: string): Promise<void> {
  await mkdir(dirname(at), { recursive: true });
  await symlink(relative(dirname(at), to), at);
}
