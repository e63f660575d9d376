/** What each kind of terminal is sent, byte for byte. */
import { decode as decodeSixel } from "sixel";
import { describe, expect, test } from "vitest";
import { BLUE, bmpOf, CLEAR, pictureOf, pngOf, RED, type Rgba } from "../testing/pictures.js";
import { measure } from "./decode.js";
import { drawing } from "./drawing.js";
import { iterm2File } from "./iterm2.js";
import { kittyFile, kittyPixels } from "./kitty.js";
import { sixels } from "./sixel.js";
import type { Way } from "./terminal.js";

const PNG = pngOf(1, 2, Buffer.from([0, ...RED, 0, ...BLUE]));
const BMP = bmpOf(2, 1, 24, [0, 0, 255, 255, 0, 0, 0, 0]);

async function drawn(type: "png" | "bmp", data: Buffer, way: Way, widest = 80): Promise<string> {
  let text = "";
  for await (const piece of drawing(await measure(type, data), way, widest, {})) text += piece;
  return text;
}

describe("kitty", () => {
  test("a PNG is sent as it is", async () => {
    expect(await drawn("png", PNG, "kitty")).toBe(`\x1b_Ga=T,f=100,c=1,q=2,m=0;${PNG.toString("base64")}\x1b\\\n`);
  });

  test("anything else is sent as pixels, with alpha where there is any", async () => {
    expect(await drawn("bmp", BMP, "kitty")).toBe("\x1b_Ga=T,f=24,s=2,v=1,c=1,q=2,m=0;/wAAAAD/\x1b\\\n");
    expect(kittyPixels(pictureOf([RED], [CLEAR]), 3)).toBe("\x1b_Ga=T,f=32,s=1,v=2,c=3,q=2,m=0;/wAA/wAAAAA=\x1b\\\n");
  });

  test("4096 characters are one piece, and one byte more makes two", () => {
    const full = "AAAA".repeat(1_024);
    expect(kittyFile(new Uint8Array(3_072), 5)).toBe(`\x1b_Ga=T,f=100,c=5,q=2,m=0;${full}\x1b\\\n`);
    expect(kittyFile(new Uint8Array(3_073), 5)).toBe(`\x1b_Ga=T,f=100,c=5,q=2,m=1;${full}\x1b\\\x1b_Gq=2,m=0;AA==\x1b\\\n`);
  });
});

test("iTerm2 gets a file of any type as it is", async () => {
  const text = `\x1b]1337;File=inline=1;size=${BMP.length};width=1:${BMP.toString("base64")}\x07\n`;
  expect(await drawn("bmp", BMP, "iterm2")).toBe(text);
  expect(iterm2File(Uint8Array.of(1, 2, 3).subarray(1), 9)).toBe("\x1b]1337;File=inline=1;size=2;width=9:AgM=\x07\n");
});

describe("sixel", () => {
  test("is a palette, exactly the colours if they are few, and bands of six rows", async () => {
    expect(await drawn("png", PNG, "sixel")).toBe('\x1bP0;0;q"1;1;1;2#0;2;100;0;0#1;2;0;0;100#0@$#1A$\x1b\\\n');
  });

  test("what can be seen through is drawn on black", async () => {
    const [red, black] = await sixelPixels([RED, CLEAR]);
    expect({ red, black }).toEqual({ red: [255, 0, 0, 255], black: [0, 0, 0, 255] });
  });

  test("decoded, it is the picture", async () => {
    const row = Array.from({ length: 16 }, (_, i): Rgba => (i % 2 === 0 ? [16 * i, 0, 204, 255] : [0, 51, 16 * i, 255]));
    for (const [i, pixel] of (await sixelPixels(row)).entries()) {
      for (const [channel, value] of pixel.entries()) expect(Math.abs(value - (row[i]?.[channel] ?? 0))).toBeLessThan(8);
    }
  });

  test("fits into a thousand pixels a side, which is what xterm takes", async () => {
    const long = await drawn("png", pngOf(2_000, 10, Buffer.alloc(8_001 * 10)), "sixel", 1_000);
    expect(long.slice(0, 25)).toContain('q"1;1;1000;5#');
    const high = await drawn("png", pngOf(10, 2_000, Buffer.alloc(41 * 2_000)), "sixel", 1_000);
    expect(high.slice(0, 25)).toContain('q"1;1;5;1000#');
  });

  async function sixelPixels(row: readonly Rgba[]): Promise<number[][]> {
    const text = await sixels(pictureOf(row));
    const { data32 } = decodeSixel(text.slice(text.indexOf("q") + 1, text.indexOf("\x1b\\")));
    return [...data32].map((pixel) => [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255, pixel >>> 24]);
  }
});

describe("as wide as", () => {
  const wide = pngOf(800, 1, Buffer.alloc(3_201));

  test("told, or as the picture needs: eight of its pixels are a column, one is in blocks", async () => {
    const of = async (way: Way, widest: number): Promise<string> => (await drawn("png", wide, way, widest)).slice(0, 60);
    expect(await of("kitty", 80)).toContain(",c=80,");
    expect(await of("kitty", 200)).toContain(",c=100,");
    expect(await of("iterm2", 80)).toContain(";width=80:");
    expect(await of("sixel", 80)).toContain('"1;1;640;1#');
    expect(await drawn("png", wide, "blocks", 80)).toBe(`${" ".repeat(80)}\x1b[0m\n`);
  });

  test("kitty can take, also where that needs pixels instead of the file", async () => {
    const long = pngOf(10_001, 1, Buffer.alloc(40_005));
    expect((await drawn("png", long, "kitty", 1_000)).slice(0, 40)).toContain("f=32,s=10000,v=1,c=1000,");
  });
});

test("a file that can't be decoded isn't sent to a terminal that would decode it itself", async () => {
  await expect(drawn("png", PNG.subarray(0, -20), "kitty")).rejects.toMatchObject({ code: "PICTURE" });
  await expect(drawn("png", PNG.subarray(0, -20), "iterm2")).rejects.toMatchObject({ code: "PICTURE" });
});
