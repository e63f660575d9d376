/** How long a value is as CBOR, worked out from RFC 8949 §3 and not with the codec of this package. */
import type { KvValue } from "../../src/index.js";

/** In bytes. A number may be a float of any width on the dock, also when it is whole (SPEC §1.3), so there are two bounds. */
export interface Length {
  readonly least: number;
  readonly most: number;
}

export function cborLength(value: KvValue): Length {
  if (value === null || typeof value === "boolean") return exactly(1);
  if (typeof value === "number") return number(value);
  if (typeof value === "bigint") return exactly(9); // those of 53 bits and less come as numbers
  if (typeof value === "string") return text(value);
  if (value instanceof Uint8Array) return exactly(headLength(value.length) + value.length);
  if (isArray(value)) return sum(headLength(value.length), value.map(cborLength));
  const parts = Object.entries(value).map(([key, item]) => sum(0, [text(key), cborLength(item)]));
  return sum(headLength(parts.length), parts);
}

/** The first byte of an item, and its argument in the shortest form. */
function headLength(argument: number): number {
  if (argument < 24) return 1;
  if (argument < 2 ** 8) return 2;
  if (argument < 2 ** 16) return 3;
  return argument < 2 ** 32 ? 5 : 9;
}

function number(value: number): Length {
  const asInteger = Number.isSafeInteger(value) ? headLength(value < 0 ? -1 - value : value) : 9;
  return { least: Math.min(3, asInteger), most: 9 };
}

function text(value: string): Length {
  const bytes = Buffer.byteLength(value);
  return exactly(headLength(bytes) + bytes);
}

function exactly(length: number): Length {
  return { least: length, most: length };
}

function sum(head: number, parts: readonly Length[]): Length {
  return parts.reduce((all, { least, most }) => ({ least: all.least + least, most: all.most + most }), exactly(head));
}

function isArray(value: KvValue): value is readonly KvValue[] {
  return Array.isArray(value);
}
