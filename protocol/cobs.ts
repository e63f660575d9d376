/** Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999): bytes without a 0, at most one byte more in 254 (SPEC §1.2). */

/** Most bytes that `length` bytes of data become. */
export function cobsBound(length: number): number {
  return length + Math.floor(length / 254) + 1;
}

/** Most data bytes in one group. A full group stands for no 0. */
const FULL = 254;
/** Runs longer than this are searched and moved by the engine, shorter ones byte by byte: a call costs about so many bytes. */
const LONG = 24;

/**
 * Stuffs `data` into `out` from `at` on, and returns the index after the last byte written.
 * `out` must have room for `cobsBound(data.length)` bytes there.
 */
export function cobsEncode(data: Buffer, out: Buffer, at: number): number {
  let write = at;
  for (let read = 0; ; ) {
    const zero = nextZero(data, read);
    for (; zero - read > FULL; read += FULL) {
      out[write++] = FULL + 1;
      write += data.copy(out, write, read, read + FULL);
    }
    const length = zero - read;
    out[write++] = length + 1;
    if (length > LONG) write += data.copy(out, write, read, zero);
    else while (read < zero) out[write++] = data[read++] as number;
    if (zero === data.length) return write;
    if (length === FULL) out[write++] = 1; // the 0 that a full group doesn't stand for
    read = zero + 1;
  }
}

/**
 * Takes the stuffing out of `stuffed`, in place: the data is never longer and never ahead of what is read.
 * Returns the part of `stuffed` that holds the data, or undefined when it isn't COBS.
 */
export function cobsDecode(stuffed: Uint8Array): Uint8Array | undefined {
  if (stuffed.includes(0)) return undefined;
  let read = 0;
  let write = 0;
  while (read < stuffed.length) {
    const code = stuffed[read++] as number;
    const end = read + code - 1;
    if (end > stuffed.length) return undefined;
    if (code > LONG) {
      stuffed.copyWithin(write, read, end);
      write += end - read;
      read = end;
    } else {
      while (read < end) stuffed[write++] = stuffed[read++] as number;
    }
    if (code <= FULL && read < stuffed.length) stuffed[write++] = 0;
  }
  return stuffed.subarray(0, write);
}

/** The index of the first 0 from `from` on, or the length when there is none. */
function nextZero(data: Buffer, from: number): number {
  const near = Math.min(from + LONG, data.length);
  for (let i = from; i < near; i++) if (data[i] === 0) return i;
  const far = data.indexOf(0, near);
  return far < 0 ? data.length : far;
}
