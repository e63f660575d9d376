/** A file that appears whole or not at all: written beside its place, then moved there. */
import { randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { access, constants, open, realpath, rename, rm } from "node:fs/promises";
import type { Sink } from "./sink.js";

/** Begins `PATH.<random>.part`. `replaced` is the file that is at `path` now, if there is one: it keeps its mode. */
export async function openPartFile(path: string, replaced: Stats | undefined): Promise<Sink> {
  // Who may not write the file may not replace it either, though the folder would let them.
  if (replaced !== undefined) await access(path, constants.W_OK);
  const target = replaced === undefined ? path : await realpath(path); // a link stays a link
  const part = `${target}.${randomBytes(4).toString("hex")}.part`;
  const file = await open(part, "wx");
  const discard = async (): Promise<void> => {
    await file.close();
    await rm(part, { force: true });
  };
  try {
    if (replaced !== undefined) await file.chmod(replaced.mode & 0o777);
  } catch (error) {
    await discard();
    throw error;
  }
  return {
    write: (chunk) => file.appendFile(chunk),
    async finish() {
      await file.sync();
      await file.close();
      await rename(part, target);
    },
    discard,
  };
}
