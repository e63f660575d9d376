/** Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999): bytes without a 0, at most one byte more in 254 (SPEC §1.2). */

/** Most bytes that `length` bytes of data become. */
export function cobsBound(length: number): number {
  return length + Math.floor(length / 254) + 1;
}

/**
 * Stuffs `data` into `out` from `at` on, and returns the index after the last byte written.
 * `out` must have room for `cobsBound(data.length)` bytes there.
 */
export function cobsEncode(data: Uint8Array, out: Uint8Array, at: number): number {
  let code = 1;
  let codeAt = at;
  let next = at + 1;
  for (let i = 0; i < data.length; i++) {
    const byte = data[i] as number;
    if (byte !== 0) {
      out[next++] = byte;
      code++;
    }
    const more = i + 1 < data.length;
    if (byte === 0 || (code === 0xff && more)) {
      out[codeAt] = code;
      code = 1;
      codeAt = next++;
    }
  }
  out[codeAt] = code;
  return next;
}

/**
 * Takes the stuffing out of `stuffed`, in place: the data is never longer and never ahead of what is read.
 * Returns the part of `stuffed` that holds the data, or undefined when it isn't COBS.
 */
export function cobsDecode(stuffed: Uint8Array): Uint8Array | undefined {
  const length = stuffed.length;
  let read = 0;
  let write = 0;
  while (read < length) {
    const code = stuffed[read++] as number;
    const end = read + code - 1;
    if (code === 0 || end > length) return undefined;
    while (read < end) {
      const byte = stuffed[read++] as number;
      if (byte === 0) return undefined;
      stuffed[write++] = byte;
    }
    if (code !== 0xff && read < length) stuffed[write++] = 0;
  }
  return stuffed.subarray(0, write);
}
