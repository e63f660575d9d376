/** What the matchers for docks find, and what they say when a test fails. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import "../src/vitest/register-matchers.js";
import type { ProfileName } from "../mocks/dock.js";
import { Dock, DockError } from "../src/index.js";
import { saveSnapshot } from "../src/snapshot/index.js";
import { codeOf } from "./contract/calls.js";
import { newFolder } from "./folders.js";
import { type Held, ModelDock } from "./model-dock.js";

const PNG = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), Buffer.alloc(3_000, 7)]);
const SHA256 = createHash("sha256").update(PNG).digest("hex");
const OTHER = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), Buffer.alloc(3_000, 9)]);
const NESTED = { list: [1, 2n ** 60n, null], bytes: Uint8Array.of(1, 2), deep: { text: "x" } };
const LAYERS: { readonly [store: string]: Held } = {
  factory: { images: { default: ["png", PNG] }, keys: { timezone: "GMT", one: 1, nested: NESTED } },
  runtime: { images: { logo: ["png", OTHER] }, keys: { room: "4.12", timezone: "CET" } },
};

/** A dock, opened. */
async function opened(profile: ProfileName = "full", layers = LAYERS): Promise<{ bench: ModelDock; dock: Dock }> {
  const bench = await ModelDock.start(profile, layers);
  onTestFinished(() => bench[Symbol.asyncDispose]());
  const dock = await Dock.open(bench.target);
  onTestFinished(() => dock.close());
  return { bench, dock };
}

interface Failure {
  /** Without colours. */
  readonly message: string;
  readonly actual?: unknown;
  readonly expected?: unknown;
}

/** How an expectation fails, which it has to. */
async function failureOf(expecting: () => Promise<void>): Promise<Failure> {
  try {
    await expecting();
  } catch (error) {
    if (error instanceof Error) return { ...error, message: stripVTControlCharacters(error.message) };
  }
  throw new Error("it holds");
}

async function messageOf(expecting: () => Promise<void>): Promise<string> {
  return (await failureOf(expecting)).message;
}

describe("toHaveImage", () => {
  test("holds for an image that is all that is expected, in a layer that may be named", async () => {
    const { dock } = await opened();
    await expect(dock).toHaveImage("default");
    await expect(dock).toHaveImage("default", { type: "png", size: PNG.length, sha256: SHA256, store: "factory" });
    await expect(dock).toHaveImage("default", { sha256: SHA256.toUpperCase() });
    await expect(dock).toHaveImage("default", { data: PNG });
    await expect(dock).toHaveImage("logo", { store: "application" });
    await expect(dock).not.toHaveImage("default", { data: OTHER });
    await expect(dock).not.toHaveImage("default", { store: "runtime" });
    await expect(dock).not.toHaveImage("splash");
  });

  test("takes matchers for what is expected", async () => {
    const { dock } = await opened();
    const sha256 = expect.stringMatching(/^[0-9a-f]{64}$/);
    await expect(dock).toHaveImage("logo", { type: expect.any(String), size: expect.any(Number), sha256 });
    await expect(dock).toHaveImage("logo", { store: expect.stringMatching(/runtime|ephemeral/) });
    await expect(dock).not.toHaveImage("default", { store: expect.stringMatching(/runtime|ephemeral/) });
  });

  test("reads the image where the dock doesn't know its SHA-256, and only if that is expected", async () => {
    const { dock } = await opened();
    const list = dock.images.list.bind(dock.images);
    vi.spyOn(dock.images, "list").mockImplementation(async (options) =>
      (await list(options)).map(({ sha256: _, ...entry }) => entry),
    );
    const before = dock.link.counters.bytesIn;
    await expect(dock).toHaveImage("default", { type: "png" });
    expect(dock.link.counters.bytesIn - before).toBeLessThan(PNG.length);
    await expect(dock).toHaveImage("default", { sha256: SHA256, store: "factory" });
    await expect(dock).not.toHaveImage("default", { data: OTHER });
  });

  test("compares the layer that the dock says where layers can't be named", async () => {
    const { dock } = await opened("preview");
    await expect(dock).toHaveImage("default", { store: "factory", data: PNG });
    expect(await messageOf(() => expect(dock).toHaveImage("default", { store: "runtime" }))).toContain(
      'The dock "RW02-0005" has no image "default" in the layer runtime.\nIt has one in the layer factory.',
    );
  });

  test("tells what differs, of what is expected, and gives vitest both", async () => {
    const { dock } = await opened();
    const { message, actual, expected } = await failureOf(() =>
      expect(dock).toHaveImage("logo", { type: "bmp", size: OTHER.length, store: "runtime" }),
    );
    expect(message).toBe(
      'expect(dock).toHaveImage("logo", {"size": 3008, "store": "runtime", "type": "bmp"})\n\n' +
        'The dock "RW02-0005" has the image "logo" in the layer runtime with type png instead of type bmp.',
    );
    expect({ actual, expected }).toEqual({ actual: { type: "png", size: 3008 }, expected: { type: "bmp", size: 3008 } });
  });

  test("says where it is when it is in another layer, what looks like it, or what there is", async () => {
    const { dock } = await opened();
    const there = () => expect(dock).toHaveImage("default", { store: "application" });
    expect(await messageOf(there)).toContain("in the layer application.\nIt has one in the layer factory.");
    expect(await messageOf(() => expect(dock).toHaveImage("Logos"))).toMatch(/Did you mean "logo"\?$/);
    expect(await messageOf(() => expect(dock).toHaveImage("a splash screen"))).toMatch(/It has "default" and "logo"\.$/);
    const { dock: empty } = await opened("full", {});
    expect(await messageOf(() => expect(empty).toHaveImage("logo"))).toMatch(/It has no images\.$/);
  });

  test("after `not`, says what is there and shouldn't be", async () => {
    const { dock } = await opened();
    const message = await messageOf(() => expect(dock).not.toHaveImage("default", { type: "png" }));
    expect(message).toMatch(/^expect\(dock\)\.not\.toHaveImage\(/);
    expect(message).toMatch(/has the image "default" in the layer factory with type png, and shouldn't\.$/);
  });
});

describe("toHaveKey", () => {
  test("holds for a key with the value, in a layer that may be named", async () => {
    const { dock } = await opened();
    await expect(dock).toHaveKey("timezone");
    await expect(dock).toHaveKey("timezone", "CET");
    await expect(dock).toHaveKey("timezone", "GMT", { store: "factory" });
    await expect(dock).toHaveKey("room", undefined, { store: "application" });
    await expect(dock).not.toHaveKey("timezone", "GMT");
    await expect(dock).not.toHaveKey("room", undefined, { store: "factory" });
    await expect(dock).not.toHaveKey("nothing");
  });

  test("compares values as the dock has them, by the whole of them", async () => {
    const { dock } = await opened();
    await expect(dock).toHaveKey("one", 1n);
    await expect(dock).not.toHaveKey("one", "1");
    await expect(dock).toHaveKey("nested", { deep: { text: "x" }, bytes: Buffer.from([1, 2]), list: [1, 2n ** 60n, null] });
    await expect(dock).not.toHaveKey("nested", { ...NESTED, bytes: Uint8Array.of(1, 3) });
    await expect(dock).not.toHaveKey("nested", { deep: NESTED.deep, bytes: NESTED.bytes });
    await expect(dock).not.toHaveKey("nested", { ...NESTED, list: [1] });
    await expect(dock).not.toHaveKey("nested", { ...NESTED, more: expect.anything() });
    await expect(dock).not.toHaveKey("nested", [NESTED]);
  });

  test("takes matchers for any part of the value", async () => {
    const { dock } = await opened();
    await expect(dock).toHaveKey("timezone", expect.stringMatching(/^C/));
    await expect(dock).toHaveKey("nested", { ...NESTED, bytes: expect.any(Uint8Array), list: [1n, expect.any(BigInt), null] });
    await expect(dock).not.toHaveKey("nested", { ...NESTED, deep: { text: expect.any(Number) } });
    await expect(dock).toHaveKey("nested", expect.objectContaining({ deep: { text: "x" } }));
  });

  test("compares the layer that the dock says where layers can't be named", async () => {
    const { dock } = await opened("preview");
    await expect(dock).toHaveKey("timezone", "GMT", { store: "factory" });
    expect(await messageOf(() => expect(dock).toHaveKey("timezone", "GMT", { store: "runtime" }))).toMatch(
      /no key "timezone" in the layer runtime\.\nIt is in the layer factory, with "GMT"\.$/,
    );
  });

  test("tells the value that is there, and the layer that it is from", async () => {
    const { dock } = await opened();
    const { message, actual, expected } = await failureOf(() => expect(dock).toHaveKey("timezone", "UTC"));
    expect(message).toBe(
      'expect(dock).toHaveKey("timezone", "UTC")\n\n' +
        'The dock "RW02-0005" has the key "timezone" in the layer runtime with "CET" instead of "UTC".',
    );
    expect({ actual, expected }).toEqual({ actual: "CET", expected: "UTC" });
  });

  test("says where it is when it is in another layer, what looks like it, or what there is", async () => {
    const { dock } = await opened();
    const elsewhere = () => expect(dock).toHaveKey("room", "4.12", { store: "factory" });
    expect(await messageOf(elsewhere)).toMatch(/in the layer factory\.\nIt is in the layer runtime, with "4\.12"\.$/);
    expect(await messageOf(() => expect(dock).toHaveKey("timezon"))).toMatch(/Did you mean "timezone"\?$/);
    expect(await messageOf(() => expect(dock).toHaveKey("enrolment"))).toMatch(
      /It has "nested", "one", "room" and "timezone"\.$/,
    );
  });

  test("names some of many keys, and how many there are more", async () => {
    const keys = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`a key of many, ${i}`, i]));
    const { dock } = await opened("full", { runtime: { keys } });
    const message = await messageOf(() => expect(dock).toHaveKey("timezone"));
    expect(message).toMatch(/It has "a key of many, 0", .* and 292 more\.$/);
    expect(message.length).toBeLessThan(400);
  });

  test("prints nothing raw that a dock has", async () => {
    const { dock } = await opened("full", { runtime: { keys: { red: { "\u001b[31m": ["\u202e"] }, "\u001b[2J": 1 } } });
    const different = await failureOf(() => expect(dock).toHaveKey("red", 1));
    expect(different.message).toContain('{"\\u001b[31m": ["\\u202e"]} instead of 1');
    expect(different.actual).toEqual({ "\\x1b[31m": ["\\u{202e}"] });
    expect(await messageOf(() => expect(dock).toHaveKey("timezone"))).toMatch(/It has "\\x1b\[2J" and "red"\.$/);
  });

  test("shows of long values the place where they begin to differ", async () => {
    const long = "m".repeat(3_000);
    const { dock } = await opened("full", { runtime: { keys: { long: `${long}a${long.slice(0, 900)}` } } });
    const { message, actual } = await failureOf(() => expect(dock).toHaveKey("long", `${long}b`));
    expect(message).toMatch(/ with …m{20}am+… instead of …m{20}b"\.$/);
    expect(message.length).toBeLessThan(1_000);
    expect(actual).toBeUndefined();
  });
});

describe("toMatchSnapshotOf", () => {
  async function saved(): Promise<{ bench: ModelDock; dock: Dock; folder: string }> {
    const { bench, dock } = await opened();
    const folder = join(newFolder(), "snapshot");
    await saveSnapshot(dock, folder, { stores: ["factory", "runtime"] });
    return { bench, dock, folder };
  }

  test("holds while nothing differs, in the layers that are asked for", async () => {
    const { bench, dock, folder } = await saved();
    await expect(dock).toMatchSnapshotOf(folder);
    bench.hold("runtime", { keys: { room: "5.01" } });
    await expect(dock).toMatchSnapshotOf(folder, { stores: ["factory"] });
    await expect(dock).not.toMatchSnapshotOf(folder);
  });

  test("has a line for each difference, as the command line prints them", async () => {
    const { bench, dock, folder } = await saved();
    bench.model.deleteImage("runtime", "logo");
    bench.hold("runtime", { keys: { room: "\u001b[31mred" } });
    const message = await messageOf(() => expect(dock).toMatchSnapshotOf(folder));
    const [, , said, , ...lines] = message.split("\n");
    expect(said).toBe(`The dock "RW02-0005" isn't as the snapshot in ${folder}: 2 differences.`);
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      ["layer", "kind", "name", "on the dock", "in the snapshot"],
      ["runtime", "image", "logo", "-", expect.stringMatching(/^png, 3008 bytes, [0-9a-f]{8}…$/)],
      ["runtime", "key", "room", '"\\u001b[31mred"', '"4.12"'],
    ]);
  });

  test("shows the first of many differences, and says how many there are more", async () => {
    const { bench, dock, folder } = await saved();
    bench.hold("runtime", { keys: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`key ${i}`, i])) });
    const message = await messageOf(() => expect(dock).toMatchSnapshotOf(folder));
    expect(message).toContain(": 50 differences.");
    expect(message).toMatch(/\n… and 30 more$/);
  });

  test("after `not`, says which layers are the same", async () => {
    const { dock, folder } = await saved();
    expect(await messageOf(() => expect(dock).not.toMatchSnapshotOf(folder))).toMatch(
      /holds what the snapshot in .* has, in factory and runtime, and shouldn't\.$/,
    );
  });

  test("fails where there is nothing to compare with, after `not` as well", async () => {
    const { dock, folder } = await saved();
    expect(await codeOf(expect(dock).toMatchSnapshotOf(folder, { stores: ["ephemeral"] }))).toBe("USAGE");
    expect(await codeOf(expect(dock).not.toMatchSnapshotOf(join(folder, "nowhere")))).toBe("SNAPSHOT");
  });
});

describe("any of them", () => {
  test("fails with the dock's error, which is no mismatch: after `not` as well", async () => {
    const { bench, dock } = await opened();
    await using _other = await Dock.open(bench.target); // which takes the line
    for (const expected of [expect(dock), expect(dock).not]) {
      expect(await codeOf(expected.toHaveKey("nothing"))).toBe("LINK_LOST");
      expect(await codeOf(expected.toHaveImage("nothing"))).toBe("LINK_LOST");
    }
  });

  test("fails with the mismatch when the dock is lost while it is looked for what helps", async () => {
    const { dock } = await opened();
    vi.spyOn(dock.kv, "list").mockRejectedValue(new DockError({ code: "LINK_LOST", message: "The link was lost." }));
    expect(await messageOf(() => expect(dock).toHaveKey("nothing"))).toMatch(
      /no key "nothing"\.\nWhat else it has couldn't be read: The link was lost\.$/,
    );
  });

  test("goes with resolves, poll and soft, and with the expect of a test", async ({ expect: own }) => {
    const { bench, dock } = await opened();
    await expect(Promise.resolve(dock)).resolves.toHaveKey("timezone");
    await own.soft(dock).toHaveKey("timezone");
    let asked = 0;
    const later = (): Dock => {
      if (++asked === 2) bench.hold("runtime", { keys: { late: 1 } });
      return dock;
    };
    await own.poll(later, { interval: 1 }).toHaveKey("late", 1);
    expect(asked).toBe(2);
  });

  test("can't be part of another expectation, where it would always hold after `not`", async () => {
    const { dock } = await opened();
    const inner: unknown = expect.toHaveKey("timezone");
    expect(() => expect({ dock }).toEqual({ dock: inner })).toThrow("can't be part of another expectation");
  });

  const subjects: [what: string, subject: unknown][] = [
    ["undefined", undefined],
    ["a string", "RW02-0005"],
    ["a promise", Promise.resolve()],
    ["a Map", new Map()],
    ["an object", { name: "RW02-0005" }],
  ];
  test.each(subjects)("is a TypeError for what isn't a dock: %s", async (what, subject) => {
    for (const expected of [expect(subject), expect(subject).not]) {
      for (const call of [expected.toHaveImage, expected.toHaveKey, expected.toMatchSnapshotOf]) {
        const failing = async (): Promise<void> => call.call(expected, "default");
        await expect(failing()).rejects.toThrow(TypeError);
        await expect(failing()).rejects.toThrow(`is for a Dock, and was given ${what}.`);
      }
    }
  });
});

type Expected = ReturnType<typeof expect<Dock>>;

describe("what makes no sense is a TypeError, which says what does", () => {
  const calls: [said: string, call: (expected: Expected) => Promise<void>][] = [
    // @ts-expect-error there is no such option
    ['no option "sha265": .* Did you mean sha256', (it) => it.toHaveImage("a", { sha265: SHA256 })],
    ["`sha256` is 64 hexadecimal digits", (it) => it.toHaveImage("a", { sha256: SHA256.slice(1) })],
    // @ts-expect-error bytes are `data`
    ["`sha256` is .*the bytes of an image are `data`", (it) => it.toHaveImage("a", { sha256: PNG })],
    // @ts-expect-error it isn't bytes
    ["`data` is a Uint8Array, and was given as a string", (it) => it.toHaveImage("a", { data: "PNG" })],
    ["`data` and `sha256` say the same", (it) => it.toHaveImage("a", { data: PNG, sha256: SHA256 })],
    ["`data` has 3008 bytes, and `size` is 5", (it) => it.toHaveImage("a", { data: PNG, size: 5 })],
    // @ts-expect-error there is no such type
    ['`type` is one of png, bmp, jpeg, none, .* "gif"', (it) => it.toHaveImage("a", { type: "gif" })],
    ["`size` is a whole number of bytes, .* -1", (it) => it.toHaveImage("a", { size: -1 })],
    // @ts-expect-error it would be compared with nothing
    ["`size` is undefined", (it) => it.toHaveImage("a", { size: undefined })],
    // @ts-expect-error there is no such layer
    ['`store` is one of ephemeral, .* "rom"', (it) => it.toHaveImage("a", { store: "rom" })],
    // @ts-expect-error options are one object
    ["1 more than it takes", (it) => it.toHaveImage("a", { type: "png" }, { store: "factory" })],
    // @ts-expect-error it isn't text
    ["takes a key, and was given a number", (it) => it.toHaveKey(1)],
    ["was given undefined, which is no value", (it) => it.toHaveKey("a", undefined)],
    ["takes the layer after the value", (it) => it.toHaveKey("a", { store: "runtime" })],
    // @ts-expect-error there is no such layer
    ['`store` is one of .* "rom"', (it) => it.toHaveKey("a", 1, { store: "rom" })],
    // @ts-expect-error it isn't an object
    ["takes an object with store, and was given a string", (it) => it.toHaveKey("a", 1, "runtime")],
    ["takes the folder of a snapshot", (it) => it.toMatchSnapshotOf("")],
    ["`stores` is an array of at least one layer", (it) => it.toMatchSnapshotOf("a", { stores: [] })],
    // @ts-expect-error there is no such layer
    ['`stores` has layers, .* "rom"', (it) => it.toMatchSnapshotOf("a", { stores: ["rom"] })],
  ];
  test.each(calls)("%s", async (said, call) => {
    const { dock } = await opened();
    for (const expected of [expect(dock), expect(dock).not]) {
      const failing = async (): Promise<void> => call(expected);
      await expect(failing()).rejects.toThrow(TypeError);
      await expect(failing()).rejects.toThrow(new RegExp(said));
    }
  });

  test("and is USAGE where the driver says so: names and values that no dock can have", async () => {
    const { dock } = await opened();
    expect(await codeOf((async () => expect(dock).not.toHaveKey(""))())).toBe("USAGE");
    expect(await codeOf((async () => expect(dock).not.toHaveImage("\0"))())).toBe("USAGE");
    const dated = async (): Promise<void> => expect(dock).not.toHaveKey("a", [expect.any(String), { at: new Date(0) }]);
    await expect(dated()).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining("value[1].at: a Date") });
    const round: unknown[] = [];
    round.push(round);
    expect(await codeOf((async () => expect(dock).not.toHaveKey("a", round))())).toBe("USAGE");
  });
});
