/** What the vendor's REST call takes, `POST …/docks/application/romstore`: by the documentation of the SDK and its script. */
import { createHash } from "node:crypto";
import { crc32 } from "../../protocol/index.js";
import { DockError } from "../errors.js";
import { readRegularFile } from "../regular-file.js";
import { quoted } from "../visible.js";
import { ROM_CAPACITY, type RomCode, type RomConfig, type RomImage } from "./check-config.js";

export interface PayloadOptions {
  /** 64 hexadecimal digits. Without it the payload has none, and whoever sends it puts it in. */
  readonly dockId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes that become base64 at once: a multiple of three, so that the parts join without padding. */
const PART = 48 * 1024;

/**
 * The payload for a config that was checked, in parts: JSON on one line, in ASCII. One file is in memory at a time. Fails with
 * `CHANGED` when a file isn't what was checked any more, before any of it is given, and with `ABORTED`.
 */
export async function* payload(config: RomConfig, options: PayloadOptions = {}): AsyncGenerator<string, void, undefined> {
  const { dockId, signal } = options;
  yield '{"data": {"type": "applicationRomStore", "attributes": {';
  if (dockId !== undefined) yield `"dockId": ${ascii(dockId)}, `;
  yield '"code": {"code": "';
  if (config.code !== undefined) yield* base64(await sameCode(config.code, signal));
  yield '"}, "images": {';
  let comma = "";
  for (const [tag, image] of config.images) {
    yield `${comma}${ascii(tag)}: {"type": "${image.type.toUpperCase()}", "data": "`;
    yield* base64(await sameImage(image, signal));
    yield '"}';
    comma = ", ";
  }
  yield `}, "kvStore": {${[...config.keys].map(([key, value]) => `${ascii(key)}: ${ascii(value)}`).join(", ")}}}}}\n`;
}

function* base64(bytes: Uint8Array): Generator<string, void, undefined> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < buffer.length; at += PART) yield buffer.toString("base64", at, at + PART);
}

async function sameCode({ file, size, crc32: checked }: RomCode, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const bytes = await reread(file, signal);
  if (bytes.length !== size || crc32(bytes) !== checked) throw changed(file);
  return bytes;
}

async function sameImage({ file, sha256 }: RomImage, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const bytes = await reread(file, signal);
  if (createHash("sha256").update(bytes).digest("hex") !== sha256) throw changed(file);
  return bytes;
}

async function reread(file: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const read = await readRegularFile(file, ROM_CAPACITY, signal);
  if (read.kind === "bytes") return read.bytes;
  throw changed(file);
}

function changed(file: string): DockError {
  return new DockError({ code: "CHANGED", message: `The file ${quoted(file)} changed since it was checked.` });
}

/** Text as JSON that any terminal shows as it is. */
function ascii(text: string): string {
  return JSON.stringify(text).replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
