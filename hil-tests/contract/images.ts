/** SPEC §5.1, §6 and §7.5: images, whole. */
import { expect } from "vitest";
import { ImageToken, type Progress } from "../../src/index.js";
import { codeOf } from "./calls.js";
import { contractTest } from "./contract-test.js";
import { all, expectAnswers, infoOf, largeImage, sha256, smallImage, whole } from "./reading.js";

/** What the bytes of an image of a type begin with. */
const MAGIC = {
  png: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
  bmp: [0x42, 0x4d],
  jpeg: [0xff, 0xd8, 0xff],
};

export function images(): void {
  contractTest("each image has the size, type, layer and SHA-256 that the list gives", async ({ dock, found }) => {
    const entries = await dock.images.list();
    found("an image", entries[0]);
    for (const { tag, ...listed } of entries) {
      const { data, ...info } = await dock.images.get(tag);
      expect({ tag, ...info }).toMatchObject({ tag, ...listed });
      expect(data.length).toBe(listed.size);
      expect(info.sha256 ?? sha256(data)).toBe(sha256(data));
    }
  });

  contractTest.for(["png", "bmp", "jpeg"] as const)("images of the type %s begin as such do", async (type, { dock, found }) => {
    const ofType = (await dock.images.list()).filter((entry) => entry.type === type && entry.size > 0);
    found(`an image of the type ${type}`, ofType[0]);
    for (const { tag } of ofType) {
      const magic = MAGIC[type];
      expect([...(await beginning(dock.images.stream(tag), magic.length))]).toEqual(magic);
    }
  });

  contractTest("an image of no bytes is an image", async ({ dock, found }) => {
    const empty = (await dock.images.list()).find(({ size }) => size === 0);
    const { tag } = found("an empty image", empty);
    expect((await dock.images.get(tag)).data).toEqual(new Uint8Array(0));
    expect(await all(dock.images.stream(tag))).toEqual([]);
    expect(await infoOf(dock, tag)).toMatchObject({ size: 0 });
    expect((await dock.images.get(await dock.images.getToken(tag))).data.length).toBe(0);
  });

  contractTest("the pieces of a stream add up to what get gives, and none is empty", async ({ dock, found }) => {
    const { tag } = await largeImage(found, dock);
    const pieces = await all(dock.images.stream(tag));
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.filter(({ length }) => length === 0)).toEqual([]);
    expect(Buffer.concat(pieces).equals((await dock.images.get(tag)).data)).toBe(true);
  });

  contractTest("a stream says what the image is before its bytes come, as get does with them", async ({ dock, found }) => {
    const { tag } = await smallImage(found, dock);
    const stream = dock.images.stream(tag);
    const info = await stream.info();
    const { data, ...ofGet } = await dock.images.get(tag);
    expect(info).toEqual(ofGet);
    expect((await whole(stream)).equals(data)).toBe(true);
  });

  contractTest("progress grows with each piece, up to the size", async ({ dock, found }) => {
    const { tag, size } = await largeImage(found, dock);
    const reports: Progress[] = [];
    const pieces = await all(dock.images.stream(tag, { onProgress: (progress) => void reports.push(progress) }));
    const upTo = pieces.map((_, i) => pieces.slice(0, i + 1).reduce((sum, { length }) => sum + length, 0));
    expect(reports).toEqual(upTo.map((received) => ({ received, size })));
    expect(upTo.at(-1)).toBe(size);
  });

  contractTest("a token gives the same image as its tag, also when it was written down", async ({ dock, found }) => {
    const { tag } = await smallImage(found, dock);
    const token = await dock.images.getToken(tag);
    const byTag = await dock.images.get(tag);
    expect(await dock.images.get(token)).toEqual(byTag);
    expect(await dock.images.get(ImageToken.parse(token.toString()))).toEqual(byTag);
    expect((await whole(dock.images.stream(token))).equals(byTag.data)).toBe(true);
  });

  contractTest("a token that the dock never gave is STALE", async ({ dock }) => {
    const token = new ImageToken(Buffer.alloc(64, 0xa5));
    expect(await codeOf(dock.images.get(token))).toBe("STALE");
  });

  contractTest("an image larger than maxBytes is TOO_LARGE with the limit, and the dock goes on", async ({ dock, found }) => {
    const { tag, size } = await largeImage(found, dock);
    const maxBytes = size - 1;
    await expect(dock.images.get(tag, { maxBytes })).rejects.toMatchObject({ code: "TOO_LARGE", details: { limit: maxBytes } });
    await expectAnswers(dock);
    expect((await dock.images.get(tag, { maxBytes: size })).data.length).toBe(size);
  });

  contractTest("a stream can be read once", async ({ dock, found }) => {
    const { tag } = await smallImage(found, dock);
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
