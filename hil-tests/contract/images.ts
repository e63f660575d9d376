/** SPEC §5.1, §6 and §7.5: images, whole. */
import { expect, test } from "vitest";
import { ImageToken, type Progress } from "../../src/index.js";
import { codeOf } from "./calls.js";
import { all, expectAnswers, infoOf, sha256, whole } from "./reading.js";
import { found, largeImage, type Subject, smallImage } from "./subject.js";

/** What the bytes of an image of a type begin with. */
const MAGIC = {
  png: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
  bmp: [0x42, 0x4d],
  jpeg: [0xff, 0xd8, 0xff],
};

export function images(subject: Subject): void {
  test("each image has the size, type, layer and SHA-256 that the list gives", async (context) => {
    await using dock = await subject.open();
    const entries = await dock.images.list();
    found(subject, context, "an image", entries[0]);
    for (const { tag, ...listed } of entries) {
      const { data, ...info } = await dock.images.get(tag);
      expect({ tag, ...info }).toMatchObject({ tag, ...listed });
      expect(data.length).toBe(listed.size);
      expect(info.sha256 ?? sha256(data)).toBe(sha256(data));
    }
  });

  test.for(["png", "bmp", "jpeg"] as const)("images of the type %s begin as such do", async (type, context) => {
    await using dock = await subject.open();
    const ofType = (await dock.images.list()).filter((entry) => entry.type === type && entry.size > 0);
    found(subject, context, `an image of the type ${type}`, ofType[0]);
    for (const { tag } of ofType) {
      const magic = MAGIC[type];
      expect([...(await beginning(dock.images.stream(tag), magic.length))]).toEqual(magic);
    }
  });

  test("an image of no bytes is an image", async (context) => {
    await using dock = await subject.open();
    const empty = (await dock.images.list()).find(({ size }) => size === 0);
    const { tag } = found(subject, context, "an empty image", empty);
    expect((await dock.images.get(tag)).data).toEqual(new Uint8Array(0));
    expect(await all(dock.images.stream(tag))).toEqual([]);
    expect(await infoOf(dock, tag)).toMatchObject({ size: 0 });
    expect((await dock.images.get(await dock.images.getToken(tag))).data.length).toBe(0);
  });

  test("the pieces of a stream add up to what get gives, and none is empty", async (context) => {
    await using dock = await subject.open();
    const { tag } = await largeImage(subject, context, dock);
    const pieces = await all(dock.images.stream(tag));
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.filter(({ length }) => length === 0)).toEqual([]);
    expect(Buffer.concat(pieces).equals((await dock.images.get(tag)).data)).toBe(true);
  });

  test("a stream says what the image is before its bytes come, as get does with them", async (context) => {
    await using dock = await subject.open();
    const { tag } = await smallImage(subject, context, dock);
    const stream = dock.images.stream(tag);
    const info = await stream.info();
    const { data, ...ofGet } = await dock.images.get(tag);
    expect(info).toEqual(ofGet);
    expect((await whole(stream)).equals(data)).toBe(true);
  });

  test("progress grows with each piece, up to the size", async (context) => {
    await using dock = await subject.open();
    const { tag, size } = await largeImage(subject, context, dock);
    const reports: Progress[] = [];
    const pieces = await all(dock.images.stream(tag, { onProgress: (progress) => void reports.push(progress) }));
    const upTo = pieces.map((_, i) => pieces.slice(0, i + 1).reduce((sum, { length }) => sum + length, 0));
    expect(reports).toEqual(upTo.map((received) => ({ received, size })));
    expect(upTo.at(-1)).toBe(size);
  });

  test("a token gives the same image as its tag, also when it was written down", async (context) => {
    await using dock = await subject.open();
    const { tag } = await smallImage(subject, context, dock);
    const token = await dock.images.getToken(tag);
    const byTag = await dock.images.get(tag);
    expect(await dock.images.get(token)).toEqual(byTag);
    expect(await dock.images.get(ImageToken.parse(token.toString()))).toEqual(byTag);
    expect((await whole(dock.images.stream(token))).equals(byTag.data)).toBe(true);
  });

  test("a token that the dock never gave is STALE", async () => {
    await using dock = await subject.open();
    const token = new ImageToken(Buffer.alloc(64, 0xa5));
    expect(await codeOf(dock.images.get(token))).toBe("STALE");
  });

  test("an image larger than maxBytes is TOO_LARGE with the limit, and the dock goes on", async (context) => {
    await using dock = await subject.open();
    const { tag, size } = await largeImage(subject, context, dock);
    const maxBytes = size - 1;
    await expect(dock.images.get(tag, { maxBytes })).rejects.toMatchObject({ code: "TOO_LARGE", details: { limit: maxBytes } });
    await expectAnswers(dock);
    expect((await dock.images.get(tag, { maxBytes: size })).data.length).toBe(size);
  });

  test("a stream can be read once", async (context) => {
    await using dock = await subject.open();
    const { tag } = await smallImage(subject, context, dock);
    const stream = dock.images.stream(tag);
    await all(stream);
    expect(await codeOf(all(stream))).toBe("USAGE");
  });
}

/** So many bytes of a stream, which is then left. */
async function beginning(stream: AsyncIterable<Uint8Array>, length: number): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  for await (const piece of stream) {
    bytes = Buffer.concat([bytes, piece]);
    if (bytes.length >= length) break;
  }
  return bytes.subarray(0, length);
}
