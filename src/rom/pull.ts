/** The factory layer of a dock, as a config and files that the vendor's tool takes back. */
import { checkedImage } from "../../snapshot/folder.js";
import { throwIfAborted } from "../check.js";
import { type Contents, contentsOf, type ImageContent } from "../contents.js";
import type { Dock } from "../dock.js";
import { FileNames } from "../file-name.js";
import type { CallOptions } from "../session.js";
import { StagedFolder } from "../staged-folder.js";
import { printable } from "../visible.js";

/** What the config is called in its folder. */
export const CONFIG_FILE = "config.yaml";

/** Something that the vendor's file has no form for. */
export interface LeftOut {
  readonly kind: "image" | "key";
  readonly name: string;
  readonly why: "no text" | "of no type" | "unique per dock";
}

export interface Pulled {
  readonly images: number;
  readonly keys: number;
  readonly leftOut: readonly LeftOut[];
}

export interface PullOptions extends CallOptions {
  readonly onProgress?: ((progress: { readonly moved: number; readonly size: number }) => void) | undefined;
}

/** What a dock has that a config can't: to be asked before it is pulled, by who wants all of it. */
export async function leftOutOf(dock: Dock, options: CallOptions = {}): Promise<readonly LeftOut[]> {
  return portable(await contentsOf(dock, "factory", options)).leftOut;
}

/**
 * Writes a config and the images that it names into a folder, which is made, is empty or has a config; as long as not everything has arrived it
 * stays as it was. Fails as reading does, and with `OUTPUT`.
 */
export async function pullConfig(dock: Dock, folder: string, options: PullOptions = {}): Promise<Pulled> {
  const { signal, timeout, onProgress } = options;
  const staged = await StagedFolder.open(folder, CONFIG_FILE);
  try {
    const { images, keys, leftOut } = portable(await contentsOf(dock, "factory", { signal, timeout }));
    if (images.size > 0) await staged.folder("images");
    const names = new FileNames();
    const files = new Map([...images].map(([tag, image]) => [tag, { ...image, file: `images/${names.for(tag, image.type)}` }]));
    const size = [...images.values()].reduce((sum, image) => sum + image.size, 0);
    let moved = 0;
    for (const [tag, image] of files) {
      const where = dock.features.includes("stores") ? { store: "factory" as const } : {};
      const show = ({ received }: { received: number }): void => onProgress?.({ moved: moved + received, size });
      const isThere = await checkedImage(folder, image).catch(() => undefined);
      const stream = { ...where, signal, timeout, ifSha256: image.sha256, onProgress: show };
      if (isThere === undefined) await staged.file(image.file, dock.images.stream(tag, stream));
      moved += image.size;
    }
    const code = dock.features.includes("code") ? await dock.code({ signal, timeout }) : undefined;
    await staged.file(CONFIG_FILE, [configText(files, keys, code)]);
    throwIfAborted(signal);
    await staged.commit();
    return { images: images.size, keys: keys.size, leftOut };
  } finally {
    await staged.discard();
  }
}

interface Portable {
  readonly images: ReadonlyMap<string, ImageContent>;
  readonly keys: ReadonlyMap<string, string>;
  readonly leftOut: readonly LeftOut[];
}

/** What a config can have, and what it can't. */
function portable({ images, keys }: Contents): Portable {
  const leftOut: LeftOut[] = [];
  const texts = new Map<string, string>();
  for (const [name, { type }] of images) if (type === "none") leftOut.push({ kind: "image", name, why: "of no type" });
  for (const [name, { value, upd }] of keys) {
    if (upd) leftOut.push({ kind: "key", name, why: "unique per dock" });
    else if (typeof value === "string") texts.set(name, value);
    else leftOut.push({ kind: "key", name, why: "no text" });
  }
  return { images: new Map([...images].filter(([, { type }]) => type !== "none")), keys: texts, leftOut };
}

function configText(
  images: ReadonlyMap<string, { readonly file: string; readonly type: string }>,
  keys: ReadonlyMap<string, string>,
  code: { readonly size: number; readonly crc32: number } | undefined,
): string {
  const crc = code?.crc32.toString(16).padStart(8, "0");
  return [
    ...(code === undefined ? [] : [`# The dock runs ${code.size} bytes of code, CRC-32 ${crc}, which can't be read off it.`]),
    images.size === 0 ? "images: {}" : "images:",
    ...[...images].flatMap(([tag, { file, type }]) => [
      `  ${yamlText(tag)}:`,
      `    path: \${CONFIG_PATH}/${file}`,
      `    type: ${type}`,
    ]),
    keys.size === 0 ? "kv_store: {}" : "kv_store:",
    ...[...keys].map(([key, value]) => `  ${yamlText(key)}: ${yamlText(value)}`),
    "",
  ].join("\n");
}

/** What YAML lets stand as it is (YAML 1.2 §5.1), and PyYAML, which is the vendor's, too. */
const PLAIN = /[\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;

/** Text between double quotation marks. */
function yamlText(text: string): string {
  const escaped = Array.from(text, (character) => {
    if (PLAIN.test(character) && printable(character) === character && !/["\\]/.test(character)) return character;
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
    return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
  });
  return `"${escaped.join("")}"`;
}
