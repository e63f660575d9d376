/** PNG, decoded by pngjs, which is given only what it can bear. */
import { crc32, inflateSync } from "node:zlib";
import { systemCode } from "../../output-message.js";
import { quoted } from "../../visible.js";
import type { Picture } from "./decode.js";

/** Encoders make pieces of 8 kB and more. */
const MOST_CHUNKS = 65_536;

interface Chunk {
  readonly type: string;
  readonly body: Buffer;
  /** With its length, type and CRC. */
  readonly whole: Buffer;
}

const SIGNATURE_BYTES = 8;
/** Length and type before the body, a CRC behind it. */
const FRAME_BYTES = 12;

/**
 * How often a chunk may come, and how long it is at most (PNG §11). pngjs believes the last header, makes an object of each colour of
 * a palette of any length.
 */
const LIMITS: Readonly<Record<string, number>> = { IHDR: 13, PLTE: 3 * 256, tRNS: 256 };

/** Of colour types 0, 2, 3, 4, 6: samples a pixel (PNG §11.2.1). */
const SAMPLES = new Map([
  [0, 1],
  [2, 3],
  [3, 1],
  [4, 2],
  [6, 4],
]);
const DEPTHS = [1, 2, 4, 8, 16];

/** Fails with what is wrong. */
export async function decodePng(data: Buffer): Promise<Picture> {
  const chunks = chunksOf(data);
  checkPixels(chunks);
  const { PNG } = await import("pngjs");
  const plain = Buffer.concat([data.subarray(0, SIGNATURE_BYTES), ...chunks.map(({ whole }) => whole)]);
  const { width, height, data: pixels } = PNG.sync.read(plain);
  return { width, height, data: pixels };
}

/** The chunks that make the pixels, up to the end: any number of others, and what comes behind, would only cost time. */
function chunksOf(data: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  const seen = new Set<string>();
  for (let at = SIGNATURE_BYTES; at + FRAME_BYTES <= data.length; ) {
    const end = at + FRAME_BYTES + data.readUInt32BE(at);
    const type = data.toString("latin1", at + 4, at + 8);
    const body = data.subarray(at + 8, end - 4);
    const most = LIMITS[type];
    if (most !== undefined && (seen.has(type) || body.length > most))
      throw new Error(`its ${type} is too long, or there twice`);
    seen.add(type);
    if (end > data.length) break;
    if (isNeeded(type)) {
      if (crc32(data.subarray(at + 4, end - 4)) !== data.readUInt32BE(end - 4)) throw new Error(`its ${type} is damaged`);
      chunks.push({ type, body, whole: data.subarray(at, end) });
      if (chunks.length > MOST_CHUNKS) throw new Error(`its pixels are in more than ${MOST_CHUNKS} pieces`);
    }
    if (type === "IEND") return chunks;
    at = end;
  }
  throw new Error("it ends too early");
}

/** Fails when it is needed by its name, a capital letter first (PNG §5.4), and isn't known. */
function isNeeded(type: string): boolean {
  if (LIMITS[type] !== undefined || type === "IDAT" || type === "IEND") return true;
  if ((type.charCodeAt(0) & 0x20) === 0) throw new Error(`it has a part that isn't known, ${quoted(type)}`);
  return false;
}

/**
 * That there are as many bytes of pixels as the header says: pngjs takes what was in memory for those that are missing, and inflates
 * an interlaced image without a limit.
 */
function checkPixels(chunks: readonly Chunk[]): void {
  const [header, ...rest] = chunks;
  if (header?.type !== "IHDR" || header.body.length !== LIMITS.IHDR) throw new Error("it doesn't begin with a header");
  const expected = pixelBytes(header.body);
  const packed = Buffer.concat(rest.filter(({ type }) => type === "IDAT").map(({ body }) => body));
  if (inflated(packed, expected) !== expected) throw new Error("it has fewer pixels than its header says");
}

function inflated(packed: Buffer, expected: number): number {
  try {
    return inflateSync(packed, { maxOutputLength: expected }).length;
  } catch (cause) {
    if (systemCode(cause) === "ERR_BUFFER_TOO_LARGE") throw new Error("it has more pixels than its header says", { cause });
    throw cause;
  }
}

/** With the byte that each row begins with (PNG §7.2, §9). */
function pixelBytes(header: Buffer): number {
  const [width, height, depth] = [header.readUInt32BE(0), header.readUInt32BE(4), header.readUInt8(8)];
  const samples = SAMPLES.get(header.readUInt8(9));
  if (samples === undefined || !DEPTHS.includes(depth)) throw new Error("its colours are of a kind that doesn't exist");
  let bytes = 0;
  for (const [left, top, across, down] of header.readUInt8(12) === 0 ? WHOLE : ADAM7) {
    const columns = Math.ceil((width - left) / across);
    const rows = Math.ceil((height - top) / down);
    if (columns > 0 && rows > 0) bytes += rows * (1 + Math.ceil((columns * samples * depth) / 8));
  }
  return bytes;
}

/** Of each pass: the first pixel, and the steps to the next. */
type Pass = readonly [left: number, top: number, across: number, down: number];
const WHOLE: readonly Pass[] = [[0, 0, 1, 1]];
/** PNG §8.2. */
const ADAM7: readonly Pass[] = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];
