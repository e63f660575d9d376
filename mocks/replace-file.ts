/** A file that is replaced as a whole or not at all, whenever the process ends. */
import { renameSync, rmSync, writeFileSync } from "node:fs";

/** What a file is called while it is written. */
export const NEXT = ".next";

/**
 * Writes `file.next`, then renames it. It survives the end of the process, not of the machine: nothing is synced. `write-file-atomic` 6 and
 * `atomically` 2 do the same, but write once and don't look how much was taken: on a disk that gets full they put a file that is cut off in
 * the place of the good one.
 */
export function replaceFile(file: string, content: string | Uint8Array): void {
  const next = file + NEXT;
  try {
    writeFileSync(next, content); // all of it, or it throws
    renameSync(next, file);
  } catch (error) {
    removeRest(next);
    throw error;
  }
}

/** What can't be removed is written over the next time; why the write has failed is what matters. */
function removeRest(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {}
}
