/** What the driver makes of a line that is cut and of a dock that misbehaves, with processes at both ends. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { Dock, DockError, type OpenOptions } from "../src/index.js";
import { codeOf, costs } from "./contract/calls.js";
import { expectAnswers, whole } from "./contract/reading.js";
import { content } from "./contract/writing.js";
import { manifestIn, newFolder } from "./folders.js";
import { startMock, startRefused } from "./mock-dock.js";

/** An image as large as runtime and factory, in bytes. */
const LARGE = 13_000_000;
/** What may have been on its way when a line is cut, in bytes: what the dock's credit allows. */
const ON_ITS_WAY = 64 * 1024;

function start(...faults: readonly string[]) {
  return startMock("--tcp", "0", ...faults.flatMap((fault) => ["--fault", fault]));
}

function stock(file: string): Buffer {
  return readFileSync(new URL(`../mocks/fixtures/stock/${file}`, import.meta.url));
}

describe("a line that is cut", { timeout: 40_000 }, () => {
  const options: OpenOptions = { reconnect: true };

  test.for([
    ["half way", LARGE, 0.5],
    ["soon", 1_000_000, 0.02],
    ["near the end", 1_000_000, 0.98],
  ] as const)("in an upload, %s, costs what was on its way, and no more: of %i bytes after %f", async ([, size, share]) => {
    await using mock = await start(`cut:at=${size * share},way=toDock,back=50`);
    await using dock = await Dock.open(mock.target, options);
    const bytes = content(size, "cut");
    await dock.images.put("large", bytes, { store: "ephemeral", type: "none" });
    const { reconnects, uploaded } = dock.link.counters;
    expect(reconnects).toBe(1);
    expect(uploaded).toBeGreaterThanOrEqual(size);
    expect(uploaded - size).toBeLessThanOrEqual(ON_ITS_WAY);
    expect(bytes.equals((await dock.images.get("large")).data)).toBe(true);
  });

  test("now and then in a download only holds it up", async () => {
    await using mock = await start("cut:every=400000,way=toHost,back=20,times=4");
    await using dock = await Dock.open(mock.target, options);
    expect((await whole(dock.images.stream("welcome"))).equals(stock("welcome.bmp"))).toBe(true);
    expect(stock("default.png").equals((await dock.images.get("default")).data)).toBe(true);
    expect(dock.link.counters.reconnects).toBeGreaterThan(0);
  });

  test("without `reconnect` ends an upload, which goes on from there in the next session", async () => {
    await using mock = await start("cut:at=600000,way=toDock,back=1");
    const bytes = content(1_000_000, "two sessions");
    const put = async (): Promise<number> => {
      await using dock = await Dock.open(mock.target);
      return (await costs(dock, () => dock.images.put("large", bytes, { store: "ephemeral", type: "none" }))).uploaded;
    };
    expect(await codeOf(put())).toBe("LINK_LOST");
    expect(await put()).toBeLessThanOrEqual(400_000 + ON_ITS_WAY);
    await using dock = await Dock.open(mock.target);
    expect(bytes.equals((await dock.images.get("large")).data)).toBe(true);
  });
});

test("a dock that restarts in the middle of an upload has it in the end, byte for byte", { timeout: 40_000 }, async () => {
  await using mock = await start("restart:at=1500000,way=toDock,ms=20");
  await using dock = await Dock.open(mock.target, { reconnect: true });
  const { bootId } = await dock.info();
  const bytes = content(3_000_000, "restarted");
  await dock.images.put("large", bytes, { store: "ephemeral", type: "none" });
  expect(bytes.equals((await dock.images.get("large")).data)).toBe(true);
  expect((await dock.info()).bootId).not.toBe(bootId);
});

describe("a write whose answer is lost", () => {
  /** Bytes to the host before the answer to a first `kv.set`, and with it: the same each time. */
  let span: { before: number; after: number };
  beforeAll(async () => {
    await using mock = await start();
    await using dock = await Dock.open(mock.target);
    await dock.kv.get("key");
    const before = dock.link.counters.bytesIn;
    await dock.kv.set("key", 0, { store: "runtime" });
    span = { before, after: dock.link.counters.bytesIn };
  });

  test.for([
    ["its first byte is dropped", (): string => `drop:at=${span.before + 3},way=toHost`],
    ["its last byte is dropped", (): string => `drop:at=${span.after - 1},way=toHost`],
    ["the line is cut before it", (): string => `cut:at=${span.before + 1},way=toHost,back=20`],
    ["the line is cut in its middle", (): string => `cut:at=${Math.ceil((span.before + span.after) / 2)},way=toHost,back=20`],
  ] as const)("is carried out once: %s", async ([, fault]) => {
    const folder = newFolder();
    await using mock = await startMock("--tcp", "0", "--state", folder, "--fault", fault());
    await using dock = await Dock.open(mock.target, { reconnect: true });
    await dock.kv.get("key");
    const before = manifestIn(folder).layers.runtime.generation;
    await dock.kv.set("key", "set once", { store: "runtime" });
    const { retries, reconnects } = dock.link.counters;
    expect(retries + reconnects).toBeGreaterThan(0);
    const { generation, keys } = manifestIn(folder).layers.runtime;
    expect({ generation, key: keys.key }).toEqual({ generation: before + 1, key: { value: "set once" } });
  });

  test("on a line that is cut again and again each write is carried out once, and none is lost", async () => {
    const folder = newFolder();
    await using mock = await startMock("--tcp", "0", "--state", folder, "--fault", "cut:every=1500,back=1,times=15");
    await using dock = await Dock.open(mock.target, { reconnect: true });
    const before = manifestIn(folder).layers.runtime.generation;
    const writes = Array.from({ length: 150 }, (_, i) => i);
    for (const i of writes) await dock.kv.set(`key ${i % 10}`, i, { store: "runtime" });
    expect(dock.link.counters.reconnects).toBeGreaterThan(0);
    const { generation, keys } = manifestIn(folder).layers.runtime;
    expect(generation - before).toBe(writes.length);
    expect(Object.values(keys)).toEqual(writes.slice(-10).map((value) => ({ value })));
  });
});

describe("a dock that misbehaves", { timeout: 40_000 }, () => {
  test.for([1, 2, 3])("never gives wrong bytes, however it lies (seed %i)", async (seed) => {
    await using mock = await startMock("--tcp", "0", "--seed", `${seed}`, "--fault", "lie:rate=0.03,times=200");
    const expected = new Map(["default.png", "meeting.jpg"].map((file) => [file.slice(0, -4), stock(file)]));
    const counts = { right: 0, failed: 0 };
    const options: OpenOptions = { timeout: 300, handshakeTimeout: 1_000 };
    for (let round = 0; round < 8; round++) {
      for (const [tag, bytes] of expected) {
        const data = await bytesOrFailure(mock.target, tag, options);
        if (data === undefined) counts.failed += 1;
        else expect({ tag, isRight: bytes.equals(data) }).toEqual({ tag, isRight: true });
        if (data !== undefined) counts.right += 1;
      }
    }
    expect({ ...counts, both: counts.right > 0 && counts.failed > 0 }).toMatchObject({ both: true });
  });

  test.for([
    ["busy:at=1", "BUSY"],
    ["full:at=1", "NO_SPACE"],
  ] as const)("by %s refuses with %s, and nothing is written", async ([fault, code]) => {
    const folder = newFolder();
    await using mock = await startMock("--tcp", "0", "--state", folder, "--fault", fault, "--fault", fault);
    await using dock = await Dock.open(mock.target);
    const before = manifestIn(folder);
    const put = dock.images.put("image", content(10_000, "refused"), { store: "runtime", type: "none" });
    expect(await codeOf(put)).toBe(code);
    expect(await codeOf(dock.kv.set("key", 1, { store: "runtime" }))).toBe(code);
    expect(manifestIn(folder)).toEqual(before);
    expect([await dock.kv.get("key"), await codeOf(dock.images.get("image"))]).toEqual([undefined, "NOT_FOUND"]);
    await dock.kv.set("key", 1, { store: "runtime" });
    await expectAnswers(dock);
  });

  test("of a script's making does what the script says", async () => {
    const script = join(newFolder(), "faults.mjs");
    const refusal = { code: "INTERNAL", message: "the script says no", retryable: true };
    writeFileSync(
      script,
      `export default () => ({
        kind: "scripted",
        say(message, dock) {
          if (message.type !== "result" || message.value.firmware !== undefined) return undefined;
          dock.count();
          return [{ type: "failure", id: message.id, failure: ${JSON.stringify(refusal)} }];
        },
      });`,
    );
    await using mock = await startMock("--tcp", "0", "--fault-script", script, "--report");
    await using dock = await Dock.open(mock.target);
    const { message, ...rest } = refusal;
    await expect(dock.kv.get("timezone")).rejects.toMatchObject({ ...rest, message: expect.stringContaining(message) });
    await expectAnswers(dock);
    await dock.close();
    expect(await mock.stop()).toBe(0);
    expect(mock.output().trim().split("\n").at(-1)).toBe('{"faults":{"scripted":1}}');
  });
});

test.for([
  ["--fault", "nonsense", /drop, flip.*restart.*lie/],
  ["--fault", "drop:often=1", /rate/],
  ["--fault", "drop:rate=2", /rate=2/],
  ["--fault-script", "/nowhere/faults.mjs", /nowhere/],
] as const)("%s %s ends the mock with 1, and it says what there is", async ([option, fault, says]) => {
  const { code, errors } = await startRefused("--tcp", "0", option, fault);
  expect({ code, errors }).toEqual({ code: 1, errors: expect.stringMatching(says) });
});

/** What an image is, or undefined where the driver says that something is wrong. Each time over a line of its own, since a lie may have ended it. */
async function bytesOrFailure(target: string, tag: string, options: OpenOptions): Promise<Uint8Array | undefined> {
  try {
    await using dock = await Dock.open(target, options);
    return (await dock.images.get(tag)).data;
  } catch (error) {
    if (error instanceof DockError) return undefined;
    throw error;
  }
}
