/** Folders for a test, and what a mock dock leaves in the one that it keeps its state in. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { onTestFinished } from "vitest";
import { sha256 } from "./contract/reading.js";

const image = v.strictObject({ type: v.string(), size: v.number(), sha256: v.string() });
const layer = v.strictObject({
  generation: v.number(),
  images: v.record(v.string(), image),
  keys: v.record(v.string(), v.looseObject({})),
});
const manifest = v.pipe(
  v.string(),
  v.parseJson(),
  v.strictObject({
    format: v.literal(1),
    name: v.string(),
    layers: v.strictObject({ factory: layer, runtime: layer }),
  }),
);

export type Manifest = v.InferOutput<typeof manifest>;

/** A folder of the test's own, which goes with it. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dl7450-hil-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** The manifest in a state folder, as it is on the disk. */
export function manifestIn(folder: string): Manifest {
  return v.parse(manifest, readFileSync(join(folder, "manifest.json"), "utf8"));
}

/** The images that the manifest names whose content isn't there, or is another. */
export function brokenImages(folder: string): string[] {
  const { factory, runtime } = manifestIn(folder).layers;
  return [...Object.entries(factory.images), ...Object.entries(runtime.images)].flatMap(([tag, { size, sha256: named }]) => {
    const bytes = readFileSync(join(folder, "content", named));
    return bytes.length === size && sha256(bytes) === named ? [] : [tag];
  });
}

/** The contents in a state folder that no image has. */
export function unnamedContents(folder: string): string[] {
  const { factory, runtime } = manifestIn(folder).layers;
  const images = [...Object.values(factory.images), ...Object.values(runtime.images)];
  const named = new Set(images.map((it) => it.sha256));
  return readdirSync(join(folder, "content")).filter((name) => !named.has(name));
}
