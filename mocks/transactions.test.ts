import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { FailureCode } from "../protocol/index.js";
import { DockModel, PROFILES } from "./dock.js";
import { Refusal } from "./refusal.js";

const CONTENT = Buffer.from("any bytes");
const SHA256 = createHash("sha256").update(CONTENT).digest();

/** A dock that has a key and an image in its runtime layer, made by two changes. */
function dockOf(): DockModel {
  const dock = new DockModel(PROFILES.full, "MOCK-0001", { capacities: { runtime: 40 } });
  dock.setKey("runtime", "old", 1);
  dock.putImage("runtime", "old", "none", CONTENT, SHA256);
  return dock;
}

function namesIn(dock: DockModel): string[] {
  return [...dock.keys("runtime").map(({ key }) => `key ${key}`), ...dock.images("runtime").map(({ tag }) => `image ${tag}`)];
}

function codeOf(act: () => unknown): FailureCode | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.failure.code;
    throw error;
  }
}

test("what is staged isn't seen before the commit, and all of it after, as one change", () => {
  const dock = dockOf();
  const txn = dock.begin("runtime", false);
  expect(dock.setKey("runtime", "new", 1, txn)).toEqual({ generation: 2 });
  expect(dock.putImage("runtime", "new", "none", CONTENT, SHA256, txn)).toEqual({ generation: 2, existed: false });
  expect(dock.deleteKey("runtime", "old", txn)).toEqual({ generation: 2, existed: true });
  expect(dock.deleteKey("runtime", "old", txn)).toEqual({ generation: 2, existed: false });
  expect(namesIn(dock)).toEqual(["key old", "image old"]);
  expect(dock.generation("runtime")).toBe(2);
  expect(dock.commit(txn)).toEqual({ generation: 3 });
  expect(namesIn(dock)).toEqual(["key new", "image new", "image old"]);
  expect([dock.generation("runtime"), dock.used("runtime")]).toEqual([3, 4 + 12 + 12]);
});

test("a write in a transaction finds what the one before it has staged", () => {
  const dock = dockOf();
  const txn = dock.begin("runtime", false);
  expect(dock.deleteImage("runtime", "old", txn).existed).toBe(true);
  expect(dock.putImage("runtime", "old", "none", CONTENT, SHA256, txn).existed).toBe(false);
  expect(dock.putImage("runtime", "old", "none", CONTENT, SHA256, txn).existed).toBe(true);
});

test("with replace nothing is left of what was there", () => {
  const dock = dockOf();
  const txn = dock.begin("runtime", true);
  expect(dock.deleteImage("runtime", "old", txn).existed).toBe(false);
  dock.setKey("runtime", "new", 1, txn);
  dock.commit(txn);
  expect(namesIn(dock)).toEqual(["key new"]);
  expect(dock.used("runtime")).toBe(4);
});

test("what is rolled back was never there", () => {
  const dock = dockOf();
  const txn = dock.begin("runtime", true);
  dock.setKey("runtime", "new", 1, txn);
  dock.rollback(txn);
  expect(namesIn(dock)).toEqual(["key old", "image old"]);
  expect([dock.generation("runtime"), dock.used("runtime")]).toEqual([2, 16]);
});

test("the stage has the room of the layer, checked at each write", () => {
  const dock = dockOf();
  const txn = dock.begin("runtime", false);
  expect(codeOf(() => dock.setKey("runtime", "k", "x".repeat(40), txn))).toBe("NO_SPACE");
  dock.deleteImage("runtime", "old", txn);
  dock.deleteKey("runtime", "old", txn);
  expect(dock.setKey("runtime", "k", "x".repeat(37), txn).generation).toBe(2);
  dock.commit(txn);
  expect(dock.used("runtime")).toBe(40);
});

test("one transaction is open at a time, over all layers", () => {
  const dock = dockOf();
  const txn = dock.begin("runtime", false);
  expect(codeOf(() => dock.begin("ephemeral", false))).toBe("BUSY");
  dock.rollback(txn);
  expect(dock.begin("ephemeral", false)).not.toBe(txn);
});

test("a write beside the transaction is refused on its layer, and done on the others", () => {
  const dock = dockOf();
  const txn = dock.begin("runtime", false);
  expect(codeOf(() => dock.setKey("runtime", "k", 1))).toBe("BUSY");
  expect(codeOf(() => dock.deleteKey("runtime", "old"))).toBe("BUSY");
  expect(codeOf(() => dock.putImage("runtime", "t", "none", CONTENT, SHA256))).toBe("BUSY");
  expect(codeOf(() => dock.deleteImage("runtime", "old"))).toBe("BUSY");
  expect(codeOf(() => dock.setKey("ephemeral", "k", 1))).toBeUndefined();
  expect(codeOf(() => dock.setKey("ephemeral", "k", 1, txn))).toBe("INVALID");
});

describe("a transaction that is over is stale", () => {
  const ends: [string, (dock: DockModel, txn: number) => void][] = [
    ["committed", (dock, txn) => dock.commit(txn)],
    ["rolled back", (dock, txn) => dock.rollback(txn)],
    ["ended with its session", (dock) => dock.rollbackOpen()],
    ["ended by a reset", (dock) => dock.reset()],
    ["ended by a restart", (dock) => dock.restart()],
  ];
  test.each(ends)("%s", (_, end) => {
    const dock = dockOf();
    const txn = dock.begin("runtime", false);
    end(dock, txn);
    expect(codeOf(() => dock.setKey("runtime", "k", 1, txn))).toBe("STALE");
    expect(codeOf(() => dock.reserve("runtime", "k", 1, txn))).toBe("STALE");
    expect(codeOf(() => dock.commit(txn))).toBe("STALE");
    expect(codeOf(() => dock.rollback(txn))).toBe("STALE");
    expect(codeOf(() => dock.setKey("runtime", "k", 1))).toBeUndefined();
    dock.begin("runtime", false);
    expect(codeOf(() => dock.commit(txn))).toBe("STALE");
  });
});

test("a session that ends without a transaction changes nothing", () => {
  const dock = dockOf();
  dock.rollbackOpen();
  expect(dock.generation("runtime")).toBe(2);
});

/** Something in each layer, and a part of an upload. */
function filledDock(): DockModel {
  const dock = new DockModel(PROFILES.development, "MOCK-0001");
  for (const store of ["factory", "runtime", "ephemeral"] as const) {
    dock.setKey(store, store, 1);
    dock.putImage(store, store, "none", CONTENT, SHA256);
  }
  dock.keepPartial(SHA256, 20, CONTENT);
  return dock;
}

test("a reset clears runtime and ephemeral, each as one change, and drops what uploads left", () => {
  const dock = filledDock();
  dock.reset();
  expect(dock.keys().map(({ key }) => key)).toEqual(["factory"]);
  expect(dock.images().map(({ tag }) => tag)).toEqual(["factory"]);
  expect((["factory", "runtime", "ephemeral"] as const).map((store) => [dock.used(store), dock.generation(store)])).toEqual([
    [24, 2],
    [0, 3],
    [0, 3],
  ]);
  expect(dock.takePartial(SHA256, 20)).toBeUndefined();
});

test("a reset of what is empty is no change", () => {
  const dock = new DockModel(PROFILES.full, "MOCK-0001");
  dock.reset();
  expect(dock.generation()).toBe(0);
});

test("a restart forgets ephemeral, tokens and what uploads left, and has another boot id", () => {
  const dock = filledDock();
  const [image] = dock.images("factory");
  if (image === undefined) throw new Error("no image");
  const { bootId } = dock;
  const token = dock.tokenFor(image);
  dock.restart();
  expect(dock.keys().map(({ key }) => key)).toEqual(["factory", "runtime"]);
  expect(dock.images().map(({ tag }) => tag)).toEqual(["factory", "runtime"]);
  expect([dock.used("ephemeral"), dock.generation("ephemeral"), dock.generation("runtime")]).toEqual([0, 0, 2]);
  expect(dock.bootId).toHaveLength(8);
  expect(dock.bootId).not.toEqual(bootId);
  expect(dock.imageOfToken(token)).toBeUndefined();
  expect(dock.takePartial(SHA256, 20)).toBeUndefined();
  dock.reserve("ephemeral", "all", dock.capacity("ephemeral") - 3);
});

test("a restart forgets what was reserved", () => {
  const dock = dockOf();
  dock.reserve("runtime", "a", 20);
  dock.restart();
  dock.reserve("runtime", "a", 20);
});
