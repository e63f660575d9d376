/** The value of a key, between the caller's memory and the line's: checked and copied on its way there, copied on its way back. */
import { types } from "node:util";
import { encodeBody, isArray, type KvValue, VALUE_DEPTH } from "../protocol/index.js";
import { DockError } from "./errors.js";
import { quoted, visible } from "./visible.js";

/** No dock takes a larger value, in bytes as encoded (SPEC §9.2). */
const LARGEST_VALUE = 65_000;

/**
 * A copy of what is to be stored, which later changes to the original don't reach: null, booleans, numbers, bigints from −2⁶³
 * to 2⁶³ − 1, well-formed text, `Uint8Array`, and arrays and plain objects of them, at most 16 in one another. Of an object its
 * own enumerable properties are taken, those with a symbol for a name aside; one that is undefined is refused, not dropped.
 * Fails with `USAGE`, which names the place, and with `TOO_LARGE` as soon as the value can't fit any dock.
 */
export function kvValue(value: unknown): KvValue {
  return new ValueCopy().of(value);
}

/** The size of a value: the bytes of its encoding (SPEC §6). */
export function encodedSize(value: KvValue): number {
  return encodeBody(value).length;
}

/** The value with byte strings of its own: those that come out of a frame share the frame's memory. */
export function ownBytes(value: KvValue): KvValue {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (typeof value !== "object" || value === null) return value;
  if (isArray(value)) return value.map(ownBytes);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, ownBytes(inner)]));
}

/** Whether two values are the same, whatever the order of the keys of their maps: on the line they may stand in any (SPEC §1.3). */
export function sameValue(a: KvValue, b: KvValue): boolean {
  return Buffer.compare(encodeBody(inOrder(a)), encodeBody(inOrder(b))) === 0;
}

function inOrder(value: KvValue): KvValue {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (isArray(value)) return value.map(inOrder);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, inOrder(inner)]));
}

/** One copy being made. Deep or endless values end at the depth, wide ones at the size. */
class ValueCopy {
  /** The names and indexes that lead to the item at hand. */
  readonly #path: (string | number)[] = [];
  /** The items so far take these bytes at least. */
  #bytes = 0;

  of(item: unknown): KvValue {
    this.#count(1);
    switch (typeof item) {
      case "boolean":
      case "number":
        return item;
      case "bigint":
        if (BigInt.asIntN(64, item) !== item) throw this.#refusal("a bigint of more than 64 bits");
        return item;
      case "string":
        return this.#text(item);
      case "object":
        return item === null ? null : this.#object(item);
      default:
        throw this.#refusal(item === undefined ? "undefined" : `a ${typeof item}`);
    }
  }

  #object(item: object): KvValue {
    if (types.isUint8Array(item)) {
      this.#count(item.length);
      return new Uint8Array(item);
    }
    // The path has as many parts as there are arrays and objects around the item.
    if (this.#path.length === VALUE_DEPTH) throw this.#refusal(`nested more than ${VALUE_DEPTH} deep`);
    if (Array.isArray(item)) return this.#array(item);
    const prototype: unknown = Object.getPrototypeOf(item);
    if (prototype !== null && prototype !== Object.prototype) throw this.#refusal(kindOf(item));
    const entries = Object.entries(item).map(([key, inner]): [string, KvValue] => [this.#key(key), this.#inner(key, inner)]);
    return Object.fromEntries(entries); // which defines `__proto__` like any other
  }

  /** By its indexes, so that a hole is met as the undefined that it reads as. */
  #array(items: readonly unknown[]): KvValue {
    const copy: KvValue[] = [];
    for (let i = 0; i < items.length; i++) copy.push(this.#inner(i, items[i]));
    return copy;
  }

  #inner(part: string | number, item: unknown): KvValue {
    this.#path.push(part);
    const copy = this.of(item);
    this.#path.pop();
    return copy;
  }

  #key(key: string): string {
    this.#count(1 + key.length);
    if (!key.isWellFormed()) throw this.#refusal(`a name with half a surrogate pair, ${quoted(key)}`);
    return key;
  }

  #text(text: string): string {
    this.#count(text.length);
    if (!text.isWellFormed()) throw this.#refusal("text with half a surrogate pair");
    return text;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= LARGEST_VALUE) return;
    const message = `The value takes more than ${LARGEST_VALUE} bytes, which is more than any dock takes for one key.`;
    throw new DockError({ code: "TOO_LARGE", message, details: { limit: LARGEST_VALUE } });
  }

  #refusal(what: string): DockError {
    const place = `value${this.#path.map(step).join("")}`;
    const message = `${place}: ${what}. A value is null, a boolean, a number, text, a Uint8Array, or an array or plain object of values.`;
    return new DockError({ code: "USAGE", message });
  }
}

function step(part: string | number): string {
  if (typeof part === "number") return `[${part}]`;
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(part) ? `.${part}` : `[${quoted(part)}]`;
}

/** What an object is that isn't plain, by the name of its class. */
function kindOf(item: object): string {
  const made: unknown = item.constructor;
  const name: unknown = typeof made === "function" && made !== Object ? made.name : undefined;
  if (typeof name !== "string" || name === "") return "an object that isn't plain";
  return `${/^[aeiou]/i.test(name) ? "an" : "a"} ${visible(name)}`;
}
