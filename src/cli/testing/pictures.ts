/** Small pictures for tests, and files that are made to do harm. */
import { crc32, deflateSync } from "node:zlib";
import type { Picture } from "../picture/decode.js";

export type Rgba = readonly [red: number, green: number, blue: number, alpha: number];

export const RED: Rgba = [255, 0, 0, 255];
export const BLUE: Rgba = [0, 0, 255, 255];
export const CLEAR: Rgba = [0, 0, 0, 0];

/** A picture out of its rows. */
export function pictureOf(...rows: readonly (readonly Rgba[])[]): Picture {
  return { width: rows[0]?.length ?? 0, height: rows.length, data: Uint8Array.from(rows.flat(2)) };
}

export function chunk(type: string, body: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type, "latin1"), body]);
  const whole = Buffer.alloc(8 + named.length);
  whole.writeUInt32BE(body.length, 0);
  named.copy(whole, 4);
  whole.writeUInt32BE(crc32(named), 4 + named.length);
  return whole;
}

export interface PngOptions {
  readonly depth?: number;
  /** RGB with alpha unless told. */
  readonly colourType?: number;
  readonly interlace?: number;
  /** Between the header and the pixels. */
  readonly extra?: readonly Buffer[];
}

/** A PNG whose pixels inflate to `raw`: before each row 0, for no filter. */
export function pngOf(width: number, height: number, raw: Uint8Array, options: PngOptions = {}): Buffer {
  const { depth = 8, colourType = 6, interlace = 0, extra = [] } = options;
  const header = pngHeader(width, height, depth, colourType, interlace);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    header,
    ...extra,
    chunk("IDAT", deflateSync(raw)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

export function pngHeader(width: number, height: number, depth = 8, colourType = 6, interlace = 0): Buffer {
  const body = Buffer.alloc(13);
  body.writeUInt32BE(width, 0);
  body.writeUInt32BE(height, 4);
  body.set([depth, colourType, 0, 0, interlace], 8);
  return chunk("IHDR", body);
}

export interface BmpOptions {
  readonly compression?: number;
  readonly headerSize?: number;
  /** Of 4 bytes each: blue, green, red, 0. */
  readonly palette?: readonly number[];
  readonly colours?: number;
  /** Between palette and pixels, in bytes. */
  readonly gap?: number;
}

/** A BMP with rows as they are in the file: from the bottom, unless the height is negative. */
export function bmpOf(width: number, height: number, depth: number, rows: readonly number[], options: BmpOptions = {}): Buffer {
  const { compression = 0, headerSize = 40, palette = [], colours = palette.length / 4, gap = 0 } = options;
  const head = Buffer.alloc(14 + headerSize);
  head.write("BM");
  head.writeUInt32LE(head.length + palette.length + gap, 10);
  head.writeUInt32LE(headerSize, 14);
  head.writeInt32LE(width, 18);
  head.writeInt32LE(height, 22);
  head.writeUInt16LE(1, 26);
  head.writeUInt16LE(depth, 28);
  head.writeUInt32LE(compression, 30);
  head.writeUInt32LE(colours, 46);
  return Buffer.concat([head, Buffer.from(palette), Buffer.alloc(gap, 0xaa), Buffer.from(rows)]);
}
