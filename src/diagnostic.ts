/** The value of a key for people: CBOR's diagnostic notation (RFC 8949 §8). */
import type { KvValue } from "../protocol/index.js";
import { isArray } from "../protocol/item.js";
import { jsonText } from "./json-text.js";

/**
 * `"text"`, `12`, `1.5`, `h'0102'`, `["a", 1]`, `{"k": true}`, always on one line.
 * @param bytesText how bytes are written
 */
export function diagnostic(value: KvValue, bytesText: (bytes: Uint8Array) => string = hexadecimal): string {
  if (value === null || typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (typeof value === "string") return jsonText(value);
  if (typeof value === "number") return diagnosticNumber(value);
  if (value instanceof Uint8Array) return bytesText(value);
  if (isArray(value)) return `[${value.map((inner) => diagnostic(inner, bytesText)).join(", ")}]`;
  const entries = Object.entries(value).map(([key, inner]) => `${jsonText(key)}: ${diagnostic(inner, bytesText)}`);
  return `{${entries.join(", ")}}`;
}

function hexadecimal(bytes: Uint8Array): string {
  return `h'${Buffer.from(bytes).toString("hex")}'`;
}

function diagnosticNumber(value: number): string {
  if (Object.is(value, -0)) return "-0.0";
  const digits = String(value);
  // Whole and not a safe integer: a float, since such an integer would be a bigint. Without a point it would read as one.
  return Number.isSafeInteger(value) || !/^-?\d+$/.test(digits) ? digits : `${digits}.0`;
}
