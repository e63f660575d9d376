/** What the mock dock holds is known to the byte, so what the driver reads off it is compared with that. */
import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { APPLICATION_DATA, Dock, type KvValue } from "../src/index.js";
import { codeOf } from "./contract/calls.js";
import { all, sha256 } from "./contract/reading.js";
import { layeredData, MORE_IMAGES, MORE_KEYS } from "./layered.js";
import { type MockDock, startMock } from "./mock-dock.js";

describe("the stock dock", () => {
  let mock: MockDock;
  beforeAll(async () => {
    mock = await startMock("--name", "RW02-0005");
    return () => mock[Symbol.asyncDispose]();
  });

  test("says the name that it was given, and an id of 64 hexadecimal digits", async () => {
    await using dock = await Dock.open(mock.target);
    const features = ["stores", "log", "write.ephemeral", "write.runtime", "txn", "restart", "reset", "code"];
    expect(dock).toMatchObject({ name: "RW02-0005", features, stores: ["factory", "runtime", "ephemeral"] });
    expect(dock.id).toMatch(/^[0-9a-f]{64}$/);
  });

  test("holds the three images of the fixtures, byte for byte", async () => {
    await using dock = await Dock.open(mock.target);
    const files = {
      default: ["default.png", "png"],
      meeting: ["meeting.jpg", "jpeg"],
      welcome: ["welcome.bmp", "bmp"],
    } as const;
    const expected = Object.entries(files).map(([tag, [file, type]]) => {
      const bytes = readFileSync(new URL(`../mocks/fixtures/stock/${file}`, import.meta.url));
      return { tag, type, size: bytes.length, store: "factory", sha256: sha256(bytes), bytes };
    });
    expect(await dock.images.list()).toEqual(expected.map(({ bytes: _, ...entry }) => entry));
    for (const { tag, bytes } of expected) expect(bytes.equals((await dock.images.get(tag)).data)).toBe(true);
  });

  test("holds three keys, of which the enrolment token is unique per dock", async () => {
    await using dock = await Dock.open(mock.target);
    const token = await dock.kv.get("enrolment_token");
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(await all(dock.kv.entries())).toEqual([
      ["dock_name", "RW02-0005"],
      ["enrolment_token", token],
      ["timezone", "GMT"],
    ]);
    expect(await dock.kv.list()).toEqual([
      { key: "dock_name", store: "factory", bytes: 10, upd: false },
      { key: "enrolment_token", store: "factory", bytes: 45, upd: true },
      { key: "timezone", store: "factory", bytes: 4, upd: false },
    ]);
  });

  test("says the size and the CRC-32 of its application, as binascii.crc32 has it", async () => {
    await using dock = await Dock.open(mock.target);
    const app = readFileSync(new URL("../mocks/fixtures/stock/app.py", import.meta.url));
    expect(await dock.code()).toEqual({ size: app.length, crc32: crc32(app) });
  });

  test("another dock has another id, boot and enrolment token, and doesn't know the first one's image tokens", async () => {
    await using other = await startMock("--name", "RW02-0006", "--profile", "preview");
    await using first = await Dock.open(mock.target);
    await using second = await Dock.open(other.target);
    expect(second).toMatchObject({ name: "RW02-0006", features: [], stores: ["factory"] });
    expect(second.id).not.toBe(first.id);
    expect((await second.info()).bootId).not.toBe((await first.info()).bootId);
    expect(await second.kv.get("enrolment_token")).not.toBe(await first.kv.get("enrolment_token"));
    expect(await codeOf(second.images.get(await first.images.getToken("default")))).toBe("STALE");
  });
});

describe("the layered dock", () => {
  let mock: MockDock;
  beforeAll(async () => {
    const data = layeredData();
    mock = await startMock("--data", data.file);
    return async () => {
      await mock[Symbol.asyncDispose]();
      data.remove();
    };
  });

  const SHADOWED: readonly (readonly [key: string, layers: Record<string, KvValue | undefined>])[] = [
    ["three layers", { ephemeral: "ephemeral", runtime: "runtime", factory: "factory", application: "ephemeral" }],
    ["hidden by empty", { ephemeral: undefined, runtime: "", factory: "factory", application: "" }],
    ["hidden by null", { ephemeral: undefined, runtime: null, factory: "factory", application: null }],
    ["hidden by nothing", { ephemeral: undefined, runtime: undefined, factory: "factory", application: undefined }],
    ["no", { ephemeral: true, runtime: undefined, factory: false, application: true }],
    ["timezone", { ephemeral: undefined, runtime: "CET", factory: "GMT", application: "CET" }],
  ];
  test.for(SHADOWED)("the key %j has the value of each layer", async ([key, layers]) => {
    await using dock = await Dock.open(mock.target);
    const { ephemeral, runtime, factory, application } = layers;
    const get = (store: "ephemeral" | "runtime" | "factory" | "application") => dock.kv.get(key, { store });
    expect({
      ephemeral: await get("ephemeral"),
      runtime: await get("runtime"),
      factory: await get("factory"),
      application: await get(APPLICATION_DATA),
    }).toEqual(layers);
    expect(await dock.kv.get(key)).toEqual([ephemeral, runtime, factory].find((value) => value !== undefined));
    expect(application).toEqual([ephemeral, runtime].find((value) => value !== undefined));
  });

  test.for([
    ["three layers", 1_000, { ephemeral: 1_000, runtime: 2_000, factory: 3_000 }],
    ["hidden by an empty one", 0, { ephemeral: 0, factory: 4_000 }],
    ["hidden by nothing", 5_000, { factory: 5_000 }],
    ["default", 238_514, { runtime: 238_514, factory: 1_192_248 }],
  ] as const)("the image %j has %i bytes, and its own in each layer", async ([tag, size, sizes]) => {
    await using dock = await Dock.open(mock.target);
    expect((await dock.images.get(tag)).data.length).toBe(size);
    for (const store of dock.stores) {
      const expected = new Map<string, number>(Object.entries(sizes)).get(store);
      const length = dock.images.get(tag, { store }).then(({ data }) => data.length);
      if (expected === undefined) expect(await codeOf(length)).toBe("NOT_FOUND");
      else expect(await length).toBe(expected);
    }
  });

  const VALUES: readonly (readonly [key: string, bytes: number, value: KvValue])[] = [
    ["empty", 1, ""],
    ["null", 1, null],
    ["yes", 1, true],
    ["zero", 1, 0],
    ["largest in one byte", 1, 23],
    ["two bytes", 2, 24],
    ["minus", 1, -1],
    ["minus two bytes", 2, -25],
    ["five bytes", 5, 65_536],
    ["nine bytes", 9, Number.MAX_SAFE_INTEGER],
    ["minus nine bytes", 9, Number.MIN_SAFE_INTEGER],
    ["float", 9, 1.5],
    ["large float", 9, 1e300],
    ["bytes", 7, Uint8Array.of(0, 255, 0, 192, 255, 238)],
    ["no bytes", 1, new Uint8Array(0)],
    ["list", 10, [1, [2, [3, []]], {}, "", null]],
    ["map", 34, { name: "RW02", nested: { deep: { er: [true, false, null] } }, "": 0 }],
    ["16 deep", 23, [[[[[[[[[[[[[[[["bottom"]]]]]]]]]]]]]]]]],
    ["as long as allowed", 4_096, "y".repeat(4_093)],
    ["z", 9, "\0\u001b[2J\ufeff"],
    ["é", 1, 3],
    ["e\u0301", 1, 4],
    ["ж".repeat(64), 1, 6],
    ["\u001b[31mred", 1, 2],
  ];
  test.for(VALUES)("the value of %j takes %i bytes and comes as it is", async ([key, bytes, value]) => {
    await using dock = await Dock.open(mock.target);
    expect(await dock.kv.get(key)).toEqual(value);
    expect((await dock.kv.list()).find((entry) => entry.key === key)?.bytes).toBe(bytes);
  });

  test("names that only look alike are different ones", async () => {
    await using dock = await Dock.open(mock.target);
    expect((await dock.images.get("é")).data.length).toBe(43);
    expect((await dock.images.get("e\u0301")).data.length).toBe(44);
    expect((await dock.images.get("../../etc/passwd")).data.length).toBe(41);
    expect((await dock.images.get("\u202etxt")).data.length).toBe(46);
  });

  test.for([
    ["reading all entries", (dock: Dock) => all(dock.kv.entries())],
    ["making many calls with one signal", manyCallsWithOneSignal],
  ] as const)("%s makes Node warn of nothing", async ([, read]) => {
    const warnings: string[] = [];
    const onWarning = ({ name }: Error): void => void warnings.push(name);
    process.on("warning", onWarning);
    onTestFinished(() => void process.off("warning", onWarning));
    await using dock = await Dock.open(mock.target);
    await read(dock);
    expect(warnings).toEqual([]);
  });

  test("its long lists come whole", async () => {
    await using dock = await Dock.open(mock.target);
    const keys = (await dock.kv.list()).filter(({ key }) => key.startsWith("one of many keys, number "));
    expect(keys.length).toBe(MORE_KEYS);
    expect(keys.filter(({ store }) => store === "ephemeral").length).toBe(MORE_KEYS / 5);
    expect(await dock.kv.get("one of many keys, number 015")).toEqual([15]);
    expect(await dock.kv.get("one of many keys, number 012")).toBe(-12);
    expect(await dock.kv.get("one of many keys, number 011")).toEqual({ number: 11, text: "·".repeat(11) });
    const images = (await dock.images.list()).filter(({ tag }) => tag.startsWith("one of many images, number "));
    expect(images.length).toBe(MORE_IMAGES);
  });
});

async function manyCallsWithOneSignal(dock: Dock): Promise<unknown> {
  const { signal } = new AbortController();
  return Promise.all(Array.from({ length: 32 }, () => dock.kv.get("timezone", { signal })));
}
