/** Bodies: exactly one CBOR item of the plain kind that SPEC §1.3 allows. cbor-x reads and writes it, this file is strict. */
import { Decoder, Encoder } from "cbor-x";
import { type Item, isArray } from "./item.js";
import { BODY_DEPTH } from "./limits.js";

/** What became of a body. */
export type DecodedBody = { readonly kind: "item"; readonly item: Item } | { readonly kind: "malformed"; readonly why: string };

// The defaults of cbor-x aren't plain CBOR: records, a tag on byte strings, maps with a 16-bit count.
const plainCbor = { useRecords: false, tagUint8Array: false, variableMapSize: true, useTag259ForMaps: false };
const encoder = new Encoder(plainCbor);
// As Map, not as object: an object would lose a key that is called __proto__.
const decoder = new Decoder({ ...plainCbor, mapsAsObjects: false });

/** Encodes one item. Whole numbers become integers, the rest 64-bit floats; −0 is sent as 0. */
export function encodeBody(item: Item): Uint8Array {
  return encoder.encode(withExactIntegers(item));
}

/** Decodes a body, or says how it breaks SPEC §1.3. Byte strings in the item share memory with `body`. */
export function decodeBody(body: Uint8Array): DecodedBody {
  try {
    const end = new Scanner(body).item(1);
    if (end !== body.length) throw new NotPlain("bytes after the item");
    return { kind: "item", item: plain(decoder.decode(body)) };
  } catch (error) {
    if (error instanceof NotPlain) return { kind: "malformed", why: error.message };
    throw error;
  }
}

/** cbor-x writes integers from 2³² on as floats, and every bigint in 8 bytes: each is given the form that makes it shortest. */
function withExactIntegers(item: Item): unknown {
  if (typeof item === "number") {
    return Number.isSafeInteger(item) && (item > 0xffffffff || item < -0x100000000) ? BigInt(item) : item;
  }
  if (typeof item === "bigint") {
    return item >= -0x100000000n && item <= 0xffffffffn ? Number(item) : item;
  }
  if (typeof item !== "object" || item === null || item instanceof Uint8Array) return item;
  if (isArray(item)) return item.map(withExactIntegers);
  // A Map takes a key that is called __proto__ as it is.
  return new Map(Object.entries(item).map(([key, value]) => [key, withExactIntegers(value)]));
}

/** Gives what cbor-x decoded the form of `Item`. The scanner has seen that there is nothing else in it. */
function plain(decoded: unknown): Item {
  if (typeof decoded === "bigint") {
    const number = Number(decoded);
    return Number.isSafeInteger(number) ? number : decoded;
  }
  if (typeof decoded === "string" || typeof decoded === "number" || typeof decoded === "boolean") return decoded;
  if (decoded === null || decoded instanceof Uint8Array) return decoded;
  if (Array.isArray(decoded)) return decoded.map(plain);
  if (decoded instanceof Map) {
    const object: { [key: string]: Item } = {};
    for (const [key, value] of decoded) {
      Object.defineProperty(object, key, { value: plain(value), enumerable: true, configurable: true, writable: true });
    }
    return object;
  }
  throw new NotPlain("an item of no allowed kind");
}

class NotPlain extends Error {}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Walks over an item without building it, and throws at the first thing that SPEC §1.3 forbids. */
class Scanner {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Goes past one item that stands in `depth − 1` others, and returns the index after it. */
  item(depth: number): number {
    const initial = this.#byte();
    const major = initial >> 5;
    const info = initial & 0x1f;
    if (major === 7) return this.#simple(info);
    const argument = this.#argument(info);
    switch (major) {
      case 0:
      case 1:
        if (argument > 0x7fffffffffffffffn) throw new NotPlain("an integer beyond 64 bits with sign");
        return this.#at;
      case 2:
        return this.#skip(argument);
      case 3:
        this.#text(argument);
        return this.#at;
      case 4:
        return this.#array(argument, depth);
      case 5:
        return this.#map(argument, depth);
      default:
        throw new NotPlain("a tag");
    }
  }

  #array(count: number | bigint, depth: number): number {
    this.#checkNesting(count, depth);
    for (let i = 0; i < count; i++) this.item(depth + 1);
    return this.#at;
  }

  #map(count: number | bigint, depth: number): number {
    this.#checkNesting(count, depth);
    const keys = new Set<string>();
    for (let i = 0; i < count; i++) {
      const initial = this.#byte();
      if (initial >> 5 !== 3) throw new NotPlain("a map key that isn't text");
      const key = this.#text(this.#argument(initial & 0x1f));
      if (keys.has(key)) throw new NotPlain("the same map key twice");
      keys.add(key);
      this.item(depth + 1);
    }
    return this.#at;
  }

  #checkNesting(count: number | bigint, depth: number): void {
    if (depth > BODY_DEPTH) throw new NotPlain("nested too deep");
    // Each item takes a byte at least, so a count beyond what is left is a lie; finding out by looking would cost time.
    if (count > this.#bytes.length - this.#at) throw new NotPlain("the item is cut off");
  }

  #text(length: number | bigint): string {
    const from = this.#at;
    const to = this.#skip(length);
    try {
      return utf8.decode(this.#bytes.subarray(from, to));
    } catch {
      throw new NotPlain("text that isn't UTF-8");
    }
  }

  #simple(info: number): number {
    if (info >= 20 && info <= 22) return this.#at;
    if (info >= 25 && info <= 27) return this.#skip(2 ** (info - 24));
    throw new NotPlain("a simple value other than false, true and null");
  }

  /** The integer, length or count of an item's head (RFC 8949 §3), which must have its shortest form. */
  #argument(info: number): number | bigint {
    if (info < 24) return info;
    const at = this.#at;
    switch (info) {
      case 24:
        this.#skip(1);
        return this.#shortest(this.#view.getUint8(at), 24);
      case 25:
        this.#skip(2);
        return this.#shortest(this.#view.getUint16(at), 0x100);
      case 26:
        this.#skip(4);
        return this.#shortest(this.#view.getUint32(at), 0x10000);
      case 27:
        this.#skip(8);
        return this.#shortest(this.#view.getBigUint64(at), 0x100000000);
      default:
        throw new NotPlain("an indefinite length");
    }
  }

  #shortest(argument: number | bigint, least: number): number | bigint {
    if (argument < least) throw new NotPlain("a length or integer longer than it needs to be");
    return argument;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new NotPlain("the item is cut off");
    this.#at++;
    return byte;
  }

  #skip(length: number | bigint): number {
    if (length > this.#bytes.length - this.#at) throw new NotPlain("the item is cut off");
    this.#at += Number(length);
    return this.#at;
  }
}
