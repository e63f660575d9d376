/** What the file of an image is called: its tag as far as that can be one, whatever the dock calls it and wherever the folder goes. */
import { createHash } from "node:crypto";
import type { ImageType } from "../protocol/index.js";

const ENDINGS: Readonly<Record<ImageType, string>> = { png: "png", bmp: "bmp", jpeg: "jpg", none: "bin" };

/** Windows has devices by these names, with any ending. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** Longer names aren't read by anybody, and some file systems end at 255 bytes. */
const LONGEST = 80;

/** Gives the images of a folder their names: letters, digits, `-`, `_` and `.`, no two the same where case doesn't count. */
export class FileNames {
  readonly #taken = new Set<string>();

  /** The name for an image. A tag that can't be one as it is gets a piece of its SHA-256, so that it has the same each time. */
  for(tag: string, type: ImageType): string {
    const plain = tag.replace(/[^A-Za-z0-9._-]/gu, "_").slice(0, LONGEST);
    if (plain === tag && !/^[.-]|\.$/.test(tag) && !DEVICE.test(tag) && this.#take(plain, type))
      return `${plain}.${ENDINGS[type]}`;
    const hash = createHash("sha256").update(tag).digest("hex");
    const readable = plain.replace(/^[._-]+|[._-]+$/g, "").replace(DEVICE, "_$&") || "image";
    for (let digits = 8; ; digits++) {
      const marked = `${readable}-${hash.slice(0, digits)}`;
      if (this.#take(marked, type)) return `${marked}.${ENDINGS[type]}`;
    }
  }

  /** Whether nobody has it yet. */
  #take(base: string, type: ImageType): boolean {
    const name = `${base}.${ENDINGS[type]}`.toLowerCase();
    if (this.#taken.has(name)) return false;
    this.#taken.add(name);
    return true;
  }
}
