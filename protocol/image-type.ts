/** What images of each type begin with (SPEC §7.5). */
import type { ImageType } from "./fields.js";

/** Bytes of an image that are enough to tell its type: both headers of a BMP up to the size of the second. */
export const HEAD_BYTES = 18;

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const BMP = [0x42, 0x4d];
const JPEG = [0xff, 0xd8, 0xff];
/** Where the second header of a BMP begins, with its own size, and the sizes that there are. Two letters alone could begin any text. */
const BMP_HEADER = { offset: 14, sizes: [12, 40, 52, 56, 64, 108, 124] };

/** The type of an image that begins with `head`; "none" when it is none that a dock knows. */
export function typeOf(head: Uint8Array): ImageType {
  if (beginsWith(head, PNG)) return "png";
  if (beginsWith(head, JPEG)) return "jpeg";
  return isBmp(head) ? "bmp" : "none";
}

function isBmp(head: Uint8Array): boolean {
  if (!beginsWith(head, BMP) || head.length < HEAD_BYTES) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  return BMP_HEADER.sizes.includes(view.getUint32(BMP_HEADER.offset, true));
}

function beginsWith(head: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((byte, i) => head[i] === byte);
}
