import { execFileSync } from "node:child_process";
import { mkdtemp, open, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { findPorts, isDock, type PortInfo, pluggedPortsOfSysfs } from "./discovery.js";
import { addAdapterPort, addBoardPort, addCdcPort, addVirtualTty } from "./testing/fake-sysfs.js";

const dock = { idVendor: "17e9", idProduct: "6013", manufacturer: "DisplayLink", product: "DL-7450" };

describe("the ports of sysfs", () => {
  test("are the USB serial ports with what their devices say of themselves, and nothing else", async () => {
    const root = await folder();
    await addCdcPort(root, "ttyACM0", "1-2", { ...dock, serial: "RW02-0005" });
    await addAdapterPort(root, "ttyUSB0", "1-3", { idVendor: "0403", idProduct: "6001", serial: "FT12", product: "FT232R" });
    await addBoardPort(root, "ttyS0");
    await addVirtualTty(root, "tty0");
    expect(await portsOf(root)).toEqual([
      {
        path: "/dev/ttyACM0",
        vendorId: "17e9",
        productId: "6013",
        serialNumber: "RW02-0005",
        manufacturer: "DisplayLink",
        product: "DL-7450",
      },
      { path: "/dev/ttyUSB0", vendorId: "0403", productId: "6001", serialNumber: "FT12", product: "FT232R" },
    ]);
  });

  test("are ordered by their numbers", async () => {
    const root = await folder();
    for (const number of [10, 2, 0]) await addCdcPort(root, `ttyACM${number}`, `1-${number + 1}`, dock);
    const ports = await portsOf(root);
    expect(ports.map(({ path }) => path)).toEqual(["/dev/ttyACM0", "/dev/ttyACM2", "/dev/ttyACM10"]);
  });

  test("tell two docks apart by their serial numbers", async () => {
    const root = await folder();
    await addCdcPort(root, "ttyACM0", "1-2", { ...dock, serial: "RW02-0005" });
    await addCdcPort(root, "ttyACM1", "1-4", { ...dock, serial: "RW02-0009" });
    const ports = await portsOf(root);
    expect(ports.map(({ serialNumber }) => serialNumber)).toEqual(["RW02-0005", "RW02-0009"]);
    expect(ports.every(isDock)).toBe(true);
  });

  test.each([
    ["has none", {}],
    ["has an empty one", { serial: "" }],
  ])("leave out a serial number when the device %s; that of the hub isn't taken", async (_, serial) => {
    const root = await folder();
    await addCdcPort(root, "ttyACM0", "1-2", { idVendor: "17E9", idProduct: "6013", ...serial });
    const ports = await portsOf(root);
    expect(ports).toEqual([{ path: "/dev/ttyACM0", vendorId: "17e9", productId: "6013" }]);
  });

  test("keep a serial number with spaces and other letters as it is", async () => {
    const root = await folder();
    await addCdcPort(root, "ttyACM0", "1-2", { ...dock, serial: " Büro 1 " });
    expect((await portsOf(root))[0]?.serialNumber).toBe(" Büro 1 ");
  });

  test("are none where there is no such folder, or a device has just gone", async () => {
    const root = await folder();
    expect(await portsOf(root)).toEqual([]);
    await addCdcPort(root, "ttyACM0", "1-2", dock);
    await rm(join(root, "devices"), { recursive: true });
    expect(await portsOf(root)).toEqual([]);
  });
});

test("a device that goes while it is looked at isn't told, with half of what it says or what its hub says", async () => {
  const root = await folder();
  await addCdcPort(root, "ttyACM0", "1-2", dock);
  const serial = join(dirname(await realpath(join(root, "class/tty/ttyACM0/device"))), "serial");
  execFileSync("mkfifo", [serial]);
  const listing = portsOf(root);
  const writer = await open(serial, "w"); // when it is being read
  await rm(join(root, "class/tty/ttyACM0"));
  await writer.close();
  expect(await listing).toEqual([]);
});

test("a device that is pulled and put back is another plug", async () => {
  const root = await folder();
  const plugs = async (): Promise<string[]> => (await pluggedPortsOfSysfs(join(root, "class/tty"))).map(({ plug }) => plug);
  await addCdcPort(root, "ttyACM0", "1-2", { ...dock, busnum: "1", devnum: "4" });
  await addCdcPort(root, "ttyACM1", "1-3", { ...dock, busnum: "1", devnum: "5" });
  const before = await plugs();
  expect(new Set(before).size).toBe(2);
  expect(await plugs()).toEqual(before);
  await rm(root, { recursive: true });
  await addCdcPort(root, "ttyACM0", "1-2", { ...dock, busnum: "1", devnum: "6" });
  await addCdcPort(root, "ttyACM1", "1-3", { ...dock, busnum: "1", devnum: "5" });
  const after = await plugs();
  expect(after[0]).not.toBe(before[0]);
  expect(after[1]).toBe(before[1]);
});

test("a port is a dock when its device is DisplayLink's", () => {
  expect(isDock({ path: "/dev/ttyACM0", vendorId: "17e9", productId: "0001" })).toBe(true);
  expect(isDock({ path: "/dev/ttyACM0", vendorId: "0403", productId: "6013" })).toBe(false);
});

test("the ports of this computer can be listed, with udev or without", async () => {
  for (const port of await findPorts()) expect(port).toMatchObject({ path: expect.any(String), vendorId: expect.any(String) });
});

async function portsOf(root: string): Promise<PortInfo[]> {
  return (await pluggedPortsOfSysfs(join(root, "class/tty"))).map(({ port }) => port);
}

async function folder(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "dl7450-sysfs-"));
  onTestFinished(() => rm(root, { recursive: true }));
  return root;
}
