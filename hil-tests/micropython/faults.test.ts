/** The agent in MicroPython on lines that lose, change and repeat what passes: what a caller meets. */
import { readFileSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { Dock, type Layer } from "../../src/index.js";
import { codeOf, costs } from "../contract/calls.js";
import { all, expectAnswers, whole } from "../contract/reading.js";
import { Wire } from "../contract/wire.js";
import { content } from "../contract/writing.js";
import { type MockDock, startMock } from "../mock-dock.js";

const STOCK = { default: "default.png", welcome: "welcome.bmp", meeting: "meeting.jpg" };

/** Lines that are bad, but not so bad that nothing gets through. */
const BAD_LINES: readonly (readonly [what: string, ...faults: string[]])[] = [
  ["loses bytes", "drop:rate=2e-5"],
  ["flips bits", "flip:rate=2e-5"],
  ["adds bytes", "insert:rate=2e-5"],
  ["repeats bytes", "duplicate:rate=2e-5"],
  ["repeats frames", "duplicate:rate=0.02,frames"],
  ["cuts frames short", "truncate:rate=0.01"],
  ["joins frames", "merge:rate=0.01"],
  ["has text between frames", "text:rate=0.2"],
  ["is slow to answer", "delay:ms=20"],
  ["stands still now and then", "stall:every=400000,ms=300"],
  [
    "does all of that",
    "drop:rate=1e-5",
    "flip:rate=1e-5",
    "insert:rate=1e-5",
    "duplicate:rate=0.01,frames",
    "merge:rate=0.005",
  ],
];

async function start(profile: "preview" | "full", ...faults: readonly string[]): Promise<MockDock> {
  const given = faults.flatMap((fault) => ["--fault", fault]);
  const mock = await startMock("--engine", "micropython", "--profile", profile, "--tcp", "0", ...given);
  onTestFinished(async () => void (await mock.stop("SIGKILL")));
  return mock;
}

function stock(file: string): Buffer {
  return readFileSync(new URL(`../../mocks/fixtures/stock/${file}`, import.meta.url));
}

async function expectStock(dock: Dock): Promise<void> {
  for (const [tag, file] of Object.entries(STOCK)) {
    expect({ tag, isRight: stock(file).equals((await dock.images.get(tag)).data) }).toEqual({ tag, isRight: true });
  }
}

describe("reading on a line that", { timeout: 40_000 }, () => {
  test.for(BAD_LINES)("%s gives the right bytes", async ([, ...faults]) => {
    const mock = await start("preview", ...faults);
    await using dock = await Dock.open(mock.target);
    await expectStock(dock);
    expect(Object.fromEntries(await all(dock.kv.entries()))).toMatchObject({ timezone: "GMT" });
    await expectAnswers(dock);
  });

  test("is cut now and then is only held up", async () => {
    const mock = await start("preview", "cut:every=400000,way=toHost,back=20,times=4");
    await using dock = await Dock.open(mock.target, { reconnect: true });
    expect((await whole(dock.images.stream("welcome"))).equals(stock("welcome.bmp"))).toBe(true);
    expect(stock("default.png").equals((await dock.images.get("default")).data)).toBe(true);
    expect(dock.link.counters.reconnects).toBeGreaterThan(0);
  });
});

describe("writing on a line that", { timeout: 40_000 }, () => {
  const store: Layer = "runtime";

  test.for(BAD_LINES)("%s is done once", async ([, ...faults]) => {
    const mock = await start("full", ...faults);
    const before = await generationOf(mock);
    await using dock = await Dock.open(mock.target);
    const bytes = content(400_000, "bad line");
    await dock.images.put("image", bytes, { store, type: "none" });
    for (let i = 0; i < 40; i++) await dock.kv.set(`key ${i % 8}`, i, { store });
    for (let i = 0; i < 4; i++) expect(await dock.kv.delete(`key ${i}`, { store })).toBe(true);
    expect(bytes.equals((await dock.images.get("image")).data)).toBe(true);
    await dock.close();
    expect((await generationOf(mock)) - before).toBe(1 + 40 + 4);
    expect(await valuesIn(mock, store)).toEqual({ "key 4": 36, "key 5": 37, "key 6": 38, "key 7": 39 });
  });

  test("is cut again and again is done once", async () => {
    const mock = await start("full", "cut:every=1500,back=1,times=8");
    const before = await generationOf(mock);
    await using dock = await Dock.open(mock.target, { reconnect: true });
    for (let i = 0; i < 150; i++) await dock.kv.set(`key ${i % 10}`, i, { store });
    expect(dock.link.counters.reconnects).toBeGreaterThan(0);
    await dock.close();
    expect((await generationOf(mock)) - before).toBe(150);
    const last = Array.from({ length: 10 }, (_, i) => [`key ${i}`, 140 + i]);
    expect(await valuesIn(mock, store)).toEqual(Object.fromEntries(last));
  });

  test.for([0.02, 0.5, 0.98])("is cut in an upload, at %f of it, costs what was on its way", async (share) => {
    const size = 1_000_000;
    const mock = await start("full", `cut:at=${size * share},way=toDock,back=50`);
    await using dock = await Dock.open(mock.target, { reconnect: true });
    const bytes = content(size, "cut");
    await dock.images.put("large", bytes, { store, type: "none" });
    expect(dock.link.counters.reconnects).toBe(1);
    expect(dock.link.counters.uploaded - size).toBeLessThanOrEqual(64 * 1024);
    expect(bytes.equals((await dock.images.get("large")).data)).toBe(true);
  });

  test("ends for good in an upload leaves what goes on in the next session", async () => {
    const mock = await start("full", "cut:at=600000,way=toDock,back=1");
    const bytes = content(1_000_000, "two sessions");
    const put = async (): Promise<number> => {
      await using dock = await Dock.open(mock.target);
      return (await costs(dock, () => dock.images.put("large", bytes, { store, type: "none" }))).uploaded;
    };
    expect(await codeOf(put())).toBe("LINK_LOST");
    expect(await put()).toBeLessThanOrEqual(400_000 + 64 * 1024);
    await using dock = await Dock.open(mock.target);
    expect(bytes.equals((await dock.images.get("large")).data)).toBe(true);
  });
});

/** The generation of the layer that is written to, over a session of its own. */
async function generationOf({ target }: MockDock): Promise<number> {
  const wire = new Wire();
  await using dock = await Dock.open(target, { ...wire.options, reconnect: true });
  await dock.kv.list({ store: "runtime" });
  const [{ generation } = { generation: Number.NaN }] = wire.results("kv.list");
  return generation;
}

async function valuesIn({ target }: MockDock, store: Layer): Promise<Record<string, unknown>> {
  await using dock = await Dock.open(target, { reconnect: true });
  return Object.fromEntries(await all(dock.kv.entries({ store })));
}
