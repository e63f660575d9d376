/** What a mock dock with `--state` still has when its process was killed, and that it is careful with folders. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Dock } from "../src/index.js";
import { Random } from "../src/testing/random.js";
import { codeOf } from "./contract/calls.js";
import { expectAnswers } from "./contract/reading.js";
import { content } from "./contract/writing.js";
import { DiligentWriter } from "./diligent-writer.js";
import { brokenImages, manifestIn, newFolder, unnamedContents } from "./folders.js";
import { type MockDock, startMock, startRefused } from "./mock-dock.js";

/** How often a dock is killed, and the seed of when. */
const ROUNDS = 12;
const SEED = 7_450;

function start(folder: string, ...more: readonly string[]): Promise<MockDock> {
  return startMock("--tcp", "0", "--profile", "development", "--state", folder, ...more);
}

describe("a mock dock that keeps its state", { timeout: 60_000 }, () => {
  test("has runtime and factory after it was killed, as another boot, and nothing ephemeral", async () => {
    const folder = newFolder();
    const before = await withDock(folder, async (dock) => {
      await writeAll(dock);
      return { ...(await dock.info()), all: await seenIn(dock, ["factory", "runtime"]) };
    });
    await withDock(folder, async (dock) => {
      expect((await dock.info()).id).toBe(before.id);
      expect((await dock.info()).bootId).not.toBe(before.bootId);
      expect(await seenIn(dock, ["factory", "runtime"])).toEqual(before.all);
      expect(await seenIn(dock, ["ephemeral"])).toEqual([[], []]);
      expect(await dock.kv.get("key")).toEqual({ in: "runtime" });
      expect(await dock.kv.get("key", { store: "factory" })).toEqual({ in: "factory" });
      expect(content(100_000, "runtime").equals((await dock.images.get("image")).data)).toBe(true);
      expect(content(100_000, "factory").equals((await dock.images.get("image", { store: "factory" })).data)).toBe(true);
    });
  });

  test("has what its own restart and reset left, after it was killed", async () => {
    const folder = newFolder();
    await withDock(folder, async (dock) => {
      await writeAll(dock);
      await dock.restart();
      expect([await dock.kv.get("key"), await dock.kv.list({ store: "ephemeral" })]).toEqual([{ in: "runtime" }, []]);
      await dock.reset();
    });
    await withDock(folder, async (dock) => {
      expect(await seenIn(dock, ["runtime"])).toEqual([[], []]);
      expect(await dock.kv.get("key")).toEqual({ in: "factory" });
    });
  });

  test("ends rather than saying that it has kept what it couldn't, and keeps what it had", async () => {
    const folder = newFolder();
    await withDock(folder, (dock) => dock.kv.set("key", "old", { store: "runtime" }));
    await using mock = await start(folder);
    await using dock = await Dock.open(mock.target);
    mkdirSync(join(folder, "manifest.json.next")); // where the next manifest would be written
    expect(await codeOf(dock.kv.set("key", "new", { store: "runtime" }))).toBe("OUTCOME_UNKNOWN");
    expect(await mock.stop()).toBe(1);
    expect(manifestIn(folder).layers.runtime.keys).toEqual({ key: { value: "old" } });
  });

  test("counts the changes of a layer on from where they were", async () => {
    const folder = newFolder();
    const generation = (): number => manifestIn(folder).layers.runtime.generation;
    await withDock(folder, (dock) => dock.kv.set("key", 1, { store: "runtime" }));
    const before = generation();
    await withDock(folder, async (dock) => {
      await dock.kv.set("key", 1, { store: "runtime" });
      await dock.kv.set("key", 2, { store: "ephemeral" });
      await dock.kv.delete("no such key", { store: "runtime" });
      await dock.transaction("runtime", async (tx) => void (await Promise.all([tx.kv.set("a", 1), tx.kv.set("b", 2)])));
    });
    expect(generation()).toBe(before + 2);
  });

  test("has all that was confirmed, and nothing by halves, whenever it is killed while it is written to", async () => {
    const folder = newFolder();
    const random = new Random(SEED);
    const writer = new DiligentWriter();
    for (let round = 0; round < ROUNDS; round++) {
      const before = writer.confirmed;
      await killedWhileWriting(folder, writer, random.between(20, 250));
      expect(writer.confirmed).toBeGreaterThan(before);
      expect(brokenImages(folder)).toEqual([]);
    }
    await withDock(folder, (dock) => expectAsWritten(folder, writer, dock));
  });

  test("doesn't begin anew where it was: `--data` is for an empty folder", async () => {
    const folder = newFolder();
    const data = join(newFolder(), "dock.json");
    writeFileSync(data, JSON.stringify({ factory: { keys: { timezone: "from the data" } } }));
    await withDock(folder, async (dock) => {
      expect(await dock.kv.get("timezone")).toBe("GMT");
      await dock.kv.set("timezone", "kept", { store: "factory", confirm: dock.name });
    });
    const other = await start(folder, "--data", data);
    await using _mock = other;
    await using dock = await Dock.open(other.target);
    expect(await dock.kv.get("timezone")).toBe("kept");
  });
});

describe("a state folder that a mock dock can't have", () => {
  test("because another one has it: the second ends with an error, and the first goes on", async () => {
    const folder = newFolder();
    await using mock = await start(folder);
    await using dock = await Dock.open(mock.target);
    const { code, errors } = await startRefused("--tcp", "0", "--state", folder);
    expect({ code, saysWhich: errors.includes(folder) }).toEqual({ code: 1, saysWhich: true });
    await dock.kv.set("key", 1, { store: "runtime" });
    expect(manifestIn(folder).layers.runtime.keys).toHaveProperty("key");
    await expectAnswers(dock);
  });

  test("because it holds something else: it ends with an error, and leaves everything", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "thesis.txt"), "ten years of work");
    const { code, errors } = await startRefused("--tcp", "0", "--state", folder);
    expect({ code, saysWhich: errors.includes(folder) }).toEqual({ code: 1, saysWhich: true });
    expect(readdirSync(folder)).toEqual(["thesis.txt"]);
    expect(readFileSync(join(folder, "thesis.txt"), "utf8")).toBe("ten years of work");
  });

  test.for(["content", "manifest"] as const)(
    "because its %s is broken: it ends with an error, and leaves everything",
    async (what) => {
      const folder = newFolder();
      await withDock(folder, (dock) => dock.images.put("image", content(1_000, "image"), { store: "runtime", type: "none" }));
      const { sha256 = "" } = manifestIn(folder).layers.runtime.images.image ?? {};
      const file = what === "content" ? join(folder, "content", sha256) : join(folder, "manifest.json");
      const broken = readFileSync(file);
      broken.writeUInt8(broken.readUInt8(500) ^ 1, 500);
      writeFileSync(file, what === "content" ? broken : broken.subarray(0, -3));
      const before = readdirSync(folder, { recursive: true }).sort();
      const { code, errors } = await startRefused("--tcp", "0", "--state", folder);
      expect({ code, saysWhich: errors.includes(file) }).toEqual({ code: 1, saysWhich: true });
      expect(readdirSync(folder, { recursive: true }).sort()).toEqual(before);
    },
  );
});

/** A dock whose state is in `folder`, for a while; then it is killed. */
async function withDock<T>(folder: string, work: (dock: Dock) => Promise<T>): Promise<T> {
  await using mock = await start(folder);
  await using dock = await Dock.open(mock.target, { reconnect: true });
  const result = await work(dock);
  await dock.close();
  await mock.stop("SIGKILL");
  return result;
}

/** Has the writer look at what is there, then write, and kills the dock once so many messages have passed, in their midst. */
async function killedWhileWriting(folder: string, writer: DiligentWriter, messages: number): Promise<void> {
  await using mock = await start(folder);
  let left = Number.POSITIVE_INFINITY;
  const trace = (): void => {
    if (left-- === 0) mock.process.kill("SIGKILL");
  };
  await using dock = await Dock.open(mock.target, { trace });
  await expectAsWritten(folder, writer, dock);
  left = messages;
  await writer.write(dock);
  expect(await codeOf(dock.info())).toBe("LINK_LOST");
  await mock.stop("SIGKILL"); // which it has been: waits until it has ended
}

async function expectAsWritten(folder: string, writer: DiligentWriter, dock: Dock): Promise<void> {
  expect(await writer.faultsOf(dock)).toEqual([]);
  expect(unnamedContents(folder)).toEqual([]);
}

/** A key and an image in each layer. */
async function writeAll(dock: Dock): Promise<void> {
  for (const store of ["factory", "runtime", "ephemeral"] as const) {
    await dock.kv.set("key", { in: store }, { store, confirm: dock.name });
    await dock.images.put("image", content(100_000, store), { store, confirm: dock.name, type: "none" });
  }
}

async function seenIn(dock: Dock, stores: readonly ("factory" | "runtime" | "ephemeral")[]): Promise<unknown[]> {
  const lists = await Promise.all(
    stores.map(async (store) => [await dock.kv.list({ store }), await dock.images.list({ store })]),
  );
  return lists.flat();
}
