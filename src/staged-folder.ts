/** Files that come into a folder together: each is written beside its place, and moved there when all of them are whole. */
import { randomBytes } from "node:crypto";
import { lstat, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DockError } from "./errors.js";
import { outputMessage, systemCode } from "./output-message.js";
import { PartFile } from "./part-file.js";

export class StagedFolder {
  readonly path: string;
  readonly #files: PartFile[] = [];

  /**
   * Begins in a folder that is one of ours, having `marker` in it, or is empty (hidden files aside), or isn't there and is made.
   * Fails with `OUTPUT`.
   */
  static async open(path: string, marker: string): Promise<StagedFolder> {
    return await writing(path, async () => {
      // Not recursive: in Node 20 that never returns where a folder can't be made, as under /proc.
      await mkdir(path).catch(unlessThere);
      const names = (await readdir(path)).filter((name) => !name.startsWith("."));
      if (names.length > 0 && !names.includes(marker)) {
        const message = `${path} isn't empty and has no ${marker}: it is another folder than it should be.`;
        throw new DockError({ code: "OUTPUT", message });
      }
      await writable(path);
      return new StagedFolder(path);
    });
  }

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes a folder in it, unless it is there. */
  async folder(name: string): Promise<void> {
    const path = join(this.path, name);
    await writing(path, async () => {
      await mkdir(path).catch(unlessThere);
      if (!(await lstat(path)).isDirectory()) throw new Error("it is no folder");
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

  /** Moves everything to its place, in the order in which it was written. */
  async commit(): Promise<void> {
    await writing(this.path, async () => {
      for (const file of this.#files) await file.place();
    });
    this.#files.length = 0;
  }

  /** Leaves the folder as it was. Never fails. To be called whatever happened. */
  async discard(): Promise<void> {
    for (const file of this.#files) await file.discard().catch(() => {});
    this.#files.length = 0;
  }
}

/** Fails where no file can be written: before a dock is asked for megabytes. */
async function writable(path: string): Promise<void> {
  const probe = join(path, `.${randomBytes(4).toString("hex")}.part`);
  await writeFile(probe, "", { flag: "wx" });
  await rm(probe, { force: true });
}

function unlessThere(error: unknown): void {
  if (systemCode(error) !== "EEXIST") throw error;
}

async function writing<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    if (cause instanceof DockError) throw cause;
    throw new DockError({ code: "OUTPUT", message: outputMessage(path, cause), cause });
  }
}
