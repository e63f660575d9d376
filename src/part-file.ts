/** Files that appear whole or not at all: written beside their place, then moved there. */
import { randomBytes } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";

/** Whether a file of this name is, or was, one that is being written. */
export function isPart(name: string): boolean {
  return /\.[0-9a-f]{8}\.part$/.test(name);
}

/** `PATH.<random>.part`, as long as it isn't placed. */
export class PartFile {
  readonly #file: FileHandle;
  readonly #part: string;
  readonly #path: string;

  /** Begins it. Replaces nothing yet; where a file is replaced, `mode` should be that file's. */
  static async open(path: string, mode?: number): Promise<PartFile> {
    const part = `${path}.${randomBytes(4).toString("hex")}.part`;
    const begun = new PartFile(path, part, await open(part, "wx"));
    try {
      if (mode !== undefined) await begun.#file.chmod(mode & 0o777);
      return begun;
    } catch (error) {
      await begun.discard();
      throw error;
    }
  }

  private constructor(path: string, part: string, file: FileHandle) {
    this.#path = path;
    this.#part = part;
    this.#file = file;
  }

  async write(chunk: Uint8Array | string): Promise<void> {
    await this.#file.appendFile(chunk);
  }

  /** All of it is written, and on the disk. */
  async close(): Promise<void> {
    await this.#file.sync();
    await this.#file.close();
  }

  /** Moves it to its place, once it is closed. */
  async place(): Promise<void> {
    await rename(this.#part, this.#path);
  }

  /** Removes it, unless it is placed. */
  async discard(): Promise<void> {
    await this.#file.close();
    await rm(this.#part, { force: true });
  }
}
