/** Where an image comes from in tests, and how it is read. */
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { DockError } from "../errors.js";
import { type ImageSource, type OpenSource, openSource, type SourceOptions } from "../source.js";
import { PIECE } from "./picture.js";

/** What openSource fails with. */
export async function refusal(source: ImageSource, options?: SourceOptions): Promise<DockError> {
  try {
    await openSource(source, options);
  } catch (error) {
    if (error instanceof DockError) return error;
    throw error;
  }
  throw new Error("it was opened");
}

/** The code that a read fails with. */
export async function codeOf(reading: Uint8Array | Promise<Uint8Array>): Promise<string> {
  try {
    await reading;
  } catch (error) {
    if (error instanceof DockError) return error.code;
    throw error;
  }
  throw new Error("it was read");
}

/** Reads from the beginning to the end, and counts how often that meant to wait. */
export async function readThrough(source: OpenSource): Promise<{ bytes: Buffer; reads: number; waits: number }> {
  const parts: Uint8Array[] = [];
  let at = 0;
  let waits = 0;
  for (;;) {
    const part = source.read(at, PIECE);
    if (part instanceof Promise) waits++;
    const bytes = await part;
    if (bytes.length === 0) return { bytes: Buffer.concat(parts), reads: parts.length, waits };
    parts.push(bytes);
    at += bytes.length;
  }
}

export function chunksOf(bytes: Uint8Array, length: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, i) => bytes.subarray(i * length, (i + 1) * length));
}

/** A folder that the test has for itself. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "dl7450-source-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** A file that was last changed long ago: a change can't fall into the same tick of the file system's clock. */
export async function fileOf(bytes: Uint8Array): Promise<string> {
  const file = join(await newFolder(), "image");
  await writeFile(file, bytes);
  await utimes(file, 1_000_000_000, 1_000_000_000);
  return file;
}
