/** The vendor's provisioning file, checked with the files that it names: everything that is wrong with it, at once. */
import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { imageSize } from "image-size";
import { crc32, type ImageType, typeOf, utf8Length } from "../../protocol/index.js";
import { encodedSize } from "../kv-value.js";
import { type ReadFile, readRegularFile } from "../regular-file.js";
import { quoted } from "../visible.js";
import { decodeText } from "./config-text.js";
import { type Draft, draftOf, type FileDraft, type ImageDraft, type RomImageType } from "./draft.js";
import { type Finding, Findings } from "./findings.js";
import { readTree } from "./yaml-tree.js";

/** Bytes that the factory layer holds: 13 MB, by the documentation of the SDK. */
export const ROM_CAPACITY = 13_000_000;
/** No config is longer, in bytes. */
const LARGEST_CONFIG = 4_000_000;
/** What the stock images have, and a full screen. */
const USUAL_SIZE = { width: 1920, height: 1080 };

/** What a config asks for, as it is on the disk. */
export interface RomConfig {
  /** By tag, in the order of the config. */
  readonly images: ReadonlyMap<string, RomImage>;
  readonly keys: ReadonlyMap<string, string>;
  readonly code?: RomCode;
  /** What all of it takes of the layer, names included. */
  readonly bytes: number;
}

export interface RomImage {
  /** An absolute path. */
  readonly file: string;
  readonly type: RomImageType;
  /** Bytes. */
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

export interface RomCode {
  /** An absolute path. */
  readonly file: string;
  /** Bytes. */
  readonly size: number;
  readonly crc32: number;
}

export type CheckedConfig =
  | { readonly kind: "good"; readonly config: RomConfig; readonly warnings: readonly Finding[] }
  | { readonly kind: "bad"; readonly problems: readonly Finding[]; readonly warnings: readonly Finding[] }
  /** There is nothing to check; `why` says why, and follows the file's name and a colon. */
  | { readonly kind: "unreadable"; readonly why: string };

export interface CheckOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Checks the config at `path`. Each file is read once, and one is in memory at a time. Rejects with `ABORTED` alone. */
export async function checkConfig(path: string, options: CheckOptions = {}): Promise<CheckedConfig> {
  const { signal } = options;
  const read = path.includes("\0")
    ? ({ kind: "unreadable", why: "its name has U+0000 in it" } as const)
    : await readRegularFile(path, LARGEST_CONFIG, signal);
  if (read.kind === "unreadable") return read;
  if (read.kind === "too large") return bad({ code: "TOO_LARGE", message: `A config isn't that large: ${read.why}.` });
  const decoded = decodeText(read.bytes);
  if (decoded.kind === "bad") return bad(decoded.problem);
  const folder = dirname(resolve(path));
  const findings = new Findings(decoded.text);
  const draft = checkText(decoded.text, folder, findings);
  const files = new Files(await realFolder(folder), folder, findings, signal);
  const config = await files.config(draft);
  const { problems, warnings } = findings;
  return problems.length === 0 ? { kind: "good", config, warnings } : { kind: "bad", problems, warnings };
}

/** What a config asks for by its text alone. */
export function checkText(text: string, folder: string, findings: Findings): Draft {
  const tree = readTree(text, findings);
  const isUnread = tree === undefined && findings.problems.length > 0;
  return isUnread ? { images: new Map(), keys: new Map(), code: undefined } : draftOf(tree, folder, findings);
}

function bad(problem: Finding): CheckedConfig {
  return { kind: "bad", problems: [problem], warnings: [] };
}

async function realFolder(folder: string): Promise<string> {
  return realpath(folder).catch(() => folder);
}

/** What is known of a file once it was read. */
interface FileFacts {
  readonly kind: "facts";
  readonly size: number;
  readonly sha256: string;
  readonly crc32: number;
  readonly type: ImageType;
  readonly dimensions: { readonly width: number; readonly height: number } | undefined;
}
type Looked = FileFacts | Exclude<ReadFile, { kind: "bytes" }>;

/** The files that a config names. */
class Files {
  readonly #realFolder: string;
  readonly #folder: string;
  readonly #findings: Findings;
  readonly #signal: AbortSignal | undefined;
  readonly #looked = new Map<string, Looked>();

  constructor(realFolder: string, folder: string, findings: Findings, signal: AbortSignal | undefined) {
    this.#realFolder = realFolder;
    this.#folder = folder;
    this.#findings = findings;
    this.#signal = signal;
  }

  async config({ images, keys, code }: Draft): Promise<RomConfig> {
    const good = new Map<string, RomImage>();
    let bytes = 0;
    for (const [tag, draft] of images) {
      const facts = await this.#facts(draft);
      if (facts === undefined) continue;
      bytes += utf8Length(tag) + facts.size;
      const image = this.#image(draft, facts);
      if (image !== undefined) good.set(tag, image);
    }
    const program = code === undefined ? undefined : await this.#facts(code);
    bytes += program?.size ?? 0;
    for (const [key, value] of keys) bytes += utf8Length(key) + encodedSize(value);
    this.#checkSpace(bytes);
    const config = { images: good, keys, bytes };
    if (code === undefined || program === undefined) return config;
    return { ...config, code: { file: code.file, size: program.size, crc32: program.crc32 } };
  }

  #checkSpace(bytes: number): void {
    if (bytes <= ROM_CAPACITY) return;
    const message = `All of it takes ${bytes} bytes, and a dock has ${ROM_CAPACITY}: that is ${bytes - ROM_CAPACITY} too many.`;
    this.#findings.problem("NO_SPACE", undefined, message);
  }

  async #facts({ file, at }: FileDraft): Promise<FileFacts | undefined> {
    const looked = this.#looked.get(file) ?? (await this.#look(file));
    this.#looked.set(file, looked);
    if (looked.kind !== "facts") {
      const message = `${quoted(file)} can't be used: ${looked.why}.`;
      this.#findings.problem(looked.kind === "too large" ? "NO_SPACE" : "FILE", at, message);
      return undefined;
    }
    await this.#checkLink(file, at);
    return looked;
  }

  async #look(file: string): Promise<Looked> {
    const read = await readRegularFile(file, ROM_CAPACITY, this.#signal);
    return read.kind === "bytes" ? factsOf(read.bytes) : read;
  }

  /** A path that leads out of the folder by itself was meant to; one that a link leads out may not have been. */
  async #checkLink(file: string, at: number): Promise<void> {
    if (!isWithin(file, this.#folder)) return;
    const real = await realpath(file).catch(() => file);
    if (real === file || isWithin(real, this.#realFolder)) return;
    const message = `A symbolic link leads out of the config's folder, to ${quoted(real)}. Is that the file that you mean?`;
    this.#findings.warning("LINK", at, message);
  }

  #image({ file, at, type, typeAt }: ImageDraft, facts: FileFacts): RomImage | undefined {
    if (type === undefined) return undefined;
    const { size, sha256, dimensions } = facts;
    if (facts.type !== type) {
      this.#findings.problem("CONTENT", typeAt, contentMessage(file, facts.type, type));
      return undefined;
    }
    if (dimensions === undefined || dimensions.width === 0 || dimensions.height === 0) {
      const message = `${quoted(file)} begins like a ${type}, but has no width and height that can be read: it is cut off or broken.`;
      this.#findings.problem("CONTENT", at, message);
      return undefined;
    }
    const { width, height } = dimensions;
    if (width !== USUAL_SIZE.width || height !== USUAL_SIZE.height) {
      const message = `${quoted(file)} is ${width}×${height}, and a full screen is ${USUAL_SIZE.width}×${USUAL_SIZE.height}.`;
      this.#findings.warning("DIMENSIONS", at, message);
    }
    return { file, type, size, sha256, width, height };
  }
}

function contentMessage(file: string, found: ImageType, said: RomImageType): string {
  if (found === "none") return `${quoted(file)} is none of png, bmp, jpeg by its content, and the type here is ${said}.`;
  return `${quoted(file)} is ${found} by its content, and the type here is ${said}: write ${found}.`;
}

function factsOf(bytes: Uint8Array): FileFacts {
  const type = typeOf(bytes);
  return {
    kind: "facts",
    size: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    crc32: crc32(bytes),
    type,
    dimensions: type === "none" ? undefined : dimensionsOf(bytes),
  };
}

function dimensionsOf(bytes: Uint8Array): { width: number; height: number } | undefined {
  try {
    const { width, height } = imageSize(bytes);
    return { width, height };
  } catch {
    return undefined; // it throws at whatever it can't make out
  }
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
