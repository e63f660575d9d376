/** `manifest.json`: what the layers of a state folder hold, as text for people and programs. The bytes of images stand elsewhere. */
import * as v from "valibot";
import { IMAGE_TYPES, type ImageType, jsonValue, type KvValue, type Layer, UINT32_MAX } from "../protocol/index.js";
import { checked, checkedValue } from "../snapshot/checked.js";
import type { StoredImage, StoredKey } from "./layer.js";

/** The layers that outlive the dock's process. */
export type KeptLayer = "factory" | "runtime";
const KEPT_LAYERS: readonly KeptLayer[] = ["factory", "runtime"];

export function isKept(store: Layer): store is KeptLayer {
  return store !== "ephemeral";
}

/** A layer as the manifest has it. */
export interface LayerRecord {
  readonly store: KeptLayer;
  readonly generation: number;
  readonly images: readonly ImageRecord[];
  readonly keys: readonly KeyRecord[];
}

export interface ImageRecord {
  readonly tag: string;
  readonly type: ImageType;
  readonly size: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

interface KeyRecord {
  readonly key: string;
  readonly value: KvValue;
  readonly upd: boolean;
}

const uint32 = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(UINT32_MAX));
/** valibot's own record leaves out names like `__proto__`, which a dock can have: entries are looked at one by one. */
const byName = v.custom<object>((it) => typeof it === "object" && it !== null && !Array.isArray(it), "not an object");
const layer = v.strictObject({ generation: uint32, images: byName, keys: byName });
const manifest = v.strictObject({
  format: v.literal(1),
  name: v.exactOptional(v.string()),
  layers: v.strictObject({ factory: v.exactOptional(layer), runtime: v.exactOptional(layer) }),
});
const image = v.strictObject({
  type: v.picklist(IMAGE_TYPES),
  size: uint32,
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "not 64 hexadecimal digits")),
});
const key = v.strictObject({ value: v.unknown(), upd: v.exactOptional(v.boolean()) });

/** Reads a manifest. Throws an Error that says where it is wrong. */
export function parseManifest(text: string): LayerRecord[] {
  const { layers } = checked("", manifest, JSON.parse(text));
  return KEPT_LAYERS.flatMap((store) => {
    const found = layers[store];
    if (found === undefined) return [];
    const images = Object.entries(found.images).map(([tag, it]: [string, unknown]) => {
      return { tag, ...checked(placeOf(store, "images", tag), image, it) };
    });
    const keys = Object.entries(found.keys).map(([name, it]: [string, unknown]) => {
      const at = placeOf(store, "keys", name);
      const { value, upd = false } = checked(at, key, it);
      return { key: name, value: checkedValue(`${at}.value`, value), upd };
    });
    return [{ store, generation: found.generation, images, keys }];
  });
}

/** A manifest; `name` is the dock's label, absent as long as nothing was saved. */
export function manifestText(layers: ReadonlyMap<KeptLayer, string>, name?: string): string {
  const texts = KEPT_LAYERS.flatMap((store) => layers.get(store) ?? []);
  const label = name === undefined ? "" : `  "name": ${JSON.stringify(name)},\n`;
  return `{\n  "format": 1,\n${label}  "layers": ${block(texts, "  ")}\n}\n`;
}

/** Writes layers as they stand in a manifest. Remembers what it wrote of each image and key: all but one are the same the next time. */
export class LayerWriter {
  readonly #lines = new WeakMap<StoredImage | StoredKey, string>();

  write(store: KeptLayer, generation: number, images: Iterable<StoredImage>, keys: Iterable<StoredKey>): string {
    const parts = [
      `      "generation": ${generation}`,
      `      "images": ${block(this.#all(images, imageLine), "      ")}`,
      `      "keys": ${block(this.#all(keys, keyLine), "      ")}`,
    ];
    return `    "${store}": ${block(parts, "    ")}`;
  }

  #all<T extends StoredImage | StoredKey>(things: Iterable<T>, lineOf: (thing: T) => string): string[] {
    const lines = [];
    for (const thing of things) {
      let line = this.#lines.get(thing);
      if (line === undefined) {
        line = lineOf(thing);
        this.#lines.set(thing, line);
      }
      lines.push(line);
    }
    return lines;
  }
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

function imageLine({ tag, type, bytes, sha256 }: StoredImage): string {
  return `        ${JSON.stringify(tag)}: { "type": "${type}", "size": ${bytes.length}, "sha256": "${hexOf(sha256)}" }`;
}

function keyLine({ key, value, upd }: StoredKey): string {
  const mark = upd ? ', "upd": true' : "";
  return `        ${JSON.stringify(key)}: { "value": ${JSON.stringify(jsonValue(value))}${mark} }`;
}

/** Lines in braces, the closing one as far in as `indent`. Put together by `+`, which copies the text once, when it is written. */
function block(lines: readonly string[], indent: string): string {
  let text = "";
  for (const line of lines) text += text === "" ? line : `,\n${line}`;
  return text === "" ? "{}" : `{\n${text}\n${indent}}`;
}

function placeOf(store: KeptLayer, kind: string, name: string): string {
  const at = `layers.${store}.${kind}[${JSON.stringify(name)}]`;
  if (name === "" || name.includes("\0") || !name.isWellFormed()) throw new Error(`${at}: no name that a dock can have`);
  return at;
}
