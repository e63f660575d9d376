/** How a dock differs from a snapshot, and the way back to it. */
import { join } from "node:path";
import type { Layer } from "../../protocol/index.js";
import { checkedImage, readSnapshot, type Snapshot } from "../../snapshot/folder.js";
import type { SnapshotImage } from "../../snapshot/manifest.js";
import { throwIfAborted } from "../check.js";
import { contentOfImage, contentsOf, requireLayer } from "../contents.js";
import { checkPossible, differences, type LayerDifference, reconcile } from "../difference.js";
import type { Dock } from "../dock.js";
import { DockError } from "../errors.js";
import { systemCode } from "../output-message.js";
import { printable, quoted } from "../visible.js";
import type { OnProgress, SnapshotOptions } from "./save.js";

/**
 * What differs between a dock and a snapshot, of the layers that the snapshot has. Of another dock than the snapshot's own, values that are
 * unique per dock are left out. Fails as reading does, with `SNAPSHOT` when the folder isn't one, with `UNSUPPORTED` when the dock lacks a layer.
 */
export async function compareSnapshot(dock: Dock, folder: string, options: SnapshotOptions = {}): Promise<LayerDifference[]> {
  return await differencesFrom(dock, await openSnapshot(folder), options);
}

export interface RestoreOptions extends SnapshotOptions {
  /** For the factory layer, the dock's name: so that no other dock is meant. */
  readonly confirm?: string | undefined;
  /** Whether it may be the snapshot of another dock; refused with `USAGE` unless told. */
  readonly otherDock?: boolean | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/**
 * Makes a dock hold what it held: of the layers that the snapshot has, what differs, each layer in one transaction. Gives what it has changed.
 * Whether everything can be written is looked at before anything is. Fails as `compareSnapshot` and as transactions do.
 */
export async function restoreSnapshot(dock: Dock, folder: string, options: RestoreOptions = {}): Promise<LayerDifference[]> {
  const snapshot = await openSnapshot(folder);
  const found = await changesOf(dock, snapshot, options);
  const { confirm, signal, timeout, onProgress } = options;
  for (const { store, differences } of found) {
    await reconcile(dock, store, differences, {
      ...{ confirm, signal, timeout },
      sourceOf: (tag) => ({ file: join(folder, imageOf(snapshot, store, tag)?.file ?? "") }),
      onProgress: ({ sent, size }) => onProgress?.({ moved: sent, size }),
    });
  }
  return found;
}

/** What `restoreSnapshot` would change. Fails as it would, as far as that can be told without writing. */
export async function planRestore(dock: Dock, folder: string, options: RestoreOptions = {}): Promise<LayerDifference[]> {
  return await changesOf(dock, await openSnapshot(folder), options);
}

async function changesOf(dock: Dock, snapshot: Snapshot, options: RestoreOptions): Promise<LayerDifference[]> {
  const { confirm, signal, timeout } = options;
  if (snapshot.dock.id !== dock.id && !options.otherDock) {
    const message = `The snapshot is of ${quoted(snapshot.dock.name)}, another dock than ${quoted(dock.name)} here: nothing was changed.`;
    throw new DockError({ code: "USAGE", message });
  }
  const found = (await differencesFrom(dock, snapshot, options)).filter(({ differences }) => differences.length > 0);
  for (const { store, differences } of found) {
    const check = (tag: string): Promise<unknown> => checkedSource(snapshot, store, tag);
    await checkPossible(dock, store, differences, { confirm, signal, timeout, check });
  }
  return found;
}

async function differencesFrom(
  dock: Dock,
  snapshot: Snapshot,
  { stores, signal, timeout }: SnapshotOptions,
): Promise<LayerDifference[]> {
  const layers = snapshot.layers.filter(({ store }) => stores === undefined || stores.includes(store));
  for (const { store, images } of layers) {
    requireLayer(dock, store);
    for (const image of images.values()) {
      throwIfAborted(signal);
      await reading(snapshot.folder, () => checkedImage(snapshot.folder, image));
    }
  }
  const found: LayerDifference[] = [];
  for (const { store, images, keys } of layers) {
    const is = await contentsOf(dock, store, { signal, timeout });
    const all = differences(is, { images, keys });
    const isUnique = (key: string): boolean => (is.keys.get(key)?.upd || keys.get(key)?.upd) ?? false;
    const ours = snapshot.dock.id === dock.id ? all : all.filter(({ kind, name }) => kind === "image" || !isUnique(name));
    found.push({ store, differences: ours });
  }
  return found;
}

/** Fails where an image isn't what the manifest says, or what a dock takes. */
async function checkedSource(snapshot: Snapshot, store: Layer, tag: string): Promise<void> {
  const image = imageOf(snapshot, store, tag);
  if (image === undefined) return;
  await contentOfImage({ file: join(snapshot.folder, image.file) }, image.type); // which was checked
}

function imageOf({ layers }: Snapshot, store: Layer, tag: string): SnapshotImage | undefined {
  return layers.find((layer) => layer.store === store)?.images.get(tag);
}

/** Reads a snapshot. Fails with `SNAPSHOT`. */
export async function openSnapshot(folder: string): Promise<Snapshot> {
  return await reading(folder, () => readSnapshot(folder));
}

async function reading<T>(folder: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message =
      systemCode(cause) === "ENOENT"
        ? `${folder} holds no snapshot, or not all of it: ${why}`
        : `The snapshot in ${folder} can't be used: ${why}.`;
    throw new DockError({ code: "SNAPSHOT", message: printable(message), cause });
  }
}
