/** The value of a key as JSON, with nothing lost: what JSON lacks is an object whose only key begins with `$`. */
import { isArray, type KvValue } from "../../protocol/index.js";

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

function jsonNumber(value: number): Json {
  if (Object.is(value, -0)) return { $float: "-0" };
  return Number.isFinite(value) ? value : { $float: String(value) };
}
