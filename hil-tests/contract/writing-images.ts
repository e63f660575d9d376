/** SPEC §5.2 and §7.5: images that are put and deleted. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, onTestFinished } from "vitest";
import type { ImageSource, UploadProgress } from "../../src/index.js";
import { codeOf, costs, framesSent } from "./calls.js";
import { contractTest } from "./contract-test.js";
import { expectAnswers, HUGE, infoOf, LARGE, sha256 } from "./reading.js";
import { content, named } from "./writing.js";

/** Images that begin as such do; what follows is any bytes. */
const IMAGES = {
  png: Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), content(100, "png")]),
  jpeg: Buffer.concat([Buffer.from("ffd8ff", "hex"), content(100, "jpeg")]),
  bmp: Buffer.concat([Buffer.from("424d", "hex"), Buffer.alloc(12), Buffer.of(40, 0, 0, 0), content(100, "bmp")]),
} as const;
const TYPES = ["png", "jpeg", "bmp"] as const;

/** The ways in which bytes can be given. */
const SOURCES: Readonly<Record<string, (bytes: Uint8Array) => ImageSource>> = {
  bytes: (bytes) => bytes,
  "a stream": (bytes) => Readable.from([bytes.subarray(0, 1), bytes.subarray(1, 70_000), bytes.subarray(70_000)]),
  "a generator": function* (bytes) {
    for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
  },
  "a file": fileOf,
};

export function writingImages(): void {
  contractTest(
    "images of 0 bytes, 1 byte, and sizes around those of a frame and of the window come back",
    async ({ dock, store }) => {
      const { maxBody, window } = dock.limits;
      const frames = [maxBody - 17, 8_192, 16_384, 49_152, window].flatMap((size) => [size - 1, size, size + 1]);
      for (const size of new Set([0, 1, 2, ...frames])) {
        const bytes = content(size, `size ${size}`);
        const put = await dock.images.put(named("size"), bytes, { store, type: "none" });
        expect(put).toEqual({ type: "none", size, store, sha256: sha256(bytes) });
        const { data, ...info } = await dock.images.get(named("size"));
        expect({ size, isSame: bytes.equals(data), info }).toMatchObject({
          size,
          isSame: true,
          info: { type: "none", size, store },
        });
      }
    },
  );

  contractTest.for(Object.entries(SOURCES))("a megabyte can be given as %s", async ([, source], { dock, store }) => {
    const bytes = content(HUGE + 48_577, "a megabyte");
    const reports: UploadProgress[] = [];
    const onProgress = (progress: UploadProgress): void => void reports.push(progress);
    await dock.images.put(named("large"), source(bytes), { store, type: "none", onProgress });
    expect(bytes.equals((await dock.images.get(named("large"))).data)).toBe(true);
    expect(reports.at(-1)).toEqual({ sent: bytes.length, size: bytes.length });
    expect(reports.map(({ sent }) => sent)).toEqual(reports.map(({ sent }) => sent).toSorted((a, b) => a - b));
  });

  contractTest.for(TYPES)("a %s is found out to be one, and can be told to be one or none", async (type, { dock, store }) => {
    const bytes = IMAGES[type];
    for (const options of [{}, { type }, { type: "none" }] as const) {
      const expected = "type" in options ? options.type : type;
      expect(await dock.images.put(named(type), bytes, { store, ...options })).toMatchObject({ type: expected });
      expect(await dock.images.get(named(type))).toMatchObject({ type: expected, size: bytes.length });
    }
  });

  contractTest(
    "content that isn't of the type, or of none that is known, is INVALID, and nothing is sent",
    async ({ dock, store }) => {
      const put = (bytes: Uint8Array, type?: "png" | "bmp" | "jpeg") => dock.images.put(named("wrong"), bytes, { store, type });
      const sent = await framesSent(dock, async () => {
        const calls = [put(IMAGES.bmp, "png"), put(IMAGES.png, "jpeg"), put(IMAGES.jpeg, "bmp"), put(Buffer.from("text"))];
        expect(await Promise.all(calls.map(codeOf))).toEqual(["INVALID", "INVALID", "INVALID", "INVALID"]);
      });
      expect(sent).toBe(0);
      expect(await codeOf(dock.images.get(named("wrong")))).toBe("NOT_FOUND");
    },
  );

  contractTest(
    "an image that is put again replaces the one before, and delete says whether there was one",
    async ({ dock, store }) => {
      const tag = named("replaced");
      for (const bytes of [IMAGES.png, IMAGES.jpeg, content(LARGE, "replaced"), Buffer.alloc(0)]) {
        await dock.images.put(tag, bytes, { store, type: bytes.length > 200 || bytes.length === 0 ? "none" : undefined });
        expect(bytes.equals((await dock.images.get(tag)).data)).toBe(true);
      }
      expect([await dock.images.delete(tag, { store }), await dock.images.delete(tag, { store })]).toEqual([true, false]);
      expect(await codeOf(dock.images.get(tag))).toBe("NOT_FOUND");
    },
  );

  contractTest(
    "an image of a layer stands before that of the next one, and shows it again when it is deleted",
    { tags: ["stores"] },
    async ({ dock, writable, needs, skipFor }) => {
      needs("stores");
      if (writable.length === 1) skipFor("only one of its layers can be written");
      const tag = named("shadow");
      for (const [i, store] of writable.toReversed().entries()) {
        await dock.images.put(tag, content(100 + i, store), { store, type: "none" });
        expect(await infoOf(dock, tag)).toMatchObject({ store, size: 100 + i });
      }
      for (const store of writable) {
        expect((await infoOf(dock, tag)).store).toBe(store);
        await dock.images.delete(tag, { store });
      }
      expect(await codeOf(infoOf(dock, tag))).toBe("NOT_FOUND");
    },
  );

  contractTest("the list and the use of the layer follow", async ({ dock, store }) => {
    const tag = named("counted");
    const used = async (): Promise<number> => (await dock.info()).stores.find((it) => it.store === store)?.used ?? Number.NaN;
    const listed = async () => (await dock.images.list()).find((it) => it.tag === tag);
    const before = await used();
    for (const bytes of [IMAGES.png, IMAGES.jpeg]) {
      const { type } = await dock.images.put(tag, bytes, { store });
      const { sha256: known, ...entry } = (await listed()) ?? {};
      expect(entry).toEqual({ tag, type, size: bytes.length, store });
      expect(known ?? sha256(bytes)).toBe(sha256(bytes));
      expect(await used()).toBe(before + tag.length + bytes.length);
    }
    await dock.images.delete(tag, { store });
    expect([await listed(), await used()]).toEqual([undefined, before]);
  });

  contractTest("an image that is replaced while it is read comes whole, or is CHANGED", async ({ dock, store }) => {
    const tag = named("read");
    const [first, second] = [content(HUGE, "first"), content(HUGE, "second")];
    await dock.images.put(tag, first, { store, type: "none" });
    const pieces: Uint8Array[] = [];
    const read = async (): Promise<void> => {
      for await (const piece of dock.images.stream(tag)) {
        if (pieces.push(piece) === 1) await dock.images.put(tag, second, { store, type: "none" });
      }
    };
    const code = await codeOf(read());
    const whole = Buffer.concat(pieces);
    expect({ code, isWhole: whole.equals(first) }).toEqual(
      code === undefined ? { code, isWhole: true } : { code: "CHANGED", isWhole: false },
    );
    expect(second.equals((await dock.images.get(tag)).data)).toBe(true);
  });

  contractTest("an image that the dock has already, under any tag, isn't sent again", async ({ dock, store }) => {
    const bytes = content(HUGE, "known");
    await dock.images.put(named("known"), bytes, { store, type: "none" });
    for (const tag of [named("known"), named("known by another tag")]) {
      const cost = await costs(dock, () => dock.images.put(tag, bytes, { store, type: "none" }));
      expect(cost.uploaded).toBe(0);
      expect(cost.bytesOut).toBeLessThan(1_000);
      expect(bytes.equals((await dock.images.get(tag)).data)).toBe(true);
    }
  });

  contractTest("of two images that are put at once under one tag one stays, whole", async ({ dock, store }) => {
    const both = [content(2 * LARGE, "one"), content(2 * LARGE, "the other")];
    await Promise.all(both.map((bytes) => dock.images.put(named("both"), bytes, { store, type: "none" })));
    const { data } = await dock.images.get(named("both"));
    expect(both.filter((bytes) => bytes.equals(data)).length).toBe(1);
  });

  contractTest("a put that is aborted leaves what was there, and the next one sends less", async ({ dock, store }) => {
    const tag = named("aborted");
    await dock.images.put(tag, IMAGES.png, { store });
    const bytes = content(HUGE, "aborted");
    const controller = new AbortController();
    const onProgress = ({ sent }: UploadProgress): void => {
      if (sent > HUGE / 2) controller.abort();
    };
    const put = dock.images.put(tag, bytes, { store, type: "none", onProgress, signal: controller.signal });
    expect(await codeOf(put)).toBe("ABORTED");
    expect(IMAGES.png.equals((await dock.images.get(tag)).data)).toBe(true);
    await expectAnswers(dock);
    const { uploaded } = await costs(dock, () => dock.images.put(tag, bytes, { store, type: "none" }));
    expect(uploaded).toBeLessThan(HUGE);
    expect(bytes.equals((await dock.images.get(tag)).data)).toBe(true);
  });

  contractTest("more puts at once than the dock takes streams all arrive, beside reads", async ({ dock, store }) => {
    const all = Array.from({ length: dock.limits.streams + 3 }, (_, i) => ({
      tag: named(`many ${i}`),
      bytes: content(70_000, `many ${i}`),
    }));
    const [{ data }] = await Promise.all([
      dock.images.put(named("beside"), IMAGES.bmp, { store }).then(() => dock.images.get(named("beside"))),
      ...all.map(({ tag, bytes }) => dock.images.put(tag, bytes, { store, type: "none" })),
    ]);
    expect(IMAGES.bmp.equals(data)).toBe(true);
    for (const { tag, bytes } of all) expect(bytes.equals((await dock.images.get(tag)).data)).toBe(true);
  });
}

function fileOf(bytes: Uint8Array): ImageSource {
  const folder = mkdtempSync(join(tmpdir(), "dl7450-hil-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "image");
  writeFileSync(file, bytes);
  return { file };
}
