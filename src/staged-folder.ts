/** Files that come into a folder together: each is written beside its place, and moved there when all of them are whole. */
import type { Dirent } from "node:fs";
import { lstat, mkdir, readdir, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { DockError } from "./errors.js";
import { outputMessage, systemCode } from "./output-message.js";
import { isPart, PartFile } from "./part-file.js";

export class StagedFolder {
  readonly path: string;
  readonly #files: PartFile[] = [];
  /** Folders that weren't there, in the order in which they were made. */
  readonly #made: string[] = [];

  /**
   * Begins in a folder that is one of ours, having `marker` in it, or is empty (hidden files and what an interrupted beginning has left aside), or
   * isn't there and is made. Fails with `OUTPUT`.
   */
  static async open(path: string, marker: string): Promise<StagedFolder> {
    const staged = new StagedFolder(path);
    try {
      await staged.#begin(marker);
      return staged;
    } catch (error) {
      await staged.discard();
      throw error;
    }
  }

  private constructor(path: string) {
    this.path = path;
  }

  async #begin(marker: string): Promise<void> {
    await this.#makeFolder(this.path);
    await writing(this.path, async () => {
      const names = (await readdir(this.path)).filter((name) => !name.startsWith("."));
      if (!names.includes(marker) && !(await isLeftover(this.path))) {
        const message = `${this.path} isn't empty and has no ${marker}: it is another folder than it should be.`;
        throw new DockError({ code: "OUTPUT", message });
      }
      await removeOldParts(this.path, `${marker}.`);
      // Fails where no file can be written, before a dock is asked for megabytes.
      const probe = await PartFile.open(join(this.path, marker));
      await probe.discard();
    });
  }

  /** Makes a folder in it, unless it is there. */
  async folder(name: string): Promise<void> {
    const path = join(this.path, name);
    await this.#makeFolder(path);
    await removeOldParts(path, "");
  }

  async #makeFolder(path: string): Promise<void> {
    await writing(path, async () => {
      try {
        // Not recursive: in Node 20 that never returns where a folder can't be made, as under /proc.
        await mkdir(path);
        this.#made.push(path);
      } catch (error) {
        if (systemCode(error) !== "EEXIST") throw error;
        const there = await (path === this.path ? stat(path) : lstat(path)); // a link in it may lead out of it
        if (!there.isDirectory()) throw new Error("it is no folder");
      }
    });
  }

  /** Writes a file, whose path begins in the folder. It takes its place with all others. */
  async file(name: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array | string>): Promise<void> {
    const path = join(this.path, name);
    const begun = await writing(path, async () => {
      const there = await lstat(path).catch(() => undefined);
      if (there?.isDirectory()) throw new Error("it is a folder");
      return PartFile.open(path, there?.isFile() ? there.mode : undefined);
    });
    this.#files.push(begun);
    for await (const chunk of chunks) await writing(path, () => begun.write(chunk));
    await writing(path, () => begun.close());
  }

  /** Moves everything to its place, in the order in which it was written: one after the other, which is no single step. */
  async commit(): Promise<void> {
    await writing(this.path, async () => {
      for (const file of this.#files) await file.place();
    });
    this.#files.length = 0;
    this.#made.length = 0;
  }

  /** Leaves the folder as it was, unless everything is in its place. Never fails. To be called whatever happened. */
  async discard(): Promise<void> {
    for (const file of this.#files) await file.discard().catch(() => {});
    for (const path of this.#made.reverse()) await rmdir(path).catch(() => {});
    this.#files.length = 0;
    this.#made.length = 0;
  }
}

/** Whether a folder, hidden files aside, has nothing but what an interrupted beginning has left: parts, and folders of them. */
async function isLeftover(folder: string): Promise<boolean> {
  for (const it of await entriesIn(folder)) {
    if (it.isFile() && isPart(it.name)) continue;
    if (!it.isDirectory()) return false;
    if (!(await entriesIn(join(folder, it.name))).every((inner) => inner.isFile() && isPart(inner.name))) return false;
  }
  return true;
}

async function entriesIn(folder: string): Promise<Dirent[]> {
  return (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !name.startsWith("."));
}

/** Older parts aren't being written any more, in milliseconds. */
const OLD = 3_600_000;

/** Removes parts of files whose names begin with `prefix` and that were left long ago. Only tidies up: what can't be removed stays. */
async function removeOldParts(folder: string, prefix: string): Promise<void> {
  for (const { name } of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (!name.startsWith(prefix) || !isPart(name)) continue;
    const path = join(folder, name);
    const there = await lstat(path).catch(() => undefined);
    if (there?.isFile() && there.mtimeMs < Date.now() - OLD) await rm(path).catch(() => {});
  }
}

async function writing<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    if (cause instanceof DockError) throw cause;
    throw new DockError({ code: "OUTPUT", message: outputMessage(path, cause), cause });
  }
}
