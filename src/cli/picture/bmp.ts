/** BMP, decoded by bmp-ts, which is given only what it reads rightly. */
import type { Picture } from "./decode.js";

/** The two headers of a file, as Microsoft's BITMAPFILEHEADER and BITMAPINFOHEADER have them. */
interface Header {
  /** Where the pixels begin in the file. */
  readonly offset: number;
  /** Bytes of the second header. */
  readonly size: number;
  readonly width: number;
  readonly height: number;
  /** Bits a pixel. */
  readonly depth: number;
  readonly compression: number;
  /** Colours in the palette; 0 is as many as there can be. */
  readonly colours: number;
}

const FILE_HEADER_BYTES = 14;
const INFO_HEADER_BYTES = 40;
const SIZES = [INFO_HEADER_BYTES, 52, 56, 108, 124];
const DEPTHS = [1, 4, 8, 16, 24, 32];
const MOST_COLOURS = 256;

/** The kinds without run lengths, which bmp-ts 1.0.9 reads wrongly, and the bytes of masks that follow the shortest header. */
const MASK_BYTES = new Map([
  [0, 0], // BI_RGB
  [3, 12], // BI_BITFIELDS
  [6, 16], // BI_ALPHABITFIELDS
]);
const WIDTH_AT = 18;
const MASKS_AT = FILE_HEADER_BYTES + INFO_HEADER_BYTES;

/** Fails with what is wrong. */
export async function decodeBmp(data: Buffer): Promise<Picture> {
  const header = headerOf(data);
  const { decode } = await import("bmp-ts");
  const decoded = decode(readable(data, header));
  return pictureOf(header, decoded.data, decoded.width);
}

function headerOf(data: Buffer): Header {
  if (data.length < MASKS_AT) throw new Error("it ends too early");
  const header = {
    offset: data.readUInt32LE(10),
    size: data.readUInt32LE(14),
    width: data.readUInt32LE(WIDTH_AT),
    height: Math.abs(data.readInt32LE(22)),
    depth: data.readUInt16LE(28),
    compression: data.readUInt32LE(30),
    colours: data.readUInt32LE(46),
  };
  const { size, depth, compression, colours } = header;
  if (!SIZES.includes(size)) throw new Error(`its header has ${size} bytes, which is an old kind`);
  if (!DEPTHS.includes(depth)) throw new Error(`it has ${depth} bits a pixel`);
  if (!MASK_BYTES.has(compression)) throw new Error("it is compressed");
  if (colours > MOST_COLOURS) throw new Error(`it has a palette of ${colours} colours`);
  return header;
}

/** The file as bmp-ts expects it. It reads on behind the palette, wherever the pixels begin. */
function readable(data: Buffer, header: Header): Buffer {
  const { offset, width, height, depth, compression } = header;
  const before = headBytes(header);
  const row = Math.ceil((width * depth) / 32) * 4;
  const pixels = row * (height - 1) + Math.ceil((width * depth) / 8);
  if (offset < before || offset + pixels > data.length) throw new Error("it ends too early, or begins inside of its header");
  const copy = Buffer.concat([data.subarray(0, before), data.subarray(offset, offset + row * height)]);
  // With four bits a pixel it stops behind the first row of an odd number of pixels: an even one has as many bytes.
  if (depth === 4) copy.writeUInt32LE(width + (width % 2), WIDTH_AT);
  // It believes masks in a longer header that don't count.
  if (compression === 0 && header.size > INFO_HEADER_BYTES) writeMasks(copy, header);
  return copy;
}

/** Up to where bmp-ts begins to read pixels. */
function headBytes({ size, depth, compression, colours }: Header): number {
  const palette = depth <= 8 && colours === 0 ? 2 ** depth : colours;
  const masks = MASK_BYTES.get(compression) ?? 0;
  return FILE_HEADER_BYTES + Math.max(size, INFO_HEADER_BYTES + masks) + 4 * palette;
}

function writeMasks(copy: Buffer, { size, depth }: Header): void {
  const masks = depth === 16 ? [0x7c00, 0x03e0, 0x001f, 0] : [0xff0000, 0x00ff00, 0x0000ff, 0];
  const there = size < 56 ? 3 : 4;
  for (const [i, mask] of masks.slice(0, there).entries()) copy.writeUInt32LE(mask, MASKS_AT + 4 * i);
}

/** bmp-ts gives alpha, blue, green and red; no alpha but 0 where a pixel has none. */
function pictureOf({ width, height, depth }: Header, abgr: Buffer, decodedWidth: number): Picture {
  const hasAlpha = depth === 16 || depth === 32;
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * decodedWidth + x) * 4;
      const to = (y * width + x) * 4;
      data[to] = abgr[from + 3] ?? 0;
      data[to + 1] = abgr[from + 2] ?? 0;
      data[to + 2] = abgr[from + 1] ?? 0;
      data[to + 3] = hasAlpha ? (abgr[from] ?? 0) : 255;
    }
  }
  return { width, height, data };
}
