/**
 * What a mock dock keeps between its runs, in a folder: `manifest.json`, and the bytes of images in `content/<sha256>`. It survives the
 * end of the process at any moment, not that of the machine: nothing is synced to the disk.
 */
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { encodeBody } from "../protocol/index.js";
import { lockFolder } from "./folder-lock.js";
import type { StoredImage, StoredKey } from "./layer.js";
import {
  hexOf,
  type ImageRecord,
  type KeptLayer,
  type LayerRecord,
  LayerWriter,
  manifestText,
  parseManifest,
} from "./manifest.js";
import { NEXT, replaceFile } from "./replace-file.js";

/** A layer that is kept. Its generation is another one whenever something in it has changed. */
export interface SavedLayer {
  readonly store: KeptLayer;
  readonly generation: number;
  readonly images: Iterable<StoredImage>;
  readonly keys: Iterable<StoredKey>;
}

export interface StateOptions {
  /** Replaces a file as a whole or, throwing, not at all. */
  readonly write?: (file: string, content: string | Uint8Array) => void;
}

const MANIFEST = "manifest.json";
const CONTENT = "content";

/** A layer as the manifest on the disk has it. */
interface WrittenLayer {
  readonly generation: number;
  readonly text: string;
  /** The contents of its images, as 64 hexadecimal digits. */
  readonly contents: ReadonlySet<string>;
}

export class StateFolder {
  /** What was there when the folder was opened. Empty as long as nothing was ever saved. */
  readonly layers: readonly SavedLayer[];
  readonly #folder: string;
  readonly #unlock: () => Promise<void>;
  readonly #write: (file: string, content: string | Uint8Array) => void;
  readonly #writer = new LayerWriter();
  /** The contents that are in the folder. */
  readonly #present: Set<string>;
  #written: ReadonlyMap<KeptLayer, WrittenLayer>;

  /**
   * Opens a folder, and makes it when there is none. Throws an Error that says what is wrong: somebody else has it, it holds something
   * else, a file of it is broken or missing.
   */
  static async open(folder: string, { write = replaceFile }: StateOptions = {}): Promise<StateFolder> {
    // Not recursive: in Node 20 that never returns where a folder can't be made, as under /proc.
    if (!existsSync(folder)) mkdirSync(folder);
    if (!statSync(folder).isDirectory()) throw new Error(`${folder} is no folder`);
    const path = realpathSync(folder);
    const unlock = await lockFolder(path);
    try {
      return new StateFolder(path, unlock, write);
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  private constructor(folder: string, unlock: () => Promise<void>, write: NonNullable<StateOptions["write"]>) {
    this.#folder = folder;
    this.#unlock = unlock;
    this.#write = write;
    const { layers, contents } = load(folder);
    this.layers = layers;
    this.#present = contents;
    this.#written = new Map(layers.map((layer) => [layer.store, this.#text(layer)]));
  }

  /** Lets another one have the folder. The end of the process does so too. */
  close(): Promise<void> {
    return this.#unlock();
  }

  /**
   * Writes what has changed: new contents, then the manifest that names them, for a dock called `name`. Layers that aren't given stay as
   * they were. Throws when something can't be written; what was saved before is then untouched.
   */
  save(name: string, layers: readonly SavedLayer[]): void {
    const written = new Map(this.#written);
    for (const layer of layers) {
      if (written.get(layer.store)?.generation === layer.generation) continue;
      this.#writeContents(layer.images);
      written.set(layer.store, this.#text(layer));
    }
    const texts = new Map([...written].map(([store, { text }]) => [store, text]));
    this.#write(join(this.#folder, MANIFEST), manifestText(texts, name));
    this.#written = written;
    this.#removeUnnamed();
  }

  #text({ store, generation, images, keys }: SavedLayer): WrittenLayer {
    const contents = new Set<string>();
    for (const { sha256 } of images) contents.add(hexOf(sha256));
    return { generation, text: this.#writer.write(store, generation, images, keys), contents };
  }

  #writeContents(images: Iterable<StoredImage>): void {
    for (const { sha256, bytes } of images) {
      const name = hexOf(sha256);
      if (this.#present.has(name)) continue;
      this.#write(join(this.#folder, CONTENT, name), bytes);
      this.#present.add(name);
    }
  }

  /** Removes the contents that no image has any more. One that can't be removed is left to a later time. */
  #removeUnnamed(): void {
    for (const name of this.#present) {
      if ([...this.#written.values()].some(({ contents }) => contents.has(name))) continue;
      try {
        rmSync(join(this.#folder, CONTENT, name), { force: true });
        this.#present.delete(name);
      } catch {
        return;
      }
    }
  }
}

/** Reads and checks a folder, then tidies it up: a folder with something wrong in it stays as it was found. */
function load(folder: string): { layers: SavedLayer[]; contents: Set<string> } {
  const manifest = join(folder, MANIFEST);
  if (!existsSync(manifest)) begin(folder);
  const records = inFile(manifest, () => parseManifest(readFileSync(regularFile(manifest), "utf8")));
  const contents = new Map<string, Buffer>();
  const layers = records.map((record) => layerOf(record, folder, contents));
  rmSync(manifest + NEXT, { force: true });
  mkdirSync(join(folder, CONTENT), { recursive: true });
  for (const name of readdirSync(join(folder, CONTENT))) {
    const isOurs = /^[0-9a-f]{64}(\.next)?$/.test(name);
    if (isOurs && !contents.has(name)) rmSync(join(folder, CONTENT, name), { force: true });
  }
  return { layers, contents: new Set(contents.keys()) };
}

/** Makes the first manifest, which marks the folder as one of ours. */
function begin(folder: string): void {
  if (readdirSync(folder).some((name) => name !== MANIFEST + NEXT)) {
    throw new Error(`${folder} isn't empty and has no ${MANIFEST}: a dock's state is kept in a folder of its own`);
  }
  replaceFile(join(folder, MANIFEST), manifestText(new Map()));
}

function layerOf({ store, generation, images, keys }: LayerRecord, folder: string, contents: Map<string, Buffer>): SavedLayer {
  return {
    store,
    generation,
    images: images.map((record) => {
      const { tag, type, sha256 } = record;
      return { tag, type, bytes: contentOf(record, folder, contents), sha256: Buffer.from(sha256, "hex"), store };
    }),
    keys: keys.map((record) => ({ ...record, size: encodeBody(record.value).length, store })),
  };
}

/** The bytes of an image, read and checked once for all that have them. */
function contentOf({ size, sha256 }: ImageRecord, folder: string, contents: Map<string, Buffer>): Buffer {
  const file = join(folder, CONTENT, sha256);
  return inFile(file, () => {
    const known = contents.get(sha256);
    const length = known?.length ?? lstatSync(regularFile(file)).size;
    if (length !== size) throw new Error(`${length} bytes, where ${MANIFEST} says ${size}`);
    if (known !== undefined) return known;
    const bytes = readFileSync(file);
    const found = createHash("sha256").update(bytes).digest("hex");
    if (found !== sha256) throw new Error(`broken: its SHA-256 is ${found}`);
    contents.set(sha256, bytes);
    return bytes;
  });
}

/** A pipe or a device could keep a reader waiting for ever. */
function regularFile(file: string): string {
  if (!existsSync(file)) throw new Error("missing");
  if (!lstatSync(file).isFile()) throw new Error("no regular file");
  return file;
}

/** Names the file in what goes wrong with it. */
function inFile<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new Error(`${file}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
