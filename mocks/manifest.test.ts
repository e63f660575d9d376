import { describe, expect, test } from "vitest";
import type { KvValue } from "../protocol/index.js";
import { LayerWriter, manifestText, parseManifest } from "./manifest.js";

const SHA256 = "0123456789abcdef".repeat(4);
const image = { type: "none", size: 9, sha256: SHA256 };

function layerText(images: unknown, keys: unknown = {}, generation: unknown = 0): string {
  return JSON.stringify({ format: 1, layers: { runtime: { generation, images, keys } } });
}

/** A key through a manifest and back. */
function readBack(key: string, value: KvValue): unknown {
  const text = new LayerWriter().write("runtime", 7, [], [{ key, value, size: 1, upd: false, store: "runtime" }]);
  return parseManifest(manifestText(new Map([["runtime", text]]), "MOCK-0001"));
}

test.each<KvValue>([
  Uint8Array.of(0, 255),
  2n ** 63n - 1n,
  -0,
  Number.NaN,
  Number.NEGATIVE_INFINITY,
  1e300,
  null,
  { $bytes: "AQI=", $: { $$: [] } },
  JSON.parse('{ "__proto__": { "a": 1 } }'),
  "\u2028\u0000\u{1F600}",
])("a value comes back as it was: %o", (value) => {
  const keys = [{ key: "k", value, upd: false }];
  expect(readBack("k", value)).toEqual([{ store: "runtime", generation: 7, images: [], keys }]);
});

test.each(["__proto__", "constructor", "7", "../x", '\u0001\n"\\', "\u2028", "x".repeat(100_000)])(
  "a name comes back as it was: %j",
  (name) => {
    expect(readBack(name, 1)).toMatchObject([{ keys: [{ key: name, value: 1 }] }]);
    const [layer] = parseManifest(JSON.stringify({ format: 1, layers: JSON.parse(`{ "runtime": ${withImage(name)} }`) }));
    expect(layer?.images).toEqual([{ tag: name, ...image }]);
  },
);

test("a manifest without layers is that of a folder where nothing was saved", () => {
  expect(parseManifest(manifestText(new Map()))).toEqual([]);
});

describe("a manifest is refused", () => {
  const broken: [string, string, string][] = [
    ["no JSON", "{", "JSON"],
    ["an array", "[]", "format: "],
    ["null", "null", "Expected Object"],
    ["another format", '{ "format": 2, "layers": {} }', "format: "],
    ["another program's", '{ "name": "app", "icons": [] }', "format: "],
    ["no layers", '{ "format": 1 }', "layers: "],
    ["another layer", '{ "format": 1, "layers": { "ephemeral": {} } }', "layers.ephemeral: "],
    ["a generation below 0", layerText({}, {}, -1), "layers.runtime.generation: "],
    ["a generation beyond its end", layerText({}, {}, 2 ** 32), "layers.runtime.generation: "],
    ["images as an array", layerText([]), "layers.runtime.images: not an object"],
    ["keys as text", layerText({}, "k"), "layers.runtime.keys: not an object"],
    ["an image of no type", layerText({ a: { ...image, type: "gif" } }), 'layers.runtime.images["a"].type: '],
    ["half a byte", layerText({ a: { ...image, size: 1.5 } }), 'images["a"].size: '],
    ["a path for a hash", layerText({ a: { ...image, sha256: "../../secret" } }), 'images["a"].sha256: not 64 hexadecimal'],
    ["a hash with more behind it", layerText({ a: { ...image, sha256: `${SHA256}\n` } }), 'images["a"].sha256: not 64'],
    ["a hash in capitals", layerText({ a: { ...image, sha256: SHA256.toUpperCase() } }), 'images["a"].sha256: not 64'],
    ["an image of null", layerText({ a: null }), 'layers.runtime.images["a"]: '],
    ["an empty name", layerText({ "": image }), 'images[""]: no name'],
    ["U+0000 in a name", layerText({}, { "a\0": { value: 1 } }), 'keys["a\\u0000"]: no name'],
    ["half a character in a name", layerText({}, { "\ud800": { value: 1 } }), 'keys["\\ud800"]: no name'],
    ["a key without a value", layerText({}, { k: {} }), 'layers.runtime.keys["k"].value: '],
    ["a value of no kind", layerText({}, { k: { value: [{ $hex: "00" }] } }), 'layers.runtime.keys["k"].value: a $hex that'],
    ["what no key has", layerText({}, { k: { value: 1, ttl: 5 } }), 'layers.runtime.keys["k"].ttl: '],
  ];
  test.each(broken)("with %s", (_, text, why) => {
    expect(() => parseManifest(text)).toThrow(why);
  });
});

function withImage(tag: string): string {
  return `{ "generation": 0, "images": { ${JSON.stringify(tag)}: ${JSON.stringify(image)} }, "keys": {} }`;
}
