/** SPEC §3.1, §3.3, §7.2 and §9.2: the welcome, and `dock.info`. */
import { expect } from "vitest";
import { codeOf } from "./calls.js";
import { contractTest } from "./contract-test.js";
import { expectAnswers } from "./reading.js";
import { Wire } from "./wire.js";

/** The ranges of SPEC §9.2. */
const RANGES = {
  maxBody: [512, 65_536],
  window: [512, 2 ** 32 - 1],
  requests: [1, 1_024],
  streams: [1, 64],
  tagBytes: [1, 255],
  keyBytes: [1, 255],
  valueBytes: [1, 65_000],
  pageBytes: [512, 65_000],
} as const;

export function identity(): void {
  contractTest("info says what the welcome said", async ({ open }) => {
    const wire = new Wire();
    const dock = await open(wire.options);
    const { welcome } = wire;
    const { id, name, model, bootId, features, stores } = await dock.info();
    expect({ id, name, model }).toEqual(welcome.dock);
    expect(bootId).toBe(Buffer.from(welcome.bootId).toString("hex"));
    expect(features.toSorted()).toEqual(welcome.features.toSorted());
    expect(stores.map(({ store }) => store).toSorted()).toEqual(welcome.stores.toSorted());
  });

  contractTest("the dock's properties are those of the welcome", async ({ open }) => {
    const wire = new Wire();
    const dock = await open(wire.options);
    const { dock: it, features, stores, limits } = wire.welcome;
    expect({ id: dock.id, name: dock.name }).toEqual({ id: it.id, name: it.name });
    expect({ features: dock.features, stores: dock.stores, limits: dock.limits }).toEqual({ features, stores, limits });
  });

  contractTest("it has an id, and no text is longer than the protocol has it", async ({ dock }) => {
    const { id, name, model, firmware, sdk } = await dock.info();
    expect(id).not.toBe("");
    const bytes = Object.entries({ id, name, model, firmware, sdk }).map(([key, text]) => [key, Buffer.byteLength(text)]);
    const { id: ofId = 0, name: ofName = 0, ...others } = Object.fromEntries(bytes);
    expect(Math.max(ofId, ofName)).toBeLessThanOrEqual(64);
    expect(Math.max(...Object.values(others).map(Number))).toBeLessThanOrEqual(32);
  });

  contractTest("its code has a size and a CRC-32, or it says that it can't tell", { tags: ["code"] }, async ({ dock }) => {
    const asked = dock.code();
    if (!dock.features.includes("code")) return expect(await codeOf(asked)).toBe("UNSUPPORTED");
    const { size, crc32 } = await asked;
    expect(size).toBeGreaterThanOrEqual(0);
    expect(crc32).toBe(crc32 >>> 0);
  });

  contractTest.for(Object.entries(RANGES))("the limit %s is in its range", async ([name, [least, most]], { dock }) => {
    const limits = new Map<string, number>(Object.entries(dock.limits));
    expect(limits.get(name)).toBeGreaterThanOrEqual(least);
    expect(limits.get(name)).toBeLessThanOrEqual(most);
  });

  contractTest("each feature is announced once, and so is each of one to three layers", async ({ dock }) => {
    expect(new Set(dock.features).size).toBe(dock.features.length);
    expect(new Set(dock.stores).size).toBe(dock.stores.length);
    expect(["factory", "runtime", "ephemeral"]).toEqual(expect.arrayContaining([...dock.stores]));
    expect(dock.stores).not.toEqual([]);
  });

  contractTest("no layer uses more than its capacity", async ({ dock }) => {
    const { stores } = await dock.info();
    expect(stores.filter(({ used, capacity }) => used > capacity)).toEqual([]);
  });

  contractTest("time goes on and the boot stays the same from one info to the next", async ({ dock }) => {
    const earlier = await dock.info();
    const later = await dock.info();
    expect(later.bootId).toBe(earlier.bootId);
    expect(later.uptimeMs).toBeGreaterThanOrEqual(earlier.uptimeMs);
  });

  contractTest("it logs only when it has announced that it does", { tags: ["log"] }, async ({ open }) => {
    const levels: string[] = [];
    const dock = await open({ onLog: (level) => void levels.push(level) });
    await expectAnswers(dock);
    if (!dock.features.includes("log")) expect(levels).toEqual([]);
    expect(["debug", "info", "warning", "error"]).toEqual(expect.arrayContaining(levels));
  });
}
