/** What is found out of machines that are made up. */
import { describe, expect, test } from "vitest";
import type { FoundPort } from "../discovery.js";
import { DockError } from "../errors.js";
import { visible } from "../visible.js";
import { type Finding, type Machine, machineFindings, type PortChoice, withoutDock } from "./diagnosis.js";

const DOCK: FoundPort = {
  path: "/dev/ttyACM0",
  vendorId: "17e9",
  productId: "6000",
  serialNumber: "RW02-0005",
  product: "DL-7450",
};
const OTHER: FoundPort = { path: "/dev/ttyUSB0", vendorId: "0403", productId: "6001" };
const RULES = `# docks
SUBSYSTEM=="tty", ATTRS{idVendor}=="17e9", \\
  TAG+="uaccess", ENV{ID_MM_DEVICE_IGNORE}="1"
`;

/** One with a dock that can be used, but for what is given. */
function machine(given: Partial<Machine> = {}): Machine {
  return {
    nodeVersion: "20.15.0",
    platform: "linux",
    now: () => 0,
    findPorts: async () => [OTHER, DOCK],
    access: async () => "allowed",
    permissionHint: async () => "",
    runs: async () => false,
    udevRules: async () => [RULES],
    signal: new AbortController().signal,
    ...given,
  };
}

/** Everything that is found, by the name of the check. */
async function findings(given: Partial<Machine>, choice: PortChoice = { kind: "only" }): Promise<Record<string, Finding>> {
  const found: [string, Finding][] = [];
  for await (const finding of machineFindings(machine(given), choice)) found.push([finding.check, finding]);
  expect(found.map(([check]) => check)).toEqual(["node", "port", "permission", "holder", "udev rules", "ModemManager"]);
  for (const [, { said, advice = "" }] of found) expect(visible(said + advice).replaceAll("\\\\", "\\")).toBe(said + advice);
  return Object.fromEntries(found);
}

const withPorts = (...ports: readonly FoundPort[]): Partial<Machine> => ({ findPorts: async () => ports });
const path = (path: string): PortChoice => ({ kind: "path", path });

test("where nothing is wrong, everything is ok", async () => {
  const found = await findings({});
  expect(Object.values(found).map(({ verdict }) => verdict)).toEqual(Array(6).fill("ok"));
  expect(found.port?.said).toBe("/dev/ttyACM0 (USB 17e9:6000, DL-7450, id:RW02-0005)");
});

test.each([
  ["18.20.4", "warning"],
  ["20.14.9", "warning"],
  ["20.15.0", "ok"],
  ["22.0.0", "ok"],
])("Node %s is %s", async (nodeVersion, verdict) => {
  expect((await findings({ nodeVersion })).node).toMatchObject({ verdict, said: `Node ${nodeVersion}` });
});

describe("the port", () => {
  test("of the only dock, of a serial number, of a path is found among the others", async () => {
    for (const choice of [{ kind: "only" }, { kind: "id", serialNumber: "RW02-0005" }, path("/dev/ttyACM0")] as const) {
      expect((await findings({}, choice)).port).toMatchObject({ verdict: "ok", said: expect.stringContaining("/dev/ttyACM0") });
    }
    expect((await findings({}, path("/dev/ttyUSB0"))).port?.said).toBe("/dev/ttyUSB0 (USB 0403:6001)");
  });

  test("that isn't there has failed, and so has nothing that follows", async () => {
    const { port, permission, holder } = await findings(withPorts());
    expect(port).toMatchObject({ verdict: "failed", code: "NO_DOCK", said: "no dock: no USB serial port is plugged in" });
    expect(port?.advice).toContain("container");
    expect([permission?.verdict, holder?.verdict]).toEqual(["skipped", "skipped"]);
  });

  test("that isn't among those that are there has them named", async () => {
    expect((await findings(withPorts(OTHER))).port).toMatchObject({
      code: "NO_DOCK",
      said: "no dock: plugged in: /dev/ttyUSB0 (USB 0403:6001)",
    });
    expect((await findings(withPorts(OTHER), { kind: "id", serialNumber: "X\u001b" })).port).toMatchObject({
      code: "NO_DOCK",
      said: 'none with the serial number "X\\x1b": plugged in: /dev/ttyUSB0 (USB 0403:6001)',
    });
  });

  test("of several docks isn't guessed", async () => {
    const second = { ...DOCK, path: "/dev/ttyACM1" };
    const { port, permission } = await findings(withPorts(DOCK, second));
    expect(port).toMatchObject({ verdict: "failed", code: "SEVERAL_DOCKS", advice: expect.stringContaining("its path") });
    expect(port?.said).toContain("/dev/ttyACM1");
    expect(permission?.verdict).toBe("skipped");
    expect((await findings(withPorts(DOCK, second), { kind: "id", serialNumber: "RW02-0005" })).port?.code).toBe(
      "SEVERAL_DOCKS",
    );
  });

  test("that USB doesn't know of may be used all the same", async () => {
    const { port, permission, holder } = await findings(withPorts(DOCK), path("/dev/ttyS0"));
    expect(port).toMatchObject({
      verdict: "warning",
      said: expect.stringMatching(/^\/dev\/ttyS0 is no USB serial port; plugged in: /),
    });
    expect(permission).toMatchObject({ verdict: "ok", said: "you may open /dev/ttyS0" });
    expect(holder?.verdict).toBe("skipped");
  });

  test("that has no file here isn't forbidden: opening it will tell", async () => {
    const access: Machine["access"] = async () => "missing";
    const { permission, holder } = await findings({ ...withPorts(), access }, path("/dev/nope"));
    expect(permission).toEqual({ check: "permission", verdict: "skipped", said: "there is no /dev/nope here" });
    expect(holder?.verdict).toBe("skipped");
  });

  test("where ports can't be listed, is looked at if its path is known", async () => {
    const findPorts: Machine["findPorts"] = () => Promise.reject(new Error("spawn udevadm\n ENOENT"));
    const { port, permission } = await findings({ findPorts }, path("/dev/ttyACM0"));
    expect(port).toMatchObject({ verdict: "warning", said: "the ports can't be listed: spawn udevadm\\n ENOENT" });
    expect(permission?.verdict).toBe("ok");
    expect((await findings({ findPorts })).permission?.verdict).toBe("skipped");
  });

  test("is of no concern where the target is none", async () => {
    const found = await findings({}, { kind: "none" });
    expect([found.port, found.permission, found.holder].map((it) => it?.verdict)).toEqual(["skipped", "skipped", "skipped"]);
  });

  test("whose names are made to do harm is told with them made visible", async () => {
    const evil = "x\u001b[31m\n\u202e";
    const holder = { pid: 7, program: evil };
    const found = await findings(withPorts({ ...DOCK, path: `/dev/${evil}`, serialNumber: evil, product: evil, holder }));
    expect(found.port?.said).toContain("x\\x1b[31m\\n\\u{202e}");
    expect(found.holder?.said).toContain("x\\x1b[31m\\n\\u{202e}");
  });
});

test("a port that may not be opened has failed, with what there is to do", async () => {
  const access: Machine["access"] = async () => "forbidden";
  const permissionHint = async (path: string): Promise<string> => `join the group of ${path}`;
  expect((await findings({ access, permissionHint })).permission).toEqual({
    check: "permission",
    verdict: "failed",
    said: "you may not open /dev/ttyACM0",
    advice: "join the group of /dev/ttyACM0",
    code: "PERMISSION",
  });
  expect((await findings({ access })).permission).not.toHaveProperty("advice");
});

test("who has the port open is a warning: it may be opened or not", async () => {
  const { holder } = await findings(withPorts({ ...DOCK, holder: { pid: 812, program: "minicom" } }));
  expect(holder).toMatchObject({ verdict: "warning", said: "minicom (process 812) has it open" });
  expect(holder?.advice).toContain("Close it");
});

describe("udev's rules", () => {
  const none = { verdict: "warning", advice: expect.stringContaining("`dl7450 udev`") };

  test("are recommended where there are none", async () => {
    expect((await findings({ udevRules: async () => [] }))["udev rules"]).toMatchObject(none);
  });

  test.each([
    ["that are commented out", RULES.replaceAll(/^(?=\S)/gm, "  # ")],
    [
      "of systemd for a display of the vendor's",
      'SUBSYSTEM=="usb", ATTR{idVendor}=="17e9", ATTR{idProduct}=="401a", ENV{ID_AUTOSEAT}="1"',
    ],
    [
      "of the driver for the vendor's displays",
      'SUBSYSTEM=="usb", ATTRS{idVendor}=="17e9", TAG+="uaccess", RUN+="/opt/displaylink/udev.sh"',
    ],
    ["for serial ports of another vendor", `${RULES.replace("17e9", "0403")}# not 17e9`],
    ["that only ask which mode a port has", 'SUBSYSTEM=="tty", ATTRS{idVendor}=="17e9", MODE=="0660", SYMLINK+="dock"'],
  ])("%s aren't rules for docks", async (_what, rules) => {
    expect((await findings({ udevRules: async () => [rules] }))["udev rules"]).toMatchObject(none);
  });

  test.each([
    ["by a group", 'SUBSYSTEM=="tty", ATTRS{idVendor}=="17E9", GROUP="plugdev"'],
    ["by a mode", 'KERNEL=="ttyACM*", ATTRS{idVendor}=="17e9", MODE := "0666"'],
  ])("may let open docks %s", async (_what, rules) => {
    expect((await findings({ udevRules: async () => ["", rules] }))["udev rules"]?.verdict).toBe("ok");
  });
});

describe("ModemManager", () => {
  const runs = async (program: string): Promise<boolean> => program === "ModemManager";

  test("that runs is a warning, unless the rules keep it away", async () => {
    expect((await findings({ runs })).ModemManager).toMatchObject({ verdict: "ok", said: "runs, and leaves docks alone" });
    for (const udevRules of [async () => [], async () => [RULES.replace(/, ENV.*/, "")]]) {
      const { ModemManager } = await findings({ runs, udevRules });
      expect(ModemManager).toMatchObject({ verdict: "warning", advice: expect.stringContaining("`dl7450 udev`") });
    }
  });

  test("isn't kept away by rules for others", async () => {
    const rules =
      'ATTRS{idVendor}=="0403", ENV{ID_MM_DEVICE_IGNORE}="1"\nSUBSYSTEM=="tty", ATTRS{idVendor}=="17e9", MODE="0666"';
    expect((await findings({ runs, udevRules: async () => [rules] })).ModemManager?.verdict).toBe("warning");
  });
});

test.each(["darwin", "win32"] as const)("on %s there are neither udev's rules nor ModemManager", async (platform) => {
  const found = await findings({ platform, udevRules: async () => [], runs: async () => true });
  expect([found["udev rules"]?.verdict, found.ModemManager?.verdict]).toEqual(["skipped", "skipped"]);
});

test("without a dock the rest is skipped, and why is told on one line", () => {
  const found = [...withoutDock(new DockError({ code: "TIMEOUT", message: "Nothing\nanswered." }))];
  expect(found).toEqual([
    { check: "handshake", verdict: "failed", said: "Nothing\\nanswered.", code: "TIMEOUT" },
    ...["round trip", "line", "features"].map((check) => ({ check, verdict: "skipped", said: "no dock" })),
  ]);
  expect([...withoutDock("x")][0]).toEqual({ check: "handshake", verdict: "failed", said: "x" });
});
