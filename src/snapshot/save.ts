/** Saves what a dock holds in a folder that git can diff. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { LAYERS, type Layer } from "../../protocol/index.js";
import { checkedImage, LARGEST_MANIFEST, readSnapshot, type Snapshot } from "../../snapshot/folder.js";
import {
  excessIn,
  MANIFEST,
  manifestText,
  NewerManifest,
  type SnapshotImage,
  type SnapshotLayer,
} from "../../snapshot/manifest.js";
import { throwIfAborted } from "../check.js";
import { type Contents, contentsOf, requireLayer } from "../contents.js";
import type { Dock } from "../dock.js";
import { DockError } from "../errors.js";
import { FileNames } from "../file-name.js";
import { systemCode } from "../output-message.js";
import type { CallOptions } from "../session.js";
import { StagedFolder } from "../staged-folder.js";
import { printable, quoted } from "../visible.js";

/** How far a snapshot is, in bytes of images that move: those of a layer at a time. */
export type OnProgress = (progress: { readonly moved: number; readonly size: number }) => void;

export interface SnapshotOptions extends CallOptions {
  /** The layers; unless told, all that there are. */
  readonly stores?: readonly Layer[] | undefined;
}

export interface SaveOptions extends SnapshotOptions {
  readonly onProgress?: OnProgress | undefined;
}

export interface SavedLayer {
  readonly store: Layer;
  readonly images: number;
  readonly keys: number;
}

/**
 * Saves what a dock holds. The folder is made, or is a snapshot of this dock already: then images that it has aren't fetched again, what the dock
 * doesn't have any more is removed, and layers that aren't asked for stay as they were. As long as not everything has arrived the folder stays as it was.
 * Fails as reading does, with `CHANGED` when the dock changes meanwhile, with `OUTPUT` when the folder can't be written, or is another dock's.
 */
export async function saveSnapshot(dock: Dock, folder: string, options: SaveOptions = {}): Promise<SavedLayer[]> {
  const { signal, timeout, onProgress } = options;
  const stores = [...new Set(options.stores ?? dock.stores)];
  for (const store of stores) requireLayer(dock, store);
  const staged = await StagedFolder.open(folder, MANIFEST);
  try {
    const before = await snapshotIn(folder, options.stores === undefined ? "all" : "some");
    if (before !== undefined && before.dock.id !== dock.id) throw otherDock(folder, before);
    const layers: SnapshotLayer[] = [];
    for (const store of stores) {
      const contents = await contentsOf(dock, store, { signal, timeout });
      layers.push(await saveLayer(dock, staged, store, contents, { signal, timeout, onProgress }));
    }
    const kept = before?.layers.filter(({ store }) => !stores.includes(store)) ?? [];
    const { id, model, name } = await dock.info({ signal, timeout });
    const order = [...new Set([...dock.stores, ...LAYERS])];
    const all = order.flatMap((store) => [...layers, ...kept].find((layer) => layer.store === store) ?? []);
    await staged.file(MANIFEST, [readable(manifestText({ dock: { id, name, model }, layers: all }))]);
    throwIfAborted(signal);
    await staged.commit();
    if (before !== undefined) await removeOthers(before, all);
    return layers.map(({ store, images, keys }) => ({ store, images: images.size, keys: keys.size }));
  } finally {
    await staged.discard();
  }
}

/** The one that is there. What isn't good is written anew, unless some of it is to stay; what a newer version has made isn't. */
async function snapshotIn(folder: string, saved: "all" | "some"): Promise<Snapshot | undefined> {
  try {
    return await readSnapshot(folder);
  } catch (error) {
    if (systemCode(error) === "ENOENT" || (saved === "all" && !(error instanceof NewerManifest))) return undefined;
    const why = error instanceof Error ? error.message : String(error);
    throw new DockError({ code: "OUTPUT", message: printable(`${folder} isn't saved over: ${why}.`), cause: error });
  }
}

function otherDock(folder: string, { dock }: Snapshot): DockError {
  const message = `${folder} has a snapshot of ${quoted(dock.name)}, another dock: save this one into a folder of its own.`;
  return new DockError({ code: "OUTPUT", message });
}

/** A manifest that can be read again. */
function readable(text: string): string {
  const excess = Buffer.byteLength(text) > LARGEST_MANIFEST ? `it has more than ${LARGEST_MANIFEST} bytes` : excessIn(text);
  if (excess === undefined) return text;
  throw new DockError({ code: "OUTPUT", message: `The dock has more values than a snapshot can: ${excess}.` });
}

async function saveLayer(
  dock: Dock,
  staged: StagedFolder,
  store: Layer,
  { images, keys }: Contents,
  { onProgress, ...options }: CallOptions & { readonly onProgress?: OnProgress | undefined },
): Promise<SnapshotLayer> {
  if (images.size > 0) await staged.folder(store);
  const names = new FileNames();
  const files = new Map<string, SnapshotImage>();
  for (const [tag, { type, size, sha256 }] of images) {
    files.set(tag, { file: `${store}/${names.for(tag, type)}`, type, size, sha256 });
  }
  const missing: [tag: string, image: SnapshotImage][] = [];
  for (const [tag, image] of files) if (!(await isThere(staged.path, image))) missing.push([tag, image]);
  const size = missing.reduce((sum, [, image]) => sum + image.size, 0);
  let moved = 0;
  for (const [tag, { file, size: bytes, sha256 }] of missing) {
    const where = dock.features.includes("stores") ? { store } : {};
    const show = ({ received }: { received: number }): void => onProgress?.({ moved: moved + received, size });
    await staged.file(file, dock.images.stream(tag, { ...options, ...where, ifSha256: sha256, onProgress: show }));
    moved += bytes;
  }
  return { store, images: files, keys };
}

async function isThere(folder: string, image: SnapshotImage): Promise<boolean> {
  return await checkedImage(folder, image).then(
    () => true,
    () => false,
  );
}

/** Removes the images that the snapshot had before and has no more. One that can't be removed stays: no manifest names it. */
async function removeOthers({ folder, layers }: Snapshot, now: readonly SnapshotLayer[]): Promise<void> {
  const kept = new Set(now.flatMap(({ images }) => [...images.values()].map(({ file }) => file.toLowerCase())));
  for (const { images } of layers) {
    for (const image of images.values()) {
      if (kept.has(image.file.toLowerCase()) || !(await isThere(folder, image))) continue;
      await rm(join(folder, image.file)).catch(() => {});
    }
  }
}
