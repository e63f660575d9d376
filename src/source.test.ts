import { Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { HEAD_BYTES } from "../protocol/index.js";
import { type ImageSource, openSource } from "./source.js";
import { PIECE, picture, sha256Of } from "./testing/picture.js";
import { Random } from "./testing/random.js";
import { chunksOf, codeOf, fileOf, readThrough, refusal } from "./testing/sources.js";

const K = 1024;
const image = picture(700_001);

describe.each<[string, () => Promise<ImageSource>]>([
  ["bytes", async () => image],
  ["a file", async () => ({ file: await fileOf(image) })],
  ["a file by its URL", async () => ({ file: pathToFileURL(await fileOf(image)) })],
  ["a Readable", async () => Readable.from(chunksOf(image, 10_000))],
  ["a web stream", async () => ReadableStream.from<Uint8Array>(chunksOf(image, 10_000))],
  ["an array", async () => chunksOf(image, 10_000)],
  ["a generator of very small pieces and empty ones", async () => crumbs(image)],
])("%s", (_, sourceOf) => {
  test("has the size, the SHA-256 and the first bytes of the image", async () => {
    await using source = await openSource(await sourceOf());
    expect(source.size).toBe(image.length);
    expect(Buffer.compare(source.sha256, sha256Of(image))).toBe(0);
    expect(Buffer.compare(source.head, image.subarray(0, HEAD_BYTES))).toBe(0);
    expect(await source.changed()).toBeUndefined();
  });

  test("gives the bytes from any offset, in any order, and none beyond the end", async () => {
    await using source = await openSource(await sourceOf());
    const random = new Random(7);
    for (let i = 0; i < 200; i++) {
      const offset = random.between(0, image.length);
      const length = random.between(1, 20_000);
      const bytes = await source.read(offset, length);
      expect(bytes.length).toBeLessThanOrEqual(length);
      expect(bytes.length > 0).toBe(offset < image.length);
      expect(Buffer.compare(bytes, image.subarray(offset, offset + bytes.length))).toBe(0);
    }
    expect(await source.read(0, 0)).toHaveLength(0);
    expect(await source.read(image.length + 1, 1)).toHaveLength(0);
  });

  test("gives everything, read from the beginning to the end", async () => {
    await using source = await openSource(await sourceOf());
    expect(Buffer.compare((await readThrough(source)).bytes, image)).toBe(0);
  });

  test("can be disposed of twice", async () => {
    const source = await openSource(await sourceOf());
    await source[Symbol.asyncDispose]();
    await source[Symbol.asyncDispose]();
  });

  test("is ABORTED by a signal that has come already", async () => {
    const reason = new Error("enough");
    const error = await refusal(await sourceOf(), { signal: AbortSignal.abort(reason) });
    expect(error.code).toBe("ABORTED");
    expect(error.cause).toBe(reason);
  });
});

describe.each<[string, () => Promise<ImageSource>]>([
  ["bytes", async () => new Uint8Array(0)],
  ["a file", async () => ({ file: await fileOf(new Uint8Array(0)) })],
  ["a stream", async () => []],
])("%s of nothing", (_, sourceOf) => {
  test("are an image of 0 bytes", async () => {
    await using source = await openSource(await sourceOf());
    expect([source.size, source.head.length]).toEqual([0, 0]);
    expect(Buffer.compare(source.sha256, sha256Of(new Uint8Array(0)))).toBe(0);
    expect(await source.read(0, 10)).toHaveLength(0);
    expect(await source.changed()).toBeUndefined();
  });

  test("are ABORTED as well", async () => {
    expect((await refusal(await sourceOf(), { signal: AbortSignal.abort() })).code).toBe("ABORTED");
  });
});

describe("what is no source is USAGE", () => {
  test.each(["null", "7", '"logo.png"', "{}", '{ "file": 7 }', "[1, 2]", '["text"]'])("%s", async (json) => {
    expect((await refusal(JSON.parse(json))).code).toBe("USAGE");
  });

  test("and text is told how a file is named", async () => {
    expect((await refusal(JSON.parse('"logo.png"'))).message).toContain("{ file: path }");
  });

  test("and so is a limit that is none", async () => {
    expect((await refusal(image, { maxBytes: 0 })).code).toBe("USAGE");
  });
});

describe("bytes", () => {
  test("aren't copied", async () => {
    await using source = await openSource(image);
    const part = source.read(100_000, PIECE);
    expect(part instanceof Uint8Array && part.buffer).toBe(image.buffer);
  });

  test("that were changed meanwhile are CHANGED, and what was learned of them before stays", async () => {
    const bytes = picture(3 * K * K);
    const sha256 = sha256Of(bytes);
    await using source = await openSource(bytes);
    bytes.reverse();
    expect(await source.changed()).toMatchObject({ code: "CHANGED" });
    expect(Buffer.compare(source.sha256, sha256)).toBe(0);
    bytes.reverse();
    expect(await source.changed()).toBeUndefined();
    expect(Buffer.compare(source.head, bytes.subarray(0, HEAD_BYTES))).toBe(0);
  });

  test("keep their head when they are changed", async () => {
    const bytes = picture(100);
    await using source = await openSource(bytes);
    const head = bytes.toString("hex", 0, HEAD_BYTES);
    bytes.fill(0);
    expect(Buffer.from(source.head).toString("hex")).toBe(head);
  });

  test("whose buffer was given away are CHANGED, also to who reads", async () => {
    const bytes = new Uint8Array(100);
    await using source = await openSource(bytes);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    expect(await source.changed()).toMatchObject({ code: "CHANGED" });
    expect(await codeOf(source.read(0, 10))).toBe("CHANGED");
  });

  test("let others have their turn while many are hashed, and are ABORTED then", async () => {
    const abort = new AbortController();
    const opening = refusal(new Uint8Array(3 * K * K), { signal: abort.signal });
    abort.abort();
    expect((await opening).code).toBe("ABORTED");
  });
});

function* crumbs(bytes: Uint8Array): Generator<Uint8Array> {
  for (const chunk of chunksOf(bytes, 70)) {
    yield chunk;
    yield new Uint8Array(0);
  }
}
