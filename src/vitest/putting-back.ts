/** What a dock held, and how it comes to hold it again. */
import { join } from "node:path";
import type { Layer } from "../../protocol/index.js";
import { readSnapshot, type Snapshot } from "../../snapshot/folder.js";
import { type Contents, contentsOf } from "../contents.js";
import { type Difference, differences, reconcile } from "../difference.js";
import type { Dock } from "../dock.js";
import { saveSnapshot } from "../snapshot/save.js";

/**
 * What a dock is put back to after each test: `"layer"`, what ephemeral and runtime held before; `"snapshot"`, what all layers held that can be
 * written; a folder of `dl7450 snapshot save`, what that has, also before the first test; `"none"`, nothing.
 */
export type Isolation = "layer" | "snapshot" | "none" | { readonly snapshot: string };

/** What layers of a dock are to hold, with the bytes of the images in a folder. */
export interface Baseline {
  readonly folder: string;
  readonly layers: ReadonlyMap<Layer, Contents & { readonly files: ReadonlyMap<string, string> }>;
}

/** Saves layers of a dock in a folder, beside those that it has. Fails as `saveSnapshot` does. */
export async function saveBaseline(dock: Dock, folder: string, stores: readonly Layer[]): Promise<Baseline> {
  await saveSnapshot(dock, folder, { stores });
  return baselineIn(await readSnapshot(folder));
}

/** A snapshot, as what a dock is to hold. */
export function baselineIn(snapshot: Snapshot): Baseline {
  const layers = snapshot.layers.map(({ store, images, keys }) => {
    const files = new Map([...images].map(([tag, { file }]) => [tag, join(snapshot.folder, file)]));
    return [store, { images, keys, files }] as const;
  });
  return { folder: snapshot.folder, layers: new Map(layers) };
}

/** Has a dock hold a baseline again, of some layers: each in one transaction, by what differs alone. Gives what that was. */
export async function putBack(
  dock: Dock,
  { layers }: Baseline,
  stores: readonly Layer[],
): Promise<{ readonly store: Layer; readonly differences: readonly Difference[] }[]> {
  const wanted = stores.flatMap((store) => {
    const layer = layers.get(store);
    return layer === undefined ? [] : [{ store, layer }];
  });
  const found = await Promise.all(
    wanted.map(async ({ store, layer }) => ({
      ...{ store, files: layer.files },
      differences: differences(await contentsOf(dock, store), layer),
    })),
  );
  for (const { store, differences, files } of found) {
    await reconcile(dock, store, differences, {
      confirm: dock.name,
      sourceOf: (tag) => ({ file: files.get(tag) ?? "" }),
    });
  }
  return found.filter(({ differences }) => differences.length > 0);
}

/** The layers of a dock that an isolation puts back. */
export function layersOf(dock: Dock, isolation: Exclude<Isolation, "none">, baseline: Baseline | undefined): Layer[] {
  const wanted: readonly Layer[] =
    isolation === "layer"
      ? ["ephemeral", "runtime"]
      : isolation === "snapshot"
        ? dock.stores
        : [...(baseline?.layers.keys() ?? [])];
  return wanted.filter((store) => dock.stores.includes(store) && dock.features.includes(`write.${store}`));
}
