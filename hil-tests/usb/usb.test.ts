/** Docks on real USB serial ports: the contract, and what a cable can do. Runs in the VM of `vm.sh`, by `npm run test:usb`. */
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, writeFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { Dock, type OpenOptions } from "../../src/index.js";
import { contract } from "../contract.js";
import { type MockDock, startMock } from "../mock-dock.js";
import { Cable } from "./cable.js";

if (process.env.USB_VM === undefined) throw new Error("these tests need the VM's cables: npm run test:usb");

/** Longest time for one test, in milliseconds: the VM computes some ten times slower than the machine that it is on. */
const TIMEOUT = 120_000;
/** Larger than all that can be on its way: a cable that is pulled in the middle cuts it in two. */
const LARGE = 1_500_000;

const cables = [new Cable(0), new Cable(1)] as const;
const [cable, otherCable] = cables;
const docks: MockDock[] = [];

beforeAll(async () => {
  for (const [i, { dockEnd }] of cables.entries()) docks.push(await startMock("--serial", dockEnd, "--name", `Dock ${i}`));
}, TIMEOUT);

afterAll(async () => {
  for (const dock of docks) await dock.stop();
});

/** The first dock, by its serial number. */
function openDock(options: OpenOptions = {}): Promise<Dock> {
  return Dock.open(`id:${cable.serialNumber}`, { handshakeTimeout: 20_000, ...options });
}

const reconnecting = { reconnect: { timeout: 60_000 }, timeout: 60_000 } satisfies OpenOptions;

describe("a dock on a USB serial port", { timeout: TIMEOUT }, () => {
  contract({
    open: async (options) => Dock.open(await cable.hostEnd(), options),
    complete: false,
    writes: "anything",
    timeout: TIMEOUT,
  });
});

describe("two docks at once", { timeout: TIMEOUT }, () => {
  test("are told apart by their serial numbers, and neither disturbs the other", async () => {
    await using first = await openDock();
    await using second = await Dock.open(`id:${otherCable.serialNumber}`);
    expect([(await first.info()).name, (await second.info()).name]).toEqual(["Dock 0", "Dock 1"]);
    const image = randomBytes(LARGE);
    await first.images.put("both", image, { store: "ephemeral", type: "none" });
    const [kept, stock] = await Promise.all([first.images.get("both"), second.images.get("meeting")]);
    expect(Buffer.compare(kept.data, image)).toBe(0);
    expect(stock.data).toHaveLength(238_514);
  });

  test("without a name it is SEVERAL_DOCKS, which names both", async () => {
    const candidates = await Promise.all(cables.map(async (it) => `${await it.hostEnd()} (id:${it.serialNumber})`));
    await expect(Dock.open()).rejects.toMatchObject({ code: "SEVERAL_DOCKS", details: { candidates } });
  });
});

describe("a cable that is pulled", { timeout: TIMEOUT }, () => {
  /** Pulls the cable now, and has it back at the test's end whatever happens. */
  const pull = async (): Promise<void> => {
    onTestFinished(async () => void (await cable.plug().catch(() => {})));
    await cable.unplug();
  };

  test("while nothing happens is LINK_LOST, and what comes later fails at once", async () => {
    await using dock = await openDock();
    await pull();
    expect(await dock.closed).toMatchObject({ code: "LINK_LOST" });
    await expect(dock.kv.get("timezone")).rejects.toMatchObject({ code: "LINK_LOST" });
    await expect(openDock()).rejects.toMatchObject({ code: "NO_DOCK" });
  });

  test("and put back while nothing happens goes unnoticed with `reconnect`", async () => {
    await using dock = await openDock(reconnecting);
    await pull();
    await cable.plug();
    expect(await dock.kv.get("timezone")).toBe("GMT");
    expect(dock.link.counters.reconnects).toBe(1);
  });

  test("and put back in a list: the list is whole", async () => {
    await using dock = await openDock(reconnecting);
    const keys = Array.from({ length: 60 }, (_, i) => `key ${String(i).padStart(3, "0")}`);
    await dock.transaction("ephemeral", async (tx) => {
      for (const key of keys) await tx.kv.set(key, "x".repeat(200));
    });
    const found: string[] = [];
    for await (const [key] of dock.kv.entries()) {
      if (found.length === 3) {
        await pull();
        await cable.plug();
      }
      if (key.startsWith("key ")) found.push(key);
    }
    expect(found).toEqual(keys);
  });

  test("and put back in a download: it goes on where it was", async () => {
    await using dock = await openDock(reconnecting);
    const image = randomBytes(LARGE);
    await dock.images.put("download", image, { store: "ephemeral", type: "none" });
    const before = dock.link.counters.bytesIn;
    const hash = createHash("sha256");
    let pulled = false;
    let received = 0;
    for await (const chunk of dock.images.stream("download")) {
      hash.update(chunk);
      received += chunk.length;
      if (pulled || received < LARGE / 2) continue;
      pulled = true;
      await pull();
      await cable.plug();
    }
    expect(hash.digest("hex")).toBe(createHash("sha256").update(image).digest("hex"));
    expect(dock.link.counters.bytesIn - before).toBeLessThan(LARGE * 1.4); // and not twice
  });

  test("and put back in an upload: it goes on where it was", async () => {
    await using dock = await openDock(reconnecting);
    const image = randomBytes(LARGE);
    let plugging: Promise<unknown> | undefined;
    const onProgress = ({ sent }: { readonly sent: number }): void => {
      if (sent >= LARGE / 2) plugging ??= pullAndPlug();
    };
    const pullAndPlug = async (): Promise<void> => {
      await cable.unplug();
      await cable.plug();
    };
    await dock.images.put("upload", image, { store: "ephemeral", type: "none", onProgress });
    await plugging;
    expect(plugging).toBeDefined();
    expect(Buffer.compare((await dock.images.get("upload")).data, image)).toBe(0);
    expect(dock.link.counters.uploaded).toBeLessThan(LARGE * 1.4);
  });

  test("in a transaction: it fails, and nothing of it was done", async () => {
    await using dock = await openDock(reconnecting);
    const transaction = dock.transaction("runtime", async (tx) => {
      await tx.kv.set("half", "done");
      await pull();
      await cable.plug();
      await tx.kv.set("other half", "done");
    });
    await expect(transaction).rejects.toMatchObject({ name: "DockError" });
    expect([await dock.kv.get("half"), await dock.kv.get("other half")]).toEqual([undefined, undefined]);
  });

  test("and comes back under another path is found by its serial number", async () => {
    const before = await cable.hostEnd();
    await using dock = await openDock(reconnecting);
    const holder = await open(before, "r+"); // keeps the old name taken
    onTestFinished(() => holder.close());
    await pull();
    const after = await cable.plug();
    expect(after).not.toBe(before);
    expect(await dock.kv.get("timezone")).toBe("GMT");
  });

  test("isn't made up for by another dock", async () => {
    await using dock = await openDock(reconnecting);
    await pull();
    const asked = dock.info();
    expect(await Promise.race([asked, setTimeout(1_500, "waits")])).toBe("waits");
    await cable.plug();
    expect((await asked).name).toBe("Dock 0");
  });

  test("for longer than is waited for is LINK_LOST", async () => {
    await using dock = await openDock({ reconnect: { timeout: 1_000 } });
    await pull();
    expect(await dock.closed).toMatchObject({ code: "LINK_LOST" });
  });

  test("again and again for five seconds: every write is there that was said to be", async () => {
    await using dock = await openDock(reconnecting);
    const until = performance.now() + 5_000;
    let cycles = 0;
    const flapping = (async () => {
      while (performance.now() < until) {
        await cable.unplug();
        await cable.plug();
        await setTimeout(250);
        cycles++;
      }
    })();
    let last = 0;
    for (let i = 1; performance.now() < until; i++) {
      await dock.kv.set("count", i, { store: "runtime" }).then(
        () => (last = i),
        (error: unknown) => expect(error).toMatchObject({ code: "OUTCOME_UNKNOWN" }),
      );
    }
    await flapping;
    expect(cycles).toBeGreaterThan(3);
    expect(last).toBeGreaterThan(0);
    expect(await dock.kv.get("count")).toBeGreaterThanOrEqual(last);
  });
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
    expect(ports).toHaveLength(2);
    expect(ports).toEqual(expect.arrayContaining(await Promise.all(docks)));
    await system("udevadm", "control", "--exit");
    expect(await dl7450("ports", "--json")).toBe(listed);
  });
});

async function system(program: string, ...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(program, [...args])).stdout;
}

function dl7450(...args: readonly string[]): Promise<string> {
  return system(process.execPath, fileURLToPath(new URL("../../dist/bin/dl7450.js", import.meta.url)), ...args);
}
