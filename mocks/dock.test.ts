import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { encodeBody, type FailureCode, type Layer } from "../protocol/index.js";
import { DockModel, PROFILES } from "./dock.js";
import { Refusal, type RefusalDetails } from "./refusal.js";

const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2);
const BMP = Buffer.concat([Buffer.from("BM"), Buffer.alloc(12), Buffer.from([40, 0, 0, 0])]);
const JPEG = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0);

function dockOf(capacity = 1000): DockModel {
  return new DockModel(PROFILES.development, "MOCK-0001", {
    capacities: { factory: capacity, runtime: capacity, ephemeral: capacity },
  });
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

/** Puts an image of no type into runtime. */
function put(dock: DockModel, tag: string, bytes: Uint8Array, txn?: number) {
  return dock.putImage("runtime", tag, "none", bytes, sha256(bytes), txn);
}

function refused(code: FailureCode, details: RefusalDetails, act: () => unknown): void {
  let failure: unknown;
  try {
    act();
  } catch (error) {
    if (error instanceof Refusal) failure = error.failure;
    else throw error;
  }
  expect(failure).toEqual({ code, message: expect.any(String), ...details });
}

/** All that can be read of a dock but the bytes. */
function seen(dock: DockModel): unknown {
  const stores: Layer[] = ["factory", "runtime", "ephemeral"];
  return stores.map((store) => [dock.images(store), dock.keys(store), dock.used(store), dock.generation(store)]);
}

describe("keys", () => {
  test("a key that is set is found, and counts as a change each time", () => {
    const dock = dockOf();
    expect(dock.setKey("runtime", "zone", "GMT")).toEqual({ generation: 1 });
    expect(dock.setKey("runtime", "zone", "GMT")).toEqual({ generation: 2 });
    expect(dock.key("zone")).toEqual({ key: "zone", value: "GMT", size: 4, upd: false, store: "runtime" });
  });

  test("a key that was unique per dock no longer is when it is set", () => {
    const dock = dockOf();
    dock.fillKey("factory", "token", { value: "a", upd: true });
    expect(dock.key("token")?.upd).toBe(true);
    dock.setKey("factory", "token", "a");
    expect(dock.key("token")?.upd).toBe(false);
  });

  test("a key that is deleted is gone; to delete it again changes nothing", () => {
    const dock = dockOf();
    dock.setKey("runtime", "zone", "GMT");
    expect(dock.deleteKey("runtime", "zone")).toEqual({ generation: 2, existed: true });
    expect(dock.key("zone")).toBeUndefined();
    expect(dock.used("runtime")).toBe(0);
    expect(dock.deleteKey("runtime", "zone")).toEqual({ generation: 2, existed: false });
  });

  test("names are ordered by their bytes, not by UTF-16", () => {
    const dock = dockOf();
    const names = ["\u{10000}", "B", "\uffff", "__proto__", "a", "constructor"];
    for (const [i, name] of names.entries()) dock.setKey(i % 2 === 0 ? "runtime" : "ephemeral", name, i);
    const bytes = (list: readonly string[]): string[] =>
      [...list].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(dock.keys().map(({ key }) => key)).toEqual(bytes(names));
    expect(dock.keys("runtime").map(({ key }) => key)).toEqual(bytes(names.filter((_, i) => i % 2 === 0)));
  });

  test("without a layer the first one in the lookup order answers, and a name is listed once", () => {
    const dock = dockOf();
    for (const store of ["factory", "runtime", "ephemeral"] as const) dock.setKey(store, "k", store);
    expect(dock.key("k")?.value).toBe("ephemeral");
    expect(dock.keys().map(({ value }) => value)).toEqual(["ephemeral"]);
    expect(dock.key("k", "factory")?.value).toBe("factory");
  });
});

describe("images", () => {
  test("an image is made, then replaced", () => {
    const dock = dockOf();
    expect(put(dock, "a", BMP)).toEqual({ generation: 1, existed: false });
    expect(put(dock, "a", JPEG)).toEqual({ generation: 2, existed: true });
    expect(dock.image("a")?.bytes).toEqual(JPEG);
    expect(dock.used("runtime")).toBe(1 + JPEG.length);
  });

  test("a put of what is there already changes nothing; of another type it does", () => {
    const dock = dockOf();
    put(dock, "a", PNG);
    expect(put(dock, "a", PNG)).toEqual({ generation: 1, existed: true });
    expect(dock.putImage("runtime", "a", "png", PNG, sha256(PNG))).toEqual({ generation: 2, existed: true });
    expect(dock.image("a")?.type).toBe("png");
  });

  test("an image that is deleted is gone; to delete it again changes nothing", () => {
    const dock = dockOf();
    put(dock, "a", BMP);
    expect(dock.deleteImage("runtime", "a")).toEqual({ generation: 2, existed: true });
    expect(dock.deleteImage("runtime", "a")).toEqual({ generation: 2, existed: false });
    expect([dock.image("a"), dock.used("runtime")]).toEqual([undefined, 0]);
  });

  test.each([
    ["png", PNG],
    ["bmp", BMP],
    ["jpeg", JPEG],
  ] as const)("content that doesn't begin as %s does is refused as that", (type, right) => {
    const dock = dockOf();
    for (const wrong of [PNG, BMP, JPEG, right.subarray(0, 1), new Uint8Array(0)].filter((it) => it !== right)) {
      refused("INVALID", {}, () => dock.putImage("runtime", "a", type, wrong, sha256(wrong)));
    }
    expect(dock.generation("runtime")).toBe(0);
    expect(dock.putImage("runtime", "a", type, right, sha256(right)).generation).toBe(1);
  });

  test("content is found by its SHA-256 in any layer, and in the open transaction", () => {
    const dock = dockOf();
    dock.fillImage("factory", "a", "none", BMP);
    expect(dock.contentOf(sha256(BMP))).toEqual(BMP);
    expect(dock.contentOf(sha256(JPEG))).toBeUndefined();
    const txn = dock.begin("runtime", false);
    put(dock, "b", JPEG, txn);
    expect(dock.contentOf(sha256(JPEG))).toEqual(JPEG);
    dock.rollback(txn);
    expect(dock.contentOf(sha256(JPEG))).toBeUndefined();
  });

  test("a token stands for an image as it is: it goes with the content, and comes back with it", () => {
    const dock = dockOf();
    put(dock, "a", BMP);
    const [image] = dock.images();
    if (image === undefined) throw new Error("no image");
    const token = dock.tokenFor(image);
    expect(dock.imageOfToken(token)).toBe(image);
    put(dock, "a", JPEG);
    expect(dock.imageOfToken(token)).toBeUndefined();
    put(dock, "a", BMP);
    expect(dock.imageOfToken(token)?.bytes).toEqual(BMP);
    dock.deleteImage("runtime", "a");
    expect(dock.imageOfToken(token)).toBeUndefined();
  });
});

test("a token doesn't stand for an image of another tag, though it has the same content", () => {
  const dock = dockOf();
  put(dock, "a", BMP);
  put(dock, "b", BMP);
  const tokens = dock.images().map((image) => dock.tokenFor(image));
  dock.deleteImage("runtime", "a");
  expect(tokens.map((token) => dock.imageOfToken(token)?.tag)).toEqual([undefined, "b"]);
});

describe("room", () => {
  test("images, encoded values and names fill a layer to its last byte, and not beyond", () => {
    const dock = dockOf(20);
    dock.setKey("runtime", "é", "abc"); // 2 + 4 bytes
    put(dock, "t", new Uint8Array(13)); // 1 + 13 bytes
    expect(dock.used("runtime")).toBe(20);
    const before = seen(dock);
    refused("NO_SPACE", { store: "runtime", free: 0 }, () => dock.setKey("runtime", "k", 1));
    refused("NO_SPACE", { store: "runtime", free: 14 }, () => put(dock, "t", new Uint8Array(14)));
    refused("NO_SPACE", { store: "runtime", free: 6 }, () => dock.setKey("runtime", "é", "abcd"));
    expect(seen(dock)).toEqual(before);
    expect(dock.setKey("runtime", "é", "ab").generation).toBe(3);
    expect(dock.used("runtime")).toBe(19);
  });

  test("one layer's room is none of another's", () => {
    const dock = dockOf(10);
    put(dock, "t", new Uint8Array(9));
    expect(dock.setKey("ephemeral", "k", 1).generation).toBe(1);
  });

  test("an upload that can never fit is too large; one that doesn't fit now finds no space", () => {
    const dock = dockOf(100);
    put(dock, "a", new Uint8Array(59));
    refused("TOO_LARGE", { limit: 100 }, () => dock.reserve("runtime", "b", 101));
    refused("NO_SPACE", { store: "runtime", free: 40 }, () => dock.reserve("runtime", "b", 40));
    dock.reserve("runtime", "b", 39);
    refused("NO_SPACE", { store: "factory", free: 100 }, () => dock.reserve("factory", "b", 100)); // its name is too much
  });

  test("what other uploads have reserved is taken, until they release it, however often they do", () => {
    const dock = dockOf(100);
    const release = dock.reserve("runtime", "a", 59);
    refused("NO_SPACE", { store: "runtime", free: 40 }, () => dock.reserve("runtime", "b", 40));
    dock.reserve("ephemeral", "b", 99);
    release();
    const again = dock.reserve("runtime", "b", 99);
    release();
    refused("NO_SPACE", { store: "runtime", free: 0 }, () => dock.reserve("runtime", "a", 0));
    again();
  });

  test("nothing is free where more is reserved than is left", () => {
    const dock = dockOf(100);
    dock.reserve("runtime", "a", 99);
    put(dock, "b", new Uint8Array(50));
    refused("NO_SPACE", { store: "runtime", free: 0 }, () => dock.reserve("runtime", "c", 1));
  });

  test("an upload that replaces an image needs only what it adds", () => {
    const dock = dockOf(100);
    put(dock, "a", new Uint8Array(79));
    dock.reserve("runtime", "a", 89); // adds 10
    refused("NO_SPACE", { store: "runtime", free: 10 }, () => dock.reserve("runtime", "b", 10));
    dock.reserve("runtime", "b", 9);
  });

  test("an upload in a transaction has the room of what is staged", () => {
    const dock = dockOf(100);
    put(dock, "a", new Uint8Array(79));
    const txn = dock.begin("runtime", true);
    dock.reserve("runtime", "b", 99, txn)();
    refused("BUSY", {}, () => dock.reserve("runtime", "b", 1));
  });

  test("stock data that don't fit are an error that names them", () => {
    const dock = dockOf(5);
    const big = RangeError("big doesn't fit into the layer factory");
    expect(() => dock.fillImage("factory", "big", "png", new Uint8Array(3))).toThrow(big);
    expect(() => dock.fillKey("factory", "big", { value: "abc", upd: false })).toThrow(big);
    expect(dock.generation("factory")).toBe(0);
    dock.fillImage("factory", "a", "png", new Uint8Array(3)); // the type is taken as it is told
  });
});

test("a generation goes on from 0 at its end, and so does the sum of them", () => {
  const layers = [
    { store: "factory", generation: 2 ** 32 - 1, images: [], keys: [] },
    { store: "runtime", generation: 2 ** 32 - 1, images: [], keys: [] },
  ] as const;
  const dock = new DockModel(PROFILES.full, "MOCK-0001", { state: { layers, save: () => {} } });
  expect(dock.generation()).toBe(2 ** 32 - 2);
  expect(dock.setKey("runtime", "k", 1)).toEqual({ generation: 0 });
  expect(dock.generation()).toBe(2 ** 32 - 1);
});

test("a layer that the dock doesn't have can't be written", () => {
  const dock = new DockModel(PROFILES.preview, "MOCK-0001");
  refused("UNSUPPORTED", {}, () => dock.setKey("runtime", "k", 1));
  refused("UNSUPPORTED", {}, () => dock.begin("ephemeral", false));
  expect([dock.used("runtime"), dock.capacity("runtime"), dock.keys("runtime")]).toEqual([0, 0, []]);
});

test("what is used is what the encodings and names take", () => {
  const dock = dockOf();
  const value = { a: [1, "é", Uint8Array.of(1)] };
  dock.setKey("runtime", "k€y", value);
  expect(dock.used("runtime")).toBe(5 + encodeBody(value).length);
});

test("a welcome has room for the features of every profile", () => {
  const nonce = new Uint8Array(8);
  for (const { features, stores } of Object.values(PROFILES)) {
    const dock = { id: "x".repeat(64), model: "DL-7450 mock", name: "n".repeat(64) };
    const limits = { maxBody: 8256, window: 49152, requests: 32, streams: 4, tagBytes: 128, keyBytes: 128, valueBytes: 4096 };
    const welcome = { version: 1, nonce, bootId: nonce, dock, limits: { ...limits, pageBytes: 4096 }, features, stores };
    expect(encodeBody([12, welcome]).length).toBeLessThanOrEqual(512);
  }
});
