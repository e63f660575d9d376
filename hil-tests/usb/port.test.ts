/** A port as the system has it: found, taken, forbidden, gone, wrong, set up otherwise. Runs in the VM of `vm.sh`, by `npm run test:usb`. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { SerialPort } from "serialport";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { Dock, listPorts } from "../../src/index.js";
import { openSerial } from "../../src/transport/serial.js";
import { openTarget } from "../../src/transport/target.js";
import { cable, cables, dl7450, LARGE, openDock, otherCable, program, pull, serveDocks, system, TIMEOUT } from "./docks.js";

const docks = serveDocks();
/** A UART adapter with nothing behind it. */
const ADAPTER = "/dev/ttyUSB0";

describe("discovery", { timeout: TIMEOUT }, () => {
  test("tells the docks that are plugged in, and who has them open", async () => {
    await using dock = await openDock();
    const found = await Dock.discover();
    expect(found.find(({ path }) => path === dock.link.name)?.holder?.pid).toBe(process.pid);
    expect(found.map(({ serialNumber, holder }) => [serialNumber, holder === undefined])).toEqual(
      expect.arrayContaining([
        [cable.serialNumber, false],
        [otherCable.serialNumber, true],
      ]),
    );
    expect(await dl7450("ports")).toMatch(new RegExp(`${dock.link.name} .* \\(${process.pid}\\)\n`));
  });

  test("follows a cable that is pulled and plugged in", async () => {
    const path = await cable.hostEnd();
    const changes = Dock.watch();
    const next = async (): Promise<unknown> => (await changes.next()).value;
    const there = [await next(), await next()]; // the adapter isn't among them
    expect(there).toContainEqual({
      kind: "plugged",
      port: expect.objectContaining({ path, serialNumber: cable.serialNumber }),
    });
    await pull();
    expect(await next()).toMatchObject({ kind: "unplugged", port: { path, serialNumber: cable.serialNumber } });
    const back = await cable.plug();
    expect(await next()).toMatchObject({ kind: "plugged", port: { path: back, serialNumber: cable.serialNumber } });
    await changes.return();
  });

  test("on the command line is a line for each, until it is interrupted", async () => {
    const watching = spawn(process.execPath, [program, "ports", "--watch", "--json", "--quiet"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    onTestFinished(() => void watching.kill("SIGKILL"));
    const lines = createInterface(watching.stdout)[Symbol.asyncIterator]();
    const next = async (): Promise<unknown> => JSON.parse((await lines.next()).value ?? "null");
    const there = [await next(), await next(), await next()];
    expect(there).toContainEqual({ kind: "plugged", port: expect.objectContaining({ path: ADAPTER, dock: false }) });
    await pull();
    expect(await next()).toMatchObject({ kind: "unplugged", port: { serialNumber: cable.serialNumber, dock: true } });
    await cable.plug();
    expect(await next()).toMatchObject({ kind: "plugged", port: { serialNumber: cable.serialNumber, dock: true } });
    watching.kill("SIGINT");
    expect(await once(watching, "exit")).toEqual([130, null]);
  });
});

describe("a port", { timeout: TIMEOUT }, () => {
  test("that another program has is BUSY, and the program is named", async () => {
    const path = await cable.hostEnd();
    const other = spawn("sh", ["-c", `exec 7<>${path}; flock 7; echo taken; exec sleep 100`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void other.kill("SIGKILL"));
    await once(other.stdout, "data");
    await expect(openDock()).rejects.toMatchObject({
      code: "BUSY",
      message: `${path} is in use by sleep (process ${other.pid}); close it, then try again.`,
    });
  });

  test("that the user may not open is PERMISSION, and the group is named that may", async () => {
    const path = await cable.hostEnd();
    const group = (await system("stat", "-c", "%G", path)).trim();
    expect(group).not.toBe("root");
    process.setegid?.(65_534);
    process.seteuid?.(65_534);
    try {
      await expect(Dock.open(path)).rejects.toMatchObject({
        code: "PERMISSION",
        message: expect.stringContaining(`-aG ${group} `),
      });
    } finally {
      process.seteuid?.(0);
      process.setegid?.(0);
    }
  });

  test("that goes between listing and opening is NO_DOCK, with its path", async () => {
    const listed = await listPorts();
    const path = await cable.hostEnd();
    await pull();
    const opening = openTarget(
      { kind: "id", serialNumber: cable.serialNumber },
      { baudRate: 115_200, timeout: 1_000, ports: async () => listed },
    );
    await expect(opening).rejects.toMatchObject({ code: "NO_DOCK", message: expect.stringContaining(path) });
  });

  test("that a terminal has left echoing and translating is set up before a byte is sent", async () => {
    const path = await cable.hostEnd();
    await system("stty", "-F", path, "sane", "echo", "ixon", "ixoff", "-hupcl");
    await using dock = await openDock();
    const modes = (await system("stty", "-F", path, "-a")).split(/[\s;]+/);
    expect(modes).toEqual(
      expect.arrayContaining([
        "-echo",
        "-icanon",
        "-isig",
        "-icrnl",
        "-ixon",
        "-ixoff",
        "-opost",
        "-hupcl",
        "cs8",
        "-parenb",
        "-cstopb",
      ]),
    );
    const every = Buffer.from(Array.from({ length: 256 * 8 }, (_, i) => i));
    await dock.images.put("every byte", every, { store: "ephemeral", type: "none" });
    expect(Buffer.compare((await dock.images.get("every byte")).data, every)).toBe(0);
    expect(dock.link.counters.crc + dock.link.counters.cobs).toBe(0);
  });

  test("has DTR and RTS as it is told", async () => {
    const signals = async (dtr?: boolean, rts?: boolean): Promise<unknown> => {
      const { stream, close } = await openSerial(ADAPTER, { baudRate: 115_200, timeout: 1_000, dtr, rts });
      if (!(stream instanceof SerialPort)) throw new Error("it isn't serialport's");
      const { dtr: hasDtr, rts: hasRts } = linesOf(stream);
      await close();
      return [hasDtr, hasRts];
    };
    expect(await signals()).toEqual([true, true]);
    expect(await signals(false, false)).toEqual([false, false]);
    expect(await signals(false)).toEqual([false, true]);
    expect(await signals(undefined, false)).toEqual([true, false]);
    expect(await signals(true, true)).toEqual([true, true]);
  });

  test("whose device knows no break is USAGE when DTR is to be off, and free again; on it is anyway", async () => {
    await expect(openDock({ dtr: false })).rejects.toMatchObject({ code: "USAGE" });
    await using dock = await openDock({ dtr: true, rts: true });
    expect(await dock.kv.get("timezone")).toBe("GMT");
  });

  test("takes no harm from breaks that the dock's end sends", async () => {
    await using dock = await openDock();
    const image = randomBytes(LARGE);
    await dock.images.put("broken", image, { store: "ephemeral", type: "none" });
    const before = await breaksSeen(dock.link.name);
    const chunks: Uint8Array[] = [];
    let received = 0;
    let breaks: Promise<unknown> | undefined;
    for await (const chunk of dock.images.stream("broken")) {
      chunks.push(chunk);
      received += chunk.length;
      if (received > LARGE / 4) breaks ??= sendBreak(cable.dockEnd);
    }
    await breaks;
    expect(await breaksSeen(dock.link.name)).toBeGreaterThan(before);
    expect(Buffer.compare(Buffer.concat(chunks), image)).toBe(0);
  });
});

describe("bytes", { timeout: TIMEOUT }, () => {
  test("that a client has left on its way when it was killed don't disturb the next one", async () => {
    await using before = await openDock();
    const image = randomBytes(LARGE);
    await before.images.put("left", image, { store: "runtime", type: "none" });
    await before.close();
    for (let i = 0; i < 2; i++) {
      const client = spawn(process.execPath, [program, "--port", await cable.hostEnd(), "image", "get", "left"], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(client.stdout, "data");
      client.kill("SIGKILL");
      await once(client, "exit");
      await using dock = await openDock();
      expect(Buffer.compare((await dock.images.get("left")).data, image)).toBe(0);
    }
  });

  test("that another program takes away are noticed, and come again", async () => {
    await using dock = await openDock();
    const image = randomBytes(LARGE);
    await dock.images.put("stolen", image, { store: "ephemeral", type: "none" });
    const chunks: Uint8Array[] = [];
    let received = 0;
    let thief: ChildProcess | undefined;
    onTestFinished(() => void thief?.kill("SIGKILL"));
    for await (const chunk of dock.images.stream("stolen")) {
      chunks.push(chunk);
      received += chunk.length;
      // It takes no more than so much: somebody has to get something.
      if (received > LARGE / 4) thief ??= spawn("head", ["-c", "50000", dock.link.name], { stdio: "ignore" });
    }
    expect(Buffer.compare(Buffer.concat(chunks), image)).toBe(0);
    expect(dock.link.counters.gaps).toBeGreaterThan(0);
  });
});

describe("a device that isn't a dock, or doesn't speak", { timeout: TIMEOUT }, () => {
  const opening = (): Promise<Dock> => Dock.open(`id:${otherCable.serialNumber}`, { handshakeTimeout: 2_000 });
  const device = "(DisplayLink, DL-7450, USB 17e9:7450)";

  beforeAll(async () => void (await docks[1]?.stop()), TIMEOUT);

  test("but is silent, is NO_ANSWER, and its port is free again", async () => {
    for (let i = 0; i < 2; i++) {
      const message = expect.stringMatching(/^No dock answered at .*Nothing came back/);
      await expect(opening()).rejects.toMatchObject({ code: "NO_ANSWER", message });
    }
  });

  test("but an adapter with nothing behind it, is NO_ANSWER, and named", async () => {
    const opening = Dock.open(ADAPTER, { handshakeTimeout: 2_000 });
    await expect(opening).rejects.toThrow(`No dock answered at ${ADAPTER} (QEMU, QEMU USB SERIAL, USB 0403:6001) within`);
  });

  test("but prints text, is NO_ANSWER with the text, and with what is plugged in there", async () => {
    await served("while echo temperature 21; do sleep 0.1; done >&1");
    await expect(opening()).rejects.toMatchObject({
      code: "NO_ANSWER",
      message: expect.stringMatching(/It only prints text, last: "temperature 21"/),
    });
    await expect(opening()).rejects.toThrow(device);
  });

  test("but answers something else, is NO_ANSWER with how much it was", async () => {
    await served("while head -c 64 /dev/urandom; do sleep 0.1; done >&1");
    await expect(opening()).rejects.toThrow(/\d+ bytes came back, but no welcome: another device/);
  });

  test("but sends back what it gets, is ECHO", async () => {
    await served("exec cat <&1");
    await expect(opening()).rejects.toMatchObject({ code: "ECHO" });
  });

  /** Has a shell command on the second cable's dock end, its descriptor 1, until the test is over. */
  async function served(command: string): Promise<void> {
    const child = spawn("sh", ["-c", `exec 1<>${otherCable.dockEnd} && stty raw -echo <&1 && echo ready >&2 && ${command}`], {
      stdio: ["ignore", "ignore", "pipe"],
      detached: true,
    });
    onTestFinished(async () => {
      const gone = once(child, "exit");
      process.kill(-(child.pid ?? 0), "SIGKILL");
      await gone;
    });
    if (child.stderr === null) throw new Error("a child with a pipe has an output");
    expect(String(await once(child.stderr, "data"))).toBe("ready\n");
  }
});

describe("udev", { timeout: TIMEOUT }, () => {
  test("takes the rules of `dl7450 udev`, after which ModemManager leaves docks alone", async () => {
    const before = await system("udevadm", "info", "--query=property", await cable.hostEnd());
    expect(before).toContain(`ID_SERIAL_SHORT=${cable.serialNumber}`);
    expect(before).not.toContain("ID_MM_DEVICE_IGNORE");
    await mkdir("/run/udev/rules.d", { recursive: true });
    await writeFile("/run/udev/rules.d/60-dl7450.rules", await dl7450("udev"));
    await system("udevadm", "control", "--reload");
    await cable.unplug();
    const path = await cable.plug();
    await system("udevadm", "settle", "--timeout=20");
    const after = await system("udevadm", "info", "--query=property", path);
    expect(after).toContain("ID_MM_DEVICE_IGNORE=1");
    expect(after).toMatch(/TAGS=.*:uaccess:/);
  });

  test("needn't run for ports to be listed", async () => {
    const listed = await dl7450("ports", "--json");
    const docks = cables.map(async (it) => ({
      path: await it.hostEnd(),
      vendorId: "17e9",
      productId: "7450",
      serialNumber: it.serialNumber,
      manufacturer: "DisplayLink",
      product: "DL-7450",
      dock: true,
    }));
    const ports: unknown = JSON.parse(listed);
    expect(ports).toHaveLength(3);
    expect(ports).toEqual(expect.arrayContaining(await Promise.all(docks)));
    onTestFinished(async () => void (await system("/lib/systemd/systemd-udevd", "--daemon")));
    await system("udevadm", "control", "--exit");
    expect(await dl7450("ports", "--json")).toBe(listed);
  });
});

/** DTR and RTS, as the kernel has set them: opening the port another time would raise them. */
function linesOf(port: SerialPort): { dtr: boolean; rts: boolean } {
  const binding = port.port;
  if (binding === undefined || !("fd" in binding) || binding.fd === null) throw new Error("the port isn't open");
  const TIOCMGET = 0x5415;
  const program = `$b = pack("i", 0); ioctl(STDIN, ${TIOCMGET}, $b) or die "$!"; print unpack("i", $b)`;
  const bits = Number(execFileSync("perl", ["-e", program], { stdio: [binding.fd, "pipe", "inherit"] }));
  return { dtr: (bits & 2) !== 0, rts: (bits & 4) !== 0 };
}

async function sendBreak(path: string): Promise<void> {
  await system("perl", "-MPOSIX", "-e", `open(F, "+<", "${path}") or die "$!"; tcsendbreak(fileno(F), 0) or die "$!"`);
}

/** How many breaks the kernel has counted on a port. */
async function breaksSeen(path: string): Promise<number> {
  const TIOCGICOUNT = 0x545d;
  const BREAKS = 9; // its place among the counts
  const counts = `$c = pack("i20", (0) x 20); ioctl(F, ${TIOCGICOUNT}, $c) or die "$!"; print((unpack("i20", $c))[${BREAKS}])`;
  return Number(await system("perl", "-e", `open(F, "+<", "${path}") or die "$!"; ${counts}`));
}
