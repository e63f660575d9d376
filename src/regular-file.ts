/** A regular file, read whole. Whatever else is at a path is left alone: opening a FIFO waits, and opening a device can set it off. */
import type { Stats } from "node:fs";
import { constants, type FileHandle, lstat, open, stat } from "node:fs/promises";
import { DockError } from "./errors.js";
import { visible } from "./visible.js";

export type ReadFile =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** `why` follows the file's name and a colon. */
  | { readonly kind: "unreadable"; readonly why: string }
  | { readonly kind: "too large"; readonly why: string };

/** Bytes that are read at once, after which the signal is asked. */
const BLOCK = 1024 * 1024;

/** Reads what has `limit` bytes at most. Rejects with `ABORTED` alone. */
export async function readRegularFile(path: string, limit: number, signal: AbortSignal | undefined): Promise<ReadFile> {
  let stats: Stats;
  try {
    stats = await stat(path);
  } catch (error) {
    return unreadable(error instanceof Error && codeOf(error) === "ENOENT" ? await absence(path) : pathTrouble(error));
  }
  if (!stats.isFile()) return unreadable(`it is ${kindOf(stats)}, not a file`);
  let handle: FileHandle;
  try {
    // It may be another one by now.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return unreadable(fileTrouble(error, stats.mode));
  }
  try {
    return await readOpen(handle, limit, signal);
  } catch (error) {
    if (error instanceof DockError) throw error;
    return unreadable(fileTrouble(error, stats.mode));
  } finally {
    await handle.close().catch(() => {}); // it was only read
  }
}

async function readOpen(handle: FileHandle, limit: number, signal: AbortSignal | undefined): Promise<ReadFile> {
  const stats = await handle.stat();
  if (!stats.isFile()) return unreadable(`it is ${kindOf(stats)}, not a file`);
  if (stats.size > limit) return tooLarge(stats.size, limit);
  const memory = new Uint8Array(stats.size + 1); // and one byte that isn't there
  let filled = 0;
  while (filled < memory.length) {
    throwIfAborted(signal);
    const { bytesRead } = await handle.read(memory, filled, Math.min(BLOCK, memory.length - filled), filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  if (filled !== stats.size) return unreadable("it changes while it is read: try again when it is written");
  return { kind: "bytes", bytes: memory.subarray(0, filled) };
}

/** Why a path leads nowhere that can be looked at. */
export function pathTrouble(error: unknown): string {
  switch (codeOf(error)) {
    case "EACCES":
    case "EPERM":
      return "you may not enter a folder on its way: you need the permission x for each of them";
    case "ENOTDIR":
      return "what stands before its last / isn't a folder";
    case "ELOOP":
      return "its symbolic links go round in a circle";
    case "ENAMETOOLONG":
      return "its name is too long";
    default:
      return saidBy(error);
  }
}

/** Why a file that is there can't be read. */
export function fileTrouble(error: unknown, mode: number): string {
  const code = codeOf(error);
  if (code !== "EACCES" && code !== "EPERM") return code === "ENOENT" ? "it was removed meanwhile" : saidBy(error);
  return `you may not read it: you need the permission r (its mode is ${(mode & 0o777).toString(8).padStart(4, "0")})`;
}

async function absence(path: string): Promise<string> {
  const isLink = await lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
  return isLink ? "it is a symbolic link to what isn't there" : "there is no such file";
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return "a folder";
  if (stats.isFIFO()) return "a FIFO";
  if (stats.isSocket()) return "a socket";
  return "a device";
}

function tooLarge(size: number, limit: number): ReadFile {
  return { kind: "too large", why: `it has ${size} bytes, and ${limit} is the most` };
}

function unreadable(why: string): ReadFile {
  return { kind: "unreadable", why };
}

function saidBy(error: unknown): string {
  return visible(error instanceof Error ? error.message : String(error));
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new DockError({ code: "ABORTED", message: "Reading the file was aborted.", cause: signal.reason });
}
