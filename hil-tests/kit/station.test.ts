/** A station, which has docks for tests, by itself: in one process, as nobody uses it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseTarget, placeName } from "../../src/transport/target.js";
import { Lease } from "../../src/vitest/lease.js";
import { Station, type Wish } from "../../src/vitest/station.js";
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
  const taken = await station.beginTest(wishFor(model.target));
  if (taken.kind !== "ready") throw taken.error;
  const { dock } = taken.places[0];
  await dock.kv.set("a", 2, { store: "runtime" });
  await station.release();
  expect(model.held("runtime").keys).toEqual({ a: 1 });
  await expect(dock.kv.get("a")).rejects.toMatchObject({ code: "CLOSED" });
});
