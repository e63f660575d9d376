/** SPEC §4.2, §4.6 and §5: many requests and streams at once. */
import { expect } from "vitest";
import type { Dock } from "../../src/index.js";
import { codeOf } from "./calls.js";
import { contractTest } from "./contract-test.js";
import { expectAnswers, infoOf, LARGE, largeImage, sha256, whole } from "./reading.js";

export function together(): void {
  contractTest("32 reads at once are answered, each with what is its own", async ({ dock }) => {
    const [asked, expected] = await someReads(dock, 32);
    expect(await Promise.all(asked.map((read) => read()))).toEqual(expected);
  });

  contractTest("three times as many reads at once as the dock takes are answered as well", async ({ dock }) => {
    const [asked, expected] = await someReads(dock, 3 * dock.limits.requests);
    expect(await Promise.all(asked.map((read) => read()))).toEqual(expected);
  });

  contractTest("more streams at once than the dock takes all come right", async ({ dock, found }) => {
    const images = (await dock.images.list()).filter(({ size }) => size >= LARGE);
    found(`an image of ${LARGE} bytes`, images[0]);
    const large = images.map(({ tag }) => tag);
    const alone = new Map<string, string>();
    for (const { tag, sha256: known } of images) alone.set(tag, known ?? sha256((await dock.images.get(tag)).data));
    const tags = Array.from(
      { length: Math.max(dock.limits.streams + 2, large.length) },
      (_, i) => large[i % large.length] ?? "",
    );
    const read = await Promise.all(tags.map(async (tag) => sha256(await whole(dock.images.stream(tag)))));
    expect(read).toEqual(tags.map((tag) => alone.get(tag)));
  });

  contractTest("lists, values, tokens and images at once come right", async ({ dock, found }) => {
    const { tag } = await largeImage(found, dock);
    const [asked, expected] = await someReads(dock, 16);
    const images = await dock.images.list();
    const keys = await dock.kv.list();
    const { data } = await dock.images.get(tag);
    const [read, image, streamed, byToken, imagesAgain, keysAgain] = await Promise.all([
      Promise.all(asked.map((read) => read())),
      dock.images.get(tag),
      whole(dock.images.stream(tag)),
      dock.images.getToken(tag).then((token) => dock.images.get(token)),
      dock.images.list(),
      dock.kv.list(),
    ]);
    expect(read).toEqual(expected);
    expect([image.data, streamed, byToken.data].map((it) => Buffer.compare(it, data))).toEqual([0, 0, 0]);
    expect([imagesAgain, keysAgain]).toEqual([images, keys]);
  });

  contractTest("a call that fails doesn't disturb those beside it", async ({ dock, found }) => {
    const { tag } = await largeImage(found, dock);
    const { data } = await dock.images.get(tag);
    const [image, tooLarge, beyond, unknown] = await Promise.all([
      dock.images.get(tag),
      codeOf(dock.images.get(tag, { maxBytes: 1 })),
      codeOf(whole(dock.images.stream(tag, { from: data.length + 1 }))),
      codeOf(dock.images.get("no image has this tag")),
    ]);
    expect([tooLarge, beyond, unknown]).toEqual(["TOO_LARGE", "INVALID", "NOT_FOUND"]);
    expect(Buffer.compare(image.data, data)).toBe(0);
  });

  contractTest("a stream whose reader lets it wait doesn't hold up others", async ({ dock, found }) => {
    const { tag } = await largeImage(found, dock);
    const { data } = await dock.images.get(tag);
    const pieces: Uint8Array[] = [];
    for await (const piece of dock.images.stream(tag)) {
      if (pieces.length === 0) {
        await expectAnswers(dock);
        const [asked, expected] = await someReads(dock, 32);
        expect(await Promise.all(asked.map((read) => read()))).toEqual(expected);
        if (dock.limits.streams > 1) expect(Buffer.compare((await dock.images.get(tag)).data, data)).toBe(0);
      }
      pieces.push(piece);
    }
    expect(Buffer.concat(pieces).equals(data)).toBe(true);
  });
}

/** Smaller than one piece usually is, in bytes: such an image doesn't hold up a slow line. */
const SMALL = 8_192;

type Reads = [asked: readonly (() => Promise<unknown>)[], expected: readonly unknown[]];

/** Small reads of several kinds, with what each gives when it is alone. */
async function someReads(dock: Dock, count: number): Promise<Reads> {
  const keys = (await dock.kv.list()).map(({ key }) => key);
  const tags = (await dock.images.list()).filter(({ size }) => size < SMALL).map(({ tag }) => tag);
  const kinds = [
    (i: number) => dock.kv.get(keys[i % keys.length] ?? `missing ${i}`),
    (i: number) => dock.kv.find(keys.at(-1 - (i % keys.length)) ?? `missing ${i}`),
    (i: number) => dock.kv.get(`missing ${i}`),
    (i: number) => codeOf(dock.images.getToken(`missing ${i}`)),
    async (i: number) => {
      const tag = tags[i % tags.length];
      return tag && (await infoOf(dock, tag));
    },
    async () => (await dock.info()).bootId,
  ];
  const asked = Array.from({ length: count }, (_, i) => async (): Promise<unknown> => kinds[i % kinds.length]?.(i));
  const expected: unknown[] = [];
  for (const read of asked) expected.push(await read());
  return [asked, expected];
}
