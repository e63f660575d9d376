/** Values that a user gives as JSON, in the notation of `dl7450 kv get --json`. */
import { valueOfJson } from "../../protocol/json-value.js";
import type { KvValue } from "../index.js";
import { quoted } from "../visible.js";

/** The value that JSON stands for. Throws an Error that says what is wrong. */
export function valueOfText(text: string): KvValue {
  const json: unknown = JSON.parse(text);
  checkIntegers(text);
  return valueOfJson(json);
}

/** Keys with their values, of an object. Throws an Error that says what is wrong. */
export function valuesOfText(text: string): [key: string, value: KvValue][] {
  const json: unknown = JSON.parse(text.replace(/^\ufeff/, ""));
  checkIntegers(text);
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new Error("it isn't an object of keys and values");
  return Object.entries(json).map(([key, value]: [string, unknown]) => {
    try {
      return [key, valueOfJson(value)];
    } catch (cause) {
      throw new Error(`the value of ${quoted(key)}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  });
}

/** JSON.parse silently takes the nearest float for an integer that has too many digits for one. */
function checkIntegers(json: string): void {
  for (const [token] of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g)) {
    if (!/^-?\d{16,}$/.test(token) || String(Number(token)) === token) continue;
    throw new RangeError(`${token} would lose digits, and is to be written {"$int": "${token}"}`);
  }
}
