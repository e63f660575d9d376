/** `fixtures/layered.json` with so many images and keys more that its lists have several pages, for a mock dock to hold. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";

const fixture = fileURLToPath(new URL("fixtures/layered.json", import.meta.url));

const image = v.union([v.object({ file: v.string(), type: v.string() }), v.object({ random: v.number(), type: v.string() })]);
const layer = v.object({ images: v.record(v.string(), image), keys: v.record(v.string(), v.unknown()) });
const description = v.pipe(v.string(), v.parseJson(), v.object({ factory: layer, runtime: layer, ephemeral: layer }));

/** Keys that are added to factory; some of them stand in other layers as well. */
export const MORE_KEYS = 150;
/** Images that are added to factory. */
export const MORE_IMAGES = 50;

/** Writes the description into a folder of its own, which `remove` removes. */
export function layeredData(): { readonly file: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "dl7450-hil-"));
  const { factory, runtime, ephemeral } = v.parse(description, readFileSync(fixture, "utf8"));
  for (const { images } of [factory, runtime, ephemeral]) {
    for (const it of Object.values(images)) if ("file" in it) it.file = relative(folder, join(dirname(fixture), it.file));
  }
  factory.keys["as long as allowed"] = "y".repeat(4_096 - 3); // three bytes say how long it is
  for (let i = 0; i < MORE_KEYS; i++) {
    const key = `one of many keys, number ${String(i).padStart(3, "0")}`;
    factory.keys[key] = { number: i, text: "·".repeat(i) };
    if (i % 3 === 0) runtime.keys[key] = -i;
    if (i % 5 === 0) ephemeral.keys[key] = [i];
  }
  for (let i = 0; i < MORE_IMAGES; i++) factory.images[`one of many images, number ${i}`] = { random: i, type: "none" };
  const file = join(folder, "layered.json");
  writeFileSync(file, JSON.stringify({ factory, runtime, ephemeral }));
  return { file, remove: () => rmSync(folder, { recursive: true }) };
}
