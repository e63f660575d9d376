/** What messages and operations are made of. */
import * as v from "valibot";
import type { Item } from "./item.js";
import { UINT32_MAX, VALUE_DEPTH } from "./limits.js";

/** The layers of the store, in lookup order (SPEC §6). */
export const LAYERS = ["ephemeral", "runtime", "factory"] as const;
export type Layer = (typeof LAYERS)[number];

/** What an image can be. `none` is an image of no type that the dock knows. */
export const IMAGE_TYPES = ["png", "bmp", "jpeg", "none"] as const;
export type ImageType = (typeof IMAGE_TYPES)[number];

/** What the value of a key can be: what CBOR and MicroPython's built-in types have in common (SPEC §6). */
export type KvValue = Item;

/** The bytes that text takes on the line. */
export function utf8Length(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

export const uint32 = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(UINT32_MAX));
export const uint53 = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export const requestId = v.pipe(uint32, v.minValue(1));
const bytes = v.custom<Uint8Array>((it) => it instanceof Uint8Array);
export const eightBytes = bytesOfLength(8, 8);
export const sha256 = bytesOfLength(32, 32);
export const layer = v.picklist(LAYERS);
export const versions = v.pipe(v.array(requestId), v.minLength(1), v.maxLength(8));
export const features = v.pipe(v.array(text(1, 16)), v.maxLength(16));
export const imageType = v.picklist(IMAGE_TYPES);
/** A tag or a key: not empty, without U+0000 (SPEC §6). How long it may be is what the dock announces. */
export const name = v.pipe(
  v.string(),
  v.check((it) => it !== "" && !it.includes("\0"), "empty, or with U+0000"),
);
export const value = v.custom<Item>((item) => nestingWithin(item, VALUE_DEPTH), "not a value of a key");

/** Text of `least` to `most` bytes. */
export function text(least: number, most: number) {
  return v.pipe(
    v.string(),
    v.check((it) => utf8Length(it) >= least && utf8Length(it) <= most, `not ${least} to ${most} bytes`),
  );
}

/** A byte string of `least` to `most` bytes. */
export function bytesOfLength(least: number, most: number) {
  return v.pipe(
    bytes,
    v.check((it) => it.length >= least && it.length <= most, `not ${least} to ${most} bytes`),
  );
}

function nestingWithin(item: unknown, depth: number): item is Item {
  if (item === null || item instanceof Uint8Array) return true;
  if (typeof item !== "object") return ["boolean", "number", "bigint", "string"].includes(typeof item);
  return depth > 0 && Object.values(item).every((inner) => nestingWithin(inner, depth - 1));
}

/** Whether something is a value that a key can have: its kinds, and arrays and maps at most 16 deep (SPEC §6). */
export function isKvValue(item: unknown): item is KvValue {
  return nestingWithin(item, VALUE_DEPTH);
}
