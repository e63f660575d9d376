/** The value of a key as JSON and back, with nothing lost: what JSON lacks is an object whose only key begins with `$`. */

import type { KvValue } from "./fields.js";
import { isArray } from "./item.js";
import { VALUE_DEPTH } from "./limits.js";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * Bytes become `{"$bytes": "<base64>"}`, integers beyond 2⁵³ − 1 `{"$int": "<decimal>"}`, and the floats that JSON has no form
 * for `{"$float": "NaN"}` (`Infinity`, `-Infinity`, `-0`). A map's key that begins with `$` gets one more in front.
 */
export function jsonValue(value: KvValue): Json {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "bigint") return { $int: value.toString() };
  if (typeof value === "number") return jsonNumber(value);
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
  if (isArray(value)) return value.map(jsonValue);
  // fromEntries takes a key that is called __proto__ as it is.
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key.startsWith("$") ? `$${key}` : key, jsonValue(inner)]),
  );
}

/**
 * The value that `jsonValue` made `json` of. Takes anything that JSON can hold, and throws a RangeError that says what is wrong
 * when it is no value of a key: an unknown `$` form, a number beyond what a float holds, text that isn't Unicode, nested too deep.
 */
export function valueOfJson(json: unknown): KvValue {
  return valueAt(json, VALUE_DEPTH);
}

function jsonNumber(value: number): Json {
  if (Object.is(value, -0)) return { $float: "-0" };
  return Number.isFinite(value) ? value : { $float: String(value) };
}

/** `depth` arrays and maps may still begin here. */
function valueAt(json: unknown, depth: number): KvValue {
  if (json === null || typeof json === "boolean") return json;
  if (typeof json === "string") return unicode(json);
  if (typeof json === "number") {
    if (!Number.isFinite(json)) throw new RangeError("a number beyond what a float holds");
    return json;
  }
  if (typeof json !== "object") throw new RangeError(`${typeof json} isn't JSON`);
  const entries: [string, unknown][] = Object.entries(json);
  const [key = "", inner] = entries[0] ?? [];
  if (!Array.isArray(json) && /^\$(?!\$)/.test(key) && entries.length === 1) return special(key, inner);
  if (depth === 0) throw new RangeError(`arrays and maps in one another more than ${VALUE_DEPTH} deep`);
  if (Array.isArray(json)) return json.map((it: unknown) => valueAt(it, depth - 1));
  return Object.fromEntries(entries.map(([key, inner]) => [mapKey(key), valueAt(inner, depth - 1)]));
}

/** A map's key without the `$` that was put in front. */
function mapKey(key: string): string {
  if (/^\$(?!\$)/.test(key)) throw new RangeError(`a key ${key} beside others; one that begins with $ is written with $$`);
  return unicode(key.startsWith("$") ? key.slice(1) : key);
}

/** What JSON has no form for. */
function special(key: string, inner: unknown): KvValue {
  if (typeof inner === "string") {
    if (key === "$bytes") return bytesOf(inner);
    if (key === "$int") return integerOf(inner);
    const float = key === "$float" ? FLOATS.get(inner) : undefined;
    if (float !== undefined) return float;
  }
  throw new RangeError(`a ${key} that isn't one of {"$bytes": base64}, {"$int": decimal}, {"$float": NaN, ±Infinity or -0}`);
}

const FLOATS = new Map(["NaN", "Infinity", "-Infinity", "-0"].map((text) => [text, Number(text)]));

function bytesOf(base64: string): Uint8Array {
  const bytes = Buffer.from(base64, "base64");
  // Buffer.from leaves out what isn't base64.
  if (bytes.toString("base64") !== base64) throw new RangeError("$bytes that isn't base64");
  return Uint8Array.from(bytes);
}

function integerOf(decimal: string): bigint {
  // Digits are counted first: the time that BigInt takes grows with their square.
  const integer = /^(0|-?[1-9]\d{0,18})$/.test(decimal) ? BigInt(decimal) : undefined;
  if (integer === undefined || BigInt.asIntN(64, integer) !== integer) {
    throw new RangeError("$int that isn't a decimal integer from −2⁶³ to 2⁶³ − 1");
  }
  return integer;
}

function unicode(text: string): string {
  if (!text.isWellFormed()) throw new RangeError("text that isn't Unicode: half of a surrogate pair");
  return text;
}
