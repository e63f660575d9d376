import { crc32 as zlibCrc32 } from "node:zlib";

/** Bytes that the check takes at the end of a frame (SPEC §1.2). */
export const CRC_BYTES = 4;

/** CRC-32/ISO-HDLC over `bytes`: zlib's, Ethernet's, MicroPython's `binascii.crc32` (SPEC §1.2). */
export function crc32(bytes: Uint8Array): number {
  return zlibCrc32(bytes);
}
