/** A station, which has docks for tests, by itself: in one process, as nobody uses it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Dock } from "../../src/dock.js";
import { saveSnapshot } from "../../src/snapshot/save.js";
import { parseTarget, placeName } from "../../src/transport/target.js";
import { Lease } from "../../src/vitest/lease.js";
import type { Place } from "../../src/vitest/place.js";
import { Station, type Wish } from "../../src/vitest/station.js";
import { startMock } from "../mock-dock.js";
import { ModelDock } from "../model-dock.js";

const home = mkdtempSync(join(tmpdir(), "dl7450-station-"));

beforeAll(() => {
  process.env.XDG_DATA_HOME = home;
});
afterAll(() => rmSync(home, { recursive: true }));

function wishFor(port: string, given: Partial<Wish> = {}): Wish {
  const { signal } = new AbortController();
  const options = { ports: [port], isolate: "layer", leaseTimeout: 60_000, opening: {} } as const;
  return { test: "1", file: "a.test.ts", isRunning: () => true, ...options, signal, ...given };
}

/** The dock of a test that has begun. */
async function begun(station: Station, wish: Wish): Promise<Place> {
  const taken = await station.beginTest(wish);
  if (taken.kind !== "ready") throw taken.error;
  return taken.places[0];
}

/** A dock that somebody else has. */
async function takenDock(): Promise<{ model: ModelDock; lease: Lease }> {
  const model = await ModelDock.start("full");
  const name = (await placeName(parseTarget(model.target))) ?? "";
  const options = { purpose: "another", run: 1, timeout: 0, onWait: () => {} };
  return { model, lease: await Lease.take(name, join(home, "dl7450/leases"), options) };
}

test("a test that is over doesn't wait for its dock any longer", async () => {
  const { model, lease } = await takenDock();
  await using _ = model;
  const left = new AbortController();
  const station = new Station(() => left.abort());
  const taken = await station.beginTest(wishFor(model.target, { signal: left.signal }));
  expect(taken).toMatchObject({ kind: "failed", error: { code: "ABORTED" }, known: false });
  await lease.release();
  expect(await station.beginTest(wishFor(model.target, { test: "2" }))).toMatchObject({ kind: "ready" });
  await station.release();
});

test("a station that is released doesn't wait for a dock any longer, and takes no other", async () => {
  const { model, lease } = await takenDock();
  await using _ = model;
  const said: string[] = [];
  const station = new Station((text) => {
    said.push(text);
    void station.release();
  });
  expect(await station.beginTest(wishFor(model.target))).toMatchObject({ kind: "failed", error: { code: "ABORTED" } });
  expect(said).toEqual([expect.stringContaining("is taken by process")]);
  await lease.release();
  expect(await station.beginTest(wishFor(model.target))).toMatchObject({ kind: "failed", error: { code: "ABORTED" } });
});

test("what a test has that hasn't ended is put back when its station is released", async () => {
  await using model = await ModelDock.start("full", { runtime: { keys: { a: 1 } } });
  process.env.DL7450_ALLOW_WRITE = "RW02-0005";
  const station = new Station(() => {});
  const { dock } = await begun(station, wishFor(model.target));
  await dock.kv.set("a", 2, { store: "runtime" });
  await station.release();
  expect(model.held("runtime").keys).toEqual({ a: 1 });
  await expect(dock.kv.get("a")).rejects.toMatchObject({ code: "CLOSED" });
});

test("a test's sessions end with it: what it goes on with changes nothing, while its dock is put back and later", async () => {
  await using model = await ModelDock.start("full", { runtime: { keys: { a: 1 } } });
  process.env.DL7450_ALLOW_WRITE = "RW02-0005";
  const station = new Station(() => {});
  const { dock } = await begun(station, wishFor(model.target));
  await dock.kv.set("a", 2, { store: "runtime" });
  let isEnding = true;
  const ended = station.endTest("1", "has passed").finally(() => {
    isEnding = false;
  });
  const lateCodes = new Set<unknown>();
  while (isEnding) {
    await new Promise(setImmediate);
    await dock.kv.set("late", 1, { store: "runtime" }).catch(({ code }) => lateCodes.add(code));
  }
  expect(await ended).toEqual([]);
  expect([...lateCodes]).toEqual(["CLOSED"]);
  const next = await begun(station, wishFor(model.target, { test: "2" }));
  await expect(dock.kv.set("late", 1, { store: "runtime" })).rejects.toMatchObject({ code: "CLOSED" });
  expect((await next.dock.kv.list({ store: "runtime" })).map(({ key }) => key)).toEqual(["a"]);
  await station.release();
  expect(model.held("runtime").keys).toEqual({ a: 1 });
});

test("a test that has ended opens no session, and one that it was opening is closed", async () => {
  await using model = await ModelDock.start("full");
  const station = new Station(() => {});
  const wish = wishFor(model.target, { opening: { reconnect: false } }); // which doesn't wait for a port that is taken
  const open = (await begun(station, wish)).opener();
  const opened = open({});
  const refused = expect(opened).rejects.toMatchObject({ code: "CLOSED" });
  expect(await station.endTest("1", "has failed")).toEqual([]);
  await refused;
  const next = await begun(station, { ...wish, test: "2" });
  await expect(open({})).rejects.toMatchObject({ code: "CLOSED" });
  expect((await next.dock.info()).name).toBe("RW02-0005");
  await station.release();
});

test("another dock in the place of the one that the file began with is refused, also between tests", async () => {
  const model = await ModelDock.start("full");
  process.env.DL7450_ALLOW_WRITE = "RW02-0005";
  const station = new Station(() => {});
  const wish = wishFor(model.target, { opening: { reconnect: false } });
  await begun(station, wish);
  expect(await station.endTest("1", "has passed")).toEqual([]);
  await model[Symbol.asyncDispose]();
  await using _ = await startMock("--tcp", new URL(wish.ports[0] ?? "").port, "--name", "RW02-0006");
  const taken = await station.beginTest({ ...wish, test: "2" });
  expect(taken).toMatchObject({ kind: "failed", error: { code: "NO_DOCK", message: expect.stringContaining('"RW02-0006"') } });
  await station.release();
});

test("a snapshot that can't be carried out fails the test, and one that the dock is as doesn't", async () => {
  await using model = await ModelDock.start("full", { runtime: { keys: { a: 1 } }, factory: { keys: { zone: "GMT" } } });
  const folder = join(home, "snapshot");
  await using dock = await Dock.open(model.target);
  await saveSnapshot(dock, folder);
  await dock.close();
  const wish = wishFor(model.target, { isolate: { snapshot: folder } });
  process.env.DL7450_ALLOW_WRITE = "";
  const station = new Station(() => {});
  await begun(station, wish);
  await station.endTest("1", "has passed");
  await station.release();

  await using changed = await Dock.open(model.target);
  await changed.kv.set("a", 2, { store: "runtime" });
  await changed.close();
  const reading = new Station(() => {});
  expect(await reading.beginTest(wish)).toMatchObject({
    ...{ kind: "failed", known: false },
    error: {
      code: "READ_ONLY",
      message: expect.stringMatching(/runtime, and it is only read: DL7450_ALLOW_WRITE=RW02-0005 would/),
    },
  });
  expect(await reading.beginTest({ ...wish, test: "2" })).toMatchObject({ kind: "failed", known: false });
  await reading.release();
  expect(model.held("runtime").keys).toEqual({ a: 2 });
});
