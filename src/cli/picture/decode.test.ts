/** Images as pixels, and files that are made to exhaust who reads them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ImageType } from "../../../protocol/index.js";
import { packageFolder } from "../../version.js";
import { CliError } from "../cli-error.js";
import { BLUE, bmpOf, CLEAR, chunk, pictureOf, pngHeader, pngOf, RED } from "../testing/pictures.js";
import { checkDrawable, decode, measure, type Picture } from "./decode.js";

type Drawable = Exclude<ImageType, "none">;

async function decoded(type: Drawable, data: Uint8Array): Promise<Picture> {
  return decode(await measure(type, data));
}

/** The message, or "" when it can be decoded. Fails when something else is thrown than one clear error. */
async function refusal(type: Drawable, data: Uint8Array): Promise<string> {
  try {
    await decoded(type, data);
    return "";
  } catch (error) {
    expect(error).toBeInstanceOf(CliError);
    expect(error).toMatchObject({ code: "PICTURE" });
    return error instanceof Error ? error.message : "";
  }
}

function stock(name: string): Buffer {
  return readFileSync(join(packageFolder, "mocks", "fixtures", "stock", name));
}

/** Of a picture of 1920 by 1080: top left, the middle, bottom right. */
function samples({ data }: Picture): number[][] {
  return [0, 540 * 1_920 + 960, 1_080 * 1_920 - 1].map((i) => [...data.subarray(4 * i, 4 * i + 4)]);
}

// As Python's Pillow has them, but for the JPEG, whose chroma each decoder spreads in its own way.
test.each<[string, Drawable, number[][]]>([
  [
    "default.png",
    "png",
    [
      [24, 26, 68, 255],
      [243, 138, 109, 255],
      [31, 26, 62, 255],
    ],
  ],
  [
    "meeting.jpg",
    "jpeg",
    [
      [48, 116, 117, 255],
      [131, 181, 106, 255],
      [21, 61, 75, 255],
    ],
  ],
  [
    "welcome.bmp",
    "bmp",
    [
      [174, 195, 202, 255],
      [246, 234, 215, 255],
      [41, 51, 92, 255],
    ],
  ],
])("%s", async (name, type, expected) => {
  const picture = await decoded(type, stock(name));
  expect(picture).toMatchObject({ width: 1_920, height: 1_080 });
  expect(samples(picture)).toEqual(expected);
});

test("measuring reads no pixels", async () => {
  expect(await measure("png", stock("default.png").subarray(0, 100))).toMatchObject({ width: 1_920, height: 1_080 });
});

describe("png", () => {
  const two = Buffer.from([0, ...RED, 0, ...CLEAR]);

  test("keeps alpha, and leaves out what isn't pixels", async () => {
    const png = pngOf(1, 2, two, { extra: [chunk("tEXt", Buffer.from("any")), chunk("tEXt", Buffer.alloc(0))] });
    const { data } = await decoded("png", Buffer.concat([png, Buffer.from("behind the end")]));
    expect([...data]).toEqual([...RED, ...CLEAR]);
  });

  test("interlaced", async () => {
    // Adam7 on 5 by 3: a pixel each in passes 1, 2 and 4, none in 3, then 3, twice 2, and 5.
    const raw = [0, 1, 0, 2, 0, 3, 0, 4, 5, 6, 0, 7, 8, 0, 9, 10, 0, 11, 12, 13, 14, 15];
    const { data } = await decoded("png", pngOf(5, 3, Buffer.from(raw), { colourType: 0, interlace: 1 }));
    expect([...data].filter((_, i) => i % 4 === 0)).toEqual([1, 7, 3, 8, 2, 11, 12, 13, 14, 15, 4, 9, 5, 10, 6]);
  });

  test.each([
    ["an end too early", pngOf(1, 2, two).subarray(0, -13), "it ends too early"],
    ["another header", pngOf(1, 2, two, { extra: [pngHeader(60_000, 60_000)] }), "its IHDR is too long, or there twice"],
    ["a palette without end", pngOf(1, 2, two, { extra: [chunk("PLTE", Buffer.alloc(3_000))] }), "its PLTE is too long"],
    ["too few pixels", pngOf(1, 3, two), "it has fewer pixels than its header says"],
    ["a bomb", pngOf(1, 2, Buffer.alloc(1_000_000)), "it has more pixels than its header says"],
    ["an interlaced bomb", pngOf(1, 2, Buffer.alloc(1_000_000), { interlace: 1 }), "it has more pixels than its header says"],
    [
      "pixels in dust",
      pngOf(1, 2, two, { extra: Array.from({ length: 65_537 }, () => chunk("IDAT", Buffer.alloc(0))) }),
      "its pixels are in more than",
    ],
    ["no such colours", pngOf(1, 2, two, { colourType: 5 }), "its colours are of a kind that doesn't exist"],
    ["no such depth", pngOf(1, 2, two, { depth: 200 }), "its colours are of a kind that doesn't exist"],
    ["a wrong CRC", Buffer.from(pngOf(1, 2, two)).fill(1, 30, 31), "its IHDR is damaged"],
    [
      "a strange chunk that counts",
      pngOf(1, 2, two, { extra: [chunk("\x1bABC", Buffer.alloc(0))] }),
      String.raw`it has a part that isn't known, "\x1bABC"`,
    ],
  ])("%s is refused", async (_what, png, why) => {
    expect(await refusal("png", png)).toContain(`The image says it is png but can't be decoded: ${why}`);
  });
});

describe("bmp", () => {
  const palette = [0, 0, 255, 0, 255, 0, 0, 0]; // red, blue
  const rgb = [255, 0, 0, 0, 0, 255, 0, 0];
  const checks = pictureOf([RED, BLUE, RED], [BLUE, RED, BLUE]);

  test.each([
    ["1 bit", bmpOf(3, 2, 1, [0b10100000, 0, 0, 0, 0b01000000, 0, 0, 0], { palette })],
    ["4 bits, with rows of an odd number of pixels", bmpOf(3, 2, 4, [0x10, 0x10, 0, 0, 0x01, 0x00, 0, 0], { palette })],
    ["8 bits", bmpOf(3, 2, 8, [1, 0, 1, 0, 0, 1, 0, 0], { palette })],
    ["a gap before the pixels", bmpOf(3, 2, 8, [1, 0, 1, 0, 0, 1, 0, 0], { palette, gap: 5 })],
    ["the top row first", bmpOf(3, -2, 8, [0, 1, 0, 0, 1, 0, 1, 0], { palette })],
  ])("%s", async (_what, bmp) => {
    expect(await decoded("bmp", bmp)).toEqual(checks);
  });

  test.each([
    ["24 bits", bmpOf(2, 1, 24, rgb)],
    ["32 bits, of which 24 count", bmpOf(2, 1, 32, [255, 0, 0, 0, 0, 0, 255, 0])],
    ["32 bits without masks behind a long header", bmpOf(2, 1, 32, [255, 0, 0, 0, 0, 0, 255, 0], { headerSize: 124 })],
  ])("%s", async (_what, bmp) => {
    expect(await decoded("bmp", bmp)).toEqual(pictureOf([BLUE, RED]));
  });

  test.each([
    ["an end too early", bmpOf(2, 1, 24, rgb.slice(0, 5)), "it ends too early"],
    ["many pixels that aren't there", bmpOf(4_096, 4_096, 24, []), "it ends too early"],
    ["run lengths", bmpOf(2, 1, 8, [2, 0, 0, 1], { palette, compression: 1 }), "it is compressed"],
    ["a palette without end", bmpOf(2, 1, 24, rgb, { colours: 0xffffffff }), "it has a palette of 4294967295 colours"],
    ["a depth that doesn't exist", bmpOf(2, 1, 0, rgb), "it has 0 bits a pixel"],
  ])("%s is refused", async (_what, bmp, why) => {
    expect(await refusal("bmp", bmp)).toContain(`The image says it is bmp but can't be decoded: ${why}`);
  });

  test("the header of OS/2 is refused", async () => {
    const head = bmpOf(2, 1, 24, rgb);
    head.writeUInt32LE(64, 14);
    expect(await refusal("bmp", head)).toContain("its header has 64 bytes, which is an old kind");
  });
});

describe("jpeg", () => {
  const meeting = stock("meeting.jpg");
  const frame = meeting.indexOf(Buffer.from([0xff, 0xc0]));
  const scan = meeting.indexOf(Buffer.from([0xff, 0xda]));

  test("an end too early is refused", async () => {
    expect(await refusal("jpeg", meeting.subarray(0, 100_000))).toContain("can't be decoded: unexpected marker");
  });

  test("pixels that aren't there aren't made up", async () => {
    const head = Buffer.from(meeting.subarray(0, scan + 14));
    head.writeUInt16BE(4_000, frame + 5);
    const begun = performance.now();
    expect(await refusal("jpeg", head)).toContain("can't be decoded: unexpected marker");
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  test("more scans than any image has are refused", async () => {
    const scans = Array.from({ length: 33 }, () => meeting.subarray(scan, scan + 14));
    expect(await refusal("jpeg", Buffer.concat([meeting.subarray(0, scan), ...scans]))).toContain("it has 33 scans");
  });

  test("another frame is refused", async () => {
    const other = Buffer.from(meeting.subarray(frame, frame + 19));
    other.writeUInt16BE(8, 5);
    const both = Buffer.concat([meeting.subarray(0, frame + 19), other, meeting.subarray(frame + 19)]);
    expect(await refusal("jpeg", both)).toContain("can't be decoded");
  });
});

describe("before anything is decoded", () => {
  test.each<[string, Drawable, Buffer, string]>([
    ["no pixels", "png", pngOf(0, 1, Buffer.alloc(0)), "The image is 0 by 1 pixels: there is nothing to draw."],
    ["too long a side", "png", pngOf(65_536, 1, Buffer.alloc(0)), "The image is 65536 by 1 pixels, and up to 65535 a side"],
    ["too many pixels", "bmp", bmpOf(4_096, 4_097, 24, []), "The image is 4096 by 4097 pixels, which is more than 16777216"],
    ["another type", "jpeg", pngOf(1, 1, Buffer.alloc(5)), "The image says it is jpeg, but it is png."],
    [
      "no type",
      "png",
      Buffer.from("<svg width='1' height='1'/>"),
      "The image says it is png, but it begins like none that is known.",
    ],
    ["no dimensions", "jpeg", Buffer.from([0xff, 0xd8, 0xff]), "The image says it is jpeg, but its dimensions can't be read: "],
  ])("%s is refused", async (_what, type, data, message) => {
    expect(await refusal(type, data)).toContain(message);
  });

  test("dimensions are looked for in the first megabyte alone", async () => {
    const segment = Buffer.alloc(65_535 + 2);
    segment.set([0xff, 0xe2, 0xff, 0xff]);
    const [start, rest] = [stock("meeting.jpg").subarray(0, 2), stock("meeting.jpg").subarray(2)];
    const behind = (segments: number): Buffer =>
      Buffer.concat([start, ...Array.from({ length: segments }, () => segment), rest]);
    expect(await measure("jpeg", behind(15))).toMatchObject({ width: 1_920, height: 1_080 });
    expect(await refusal("jpeg", behind(16))).toContain("its dimensions can't be read");
  });

  test("what has other dimensions when it is decoded is refused", async () => {
    const file = await measure("png", pngOf(1, 1, Buffer.from([0, ...RED])));
    await expect(decode({ ...file, width: 2 })).rejects.toThrow("it has dimensions in two places");
  });

  test("what is too large, or has no type, isn't even fetched", () => {
    expect(checkDrawable({ type: "png", size: 32 * 1024 * 1024 })).toBe("png");
    expect(() => checkDrawable({ type: "png", size: 32 * 1024 * 1024 + 1 })).toThrow("up to 33554432 are drawn");
    expect(() => checkDrawable({ type: "none", size: 1 })).toThrow("stored without a type");
  });
});

describe("any bytes behind a good head are one clear error, or a picture", () => {
  const two = Buffer.from([0, ...RED, 0, ...CLEAR]);
  const seeds: [Drawable, Buffer][] = [
    ["png", pngOf(1, 2, two)],
    ["png", pngOf(5, 3, Buffer.alloc(22), { colourType: 3, interlace: 1, extra: [chunk("PLTE", Buffer.alloc(6))] })],
    ["png", pngOf(3, 1, Buffer.from([0, 0xff]), { colourType: 0, depth: 2, extra: [chunk("tRNS", Buffer.from([0, 3]))] })],
    ["bmp", bmpOf(3, 2, 4, [0x10, 0x10, 0, 0, 0x01, 0x00, 0, 0], { palette: [0, 0, 255, 0, 255, 0, 0, 0] })],
    ["bmp", bmpOf(2, 1, 32, [255, 0, 0, 0, 0, 0, 255, 0], { headerSize: 124 })],
    ["jpeg", smallJpeg()],
  ];

  test.each(seeds)("%s", async (type, seed) => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    const change = fc.record({ at: fc.nat(seed.length), bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { maxLength: 4 }),
        fc.option(fc.nat(seed.length)),
        bytes,
        async (changes, cut, tail) => {
          const data = Buffer.from(seed);
          for (const { at, bytes } of changes) data.set(bytes.subarray(0, Math.max(0, data.length - at)), at);
          // As far as it isn't what is refused before: large pictures have tests of their own, and take their time.
          if (type === "png" && data.readUInt32BE(16) * data.readUInt32BE(20) > 1_000) return;
          await refusal(type, cut === null ? data : Buffer.concat([data.subarray(0, cut), tail]));
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** The head of a photograph, 16 by 8, and the first bytes of its pixels. */
function smallJpeg(): Buffer {
  const head = Buffer.from(stock("meeting.jpg").subarray(0, 800));
  const frame = head.indexOf(Buffer.from([0xff, 0xc0]));
  head.writeUInt16BE(8, frame + 5);
  head.writeUInt16BE(16, frame + 7);
  return head;
}
