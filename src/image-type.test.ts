import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { HEAD_BYTES, type ImageType, typeOf } from "../protocol/index.js";
import { DockError } from "./errors.js";
import { checkedType } from "./image-type.js";

const stock = new URL("../mocks/fixtures/stock/", import.meta.url);
const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13);
const JPEG = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0);
const BMP = bmp(40);
const TEXT = Buffer.from("BM is how many a text begins");

describe("the type", () => {
  test.each([
    ["default.png", "png"],
    ["meeting.jpg", "jpeg"],
    ["welcome.bmp", "bmp"],
  ])("of %s is told from its first bytes alone", (file, type) => {
    expect(typeOf(readFileSync(new URL(file, stock)).subarray(0, HEAD_BYTES))).toBe(type);
  });

  test.each([12, 40, 52, 56, 64, 108, 124])("of a BMP is told whatever its second header, here of %i bytes", (size) => {
    expect(typeOf(bmp(size))).toBe("bmp");
  });

  test("of a BMP is told when it stands in the middle of other bytes", () => {
    const around = Buffer.concat([TEXT, BMP, TEXT]);
    expect(typeOf(around.subarray(TEXT.length, TEXT.length + BMP.length))).toBe("bmp");
  });

  test.each([
    ["nothing", new Uint8Array(0)],
    ["text", TEXT],
    ["a BMP whose second header has no size that there is", bmp(41)],
    ["a BMP whose second header has a size of more than a byte", bmp(40 + 256)],
    ["what has but the second header of a BMP", Buffer.concat([Buffer.alloc(14), BMP.subarray(14)])],
    ["a BMP that is cut off", BMP.subarray(0, HEAD_BYTES - 1)],
    ["a PNG that is cut off", PNG.subarray(0, 7)],
    ["a PNG whose line ends were converted", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0a, 0x1a, 0x0a)],
    ["a JPEG that is cut off", JPEG.subarray(0, 2)],
    ["a GIF", Buffer.from("GIF89a")],
  ])("of %s is none", (_, head) => {
    expect(typeOf(head)).toBe("none");
  });
});

describe("the type to store an image with", () => {
  test.each([
    ["png", PNG],
    ["bmp", BMP],
    ["jpeg", JPEG],
  ] as const)("is what it is, here %s, told or not", (type, head) => {
    expect(checkedType(head, undefined)).toBe(type);
    expect(checkedType(head, type)).toBe(type);
  });

  test("is none for anything that was said to be none", () => {
    for (const head of [PNG, BMP, JPEG, TEXT, new Uint8Array(0)]) expect(checkedType(head, "none")).toBe("none");
  });

  test("is INVALID when it can't be told, with a hint at none", () => {
    const error = refusal(TEXT, undefined);
    expect(error.code).toBe("INVALID");
    expect(error.message).toContain('"none"');
  });

  test.each([
    [PNG, "jpeg", "png"],
    [JPEG, "bmp", "jpeg"],
    [BMP, "png", "bmp"],
    [TEXT, "png", "none"],
  ] as const)("is INVALID when it isn't what was said, naming both", (head, said, type) => {
    const error = refusal(head, said);
    expect(error.code).toBe("INVALID");
    expect(error.message).toContain(`said to be ${said}`);
    expect(error.message).toContain(`is ${type}`);
  });

  test.each(["gif", "PNG", "", null, 1])("is USAGE when %j was said, which there isn't", (said) => {
    const error = refusal(PNG, JSON.parse(JSON.stringify(said)));
    expect(error.code).toBe("USAGE");
    expect(error.message).toContain("png, bmp, jpeg, none");
  });
});

function bmp(headerSize: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.write("BM");
  head.writeUInt32LE(headerSize, 14);
  return head;
}

function refusal(head: Uint8Array, said: ImageType | undefined): DockError {
  try {
    checkedType(head, said);
  } catch (error) {
    if (error instanceof DockError) return error;
  }
  throw new Error("it wasn't refused");
}
