/** A snapshot in a folder: read without leaving it, whatever its manifest says. */
import { createHash } from "node:crypto";
import { constants, type FileHandle, open, readFile, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { ManifestError } from "./checked.js";
import { MANIFEST, type Manifest, parseManifest, type SnapshotImage } from "./manifest.js";

/** The largest manifest that is read, in bytes. */
export const LARGEST_MANIFEST = 32 * 1024 * 1024;

export interface Snapshot extends Manifest {
  readonly folder: string;
}

/** Reads what a folder says that it holds. Throws an Error that says what is wrong; a `ManifestError` where it is the manifest. */
export async function readSnapshot(folder: string): Promise<Snapshot> {
  const file = await openRegular(join(folder, MANIFEST));
  let bytes: Buffer;
  try {
    const { size } = await file.stat();
    if (size > LARGEST_MANIFEST) throw new ManifestError(`${MANIFEST} is larger than ${LARGEST_MANIFEST} bytes`);
    bytes = await file.readFile();
  } finally {
    await file.close();
  }
  return { folder, ...parseManifest(utf8(bytes)) };
}

/** The path of an image's bytes, once they were found to be what the manifest says. Throws an Error that says what is wrong. */
export async function checkedImage(folder: string, image: SnapshotImage): Promise<string> {
  const path = await pathOf(folder, image.file);
  const file = await openRegular(path);
  try {
    const { size } = await file.stat();
    if (size !== image.size) throw changed(image, `${size} bytes instead of ${image.size}`);
    const sha256 = await hashOf(file);
    if (sha256 !== image.sha256) throw changed(image, `its SHA-256 is ${sha256}`);
    return path;
  } finally {
    await file.close();
  }
}

/** The bytes of an image, checked. */
export async function imageBytes(folder: string, image: SnapshotImage): Promise<Buffer> {
  const bytes = await readFile(await checkedImage(folder, image));
  if (createHash("sha256").update(bytes).digest("hex") !== image.sha256) throw changed(image, "it was changed just now");
  return bytes;
}

/** The file as the system names it. It can only be one in the folder: no way up, no link that leads out. */
async function pathOf(folder: string, file: string): Promise<string> {
  const parts = file.split("/");
  if (parts.some((part) => part === "" || part === "." || part === ".." || /[\\:\0]/.test(part))) {
    throw new ManifestError(`${JSON.stringify(file)} is no file of the snapshot's folder`);
  }
  const home = await realpath(folder);
  const path = await realpath(join(folder, ...parts));
  if (!path.startsWith(home + sep)) throw new ManifestError(`${JSON.stringify(file)} leads out of the snapshot's folder`);
  return path;
}

/** A pipe or a device could keep a reader waiting for ever. */
async function openRegular(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Error(`${path} is no regular file`);
}

async function hashOf(file: FileHandle): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of file.createReadStream({ autoClose: false, start: 0 })) hash.update(chunk);
  return hash.digest("hex");
}

function changed({ file }: SnapshotImage, how: string): Error {
  return new ManifestError(`${file} isn't what ${MANIFEST} says (${how}): it was changed after the snapshot was saved`);
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ManifestError(`${MANIFEST} isn't text in UTF-8`, { cause });
  }
}
