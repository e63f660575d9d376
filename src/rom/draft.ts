/** What a config asks for, before the files that it names are looked at. */
import { USUAL_LIMITS, utf8Length } from "../../protocol/index.js";
import { encodedSize } from "../kv-value.js";
import { quoted } from "../visible.js";
import { closest, meant } from "./closest.js";
import { configPath, variableIn } from "./config-path.js";
import type { Findings } from "./findings.js";
import { closestTimezone, TIMEZONES } from "./timezones.js";
import type { Entry, MapTree, TextTree, Tree } from "./yaml-tree.js";

/** The types that an image in a config can have. */
export type RomImageType = "png" | "bmp" | "jpeg";

/** What isn't right is left out of it. */
export interface Draft {
  readonly images: ReadonlyMap<string, ImageDraft>;
  readonly keys: ReadonlyMap<string, string>;
  readonly code: FileDraft | undefined;
}

/** A path, and where it stands in the config. */
export interface FileDraft {
  readonly file: string;
  readonly at: number;
}

export interface ImageDraft extends FileDraft {
  readonly type: RomImageType | undefined;
  readonly typeAt: number;
}

const SECTIONS = ["images", "kv_store", "code"] as const;
const IMAGE_KEYS = ["path", "type"] as const;
const CODE_KEYS = ["path"] as const;
const TYPES: readonly RomImageType[] = ["png", "bmp", "jpeg"];
/** The vendor's script looks for files at whatever has this name. */
const PATH = "path";

/** Reads a config out of its tree. `folder` is where the config is. What is wrong with it goes to `findings`. */
export function draftOf(tree: Tree | undefined, folder: string, findings: Findings): Draft {
  return new Drafting(folder, findings).draft(tree);
}

class Drafting {
  readonly #folder: string;
  readonly #findings: Findings;

  constructor(folder: string, findings: Findings) {
    this.#folder = folder;
    this.#findings = findings;
  }

  draft(tree: Tree | undefined): Draft {
    if (tree === undefined || (tree.kind === "other" && tree.what === "nothing")) {
      this.#findings.problem("EMPTY", undefined, `The config is empty. ${CONFIG_HAS}`);
      return { images: new Map(), keys: new Map(), code: undefined };
    }
    const map = this.#map(tree, "A config", CONFIG_HAS);
    const sections = map === undefined ? new Map<never, Entry>() : this.#fields(map, SECTIONS, "a config");
    if (map?.entries.length === 0)
      this.#findings.warning("EMPTY", tree.at, "There is nothing in it: a dock that gets it has nothing either.");
    return {
      images: this.#images(sections.get("images")),
      keys: this.#keys(sections.get("kv_store")),
      code: this.#code(sections.get("code")),
    };
  }

  #images(section: Entry | undefined): Map<string, ImageDraft> {
    const images = new Map<string, ImageDraft>();
    for (const [tag, { key, value }] of this.#names(section, "images", "tag")) {
      const has = `of the image ${quoted(tag)}`;
      const map = this.#map(value, `The image ${quoted(tag)}`, "It has a path and a type below it.");
      if (map === undefined) continue;
      const fields = this.#fields(map, IMAGE_KEYS, "an image");
      this.#missing(fields, IMAGE_KEYS, map, key.at, `The image ${quoted(tag)}`);
      const typeText = this.#text(fields.get("type")?.value, `The type ${has}`);
      const type = this.#type(typeText);
      const file = this.#file(fields.get("path")?.value, `The path ${has}`);
      if (file !== undefined) images.set(tag, { ...file, type, typeAt: typeText?.at ?? file.at });
    }
    return images;
  }

  #keys(section: Entry | undefined): Map<string, string> {
    const keys = new Map<string, string>();
    for (const [key, { value }] of this.#names(section, "kv_store", "key")) {
      const text = this.#text(value, `The value of ${quoted(key)}`);
      if (text === undefined) continue;
      this.#checkValue(key, text);
      keys.set(key, text.text);
    }
    return keys;
  }

  #code(section: Entry | undefined): FileDraft | undefined {
    if (section === undefined) return undefined;
    const map = this.#map(
      section.value,
      `"code"`,
      "It has the path of a Python file below it; without a program, leave it out.",
    );
    if (map === undefined) return undefined;
    const fields = this.#fields(map, CODE_KEYS, '"code"');
    this.#missing(fields, CODE_KEYS, map, section.key.at, '"code"');
    return this.#file(fields.get("path")?.value, 'The path of "code"');
  }

  /** The map that should be there. */
  #map(tree: Tree, name: string, has: string): MapTree | undefined {
    if (tree.kind === "map") return tree;
    const what = tree.kind === "text" ? "text" : tree.what;
    if (what === "nothing") this.#findings.problem("NOT_A_MAP", tree.at, `${name} has nothing in it. ${has}`);
    else if (what !== undefined)
      this.#findings.problem("NOT_A_MAP", tree.at, `${name} is ${what}, and should be a map. ${has}`);
    return undefined;
  }

  /** The text that should be there. */
  #text(tree: Tree | undefined, name: string): TextTree | undefined {
    if (tree === undefined) return undefined;
    if (tree.kind !== "text") {
      const what = tree.kind === "map" ? "a map" : tree.what;
      if (what !== undefined)
        this.#findings.problem("NOT_TEXT", tree.at, `${name} is ${what}, and has to be text: put it between quotation marks.`);
      return undefined;
    }
    if (tree.otherwise !== undefined) {
      const message = `To the vendor's script ${quoted(tree.text)} is ${tree.otherwise}, not text, as it reads YAML 1.1: put it between quotation marks.`;
      this.#findings.warning("VENDOR", tree.at, message);
    }
    if (tree.text.isWellFormed()) return tree;
    this.#findings.problem("VALUE", tree.at, `${name} has half a surrogate pair in it, which isn't Unicode.`);
    return undefined;
  }

  /** The entries of a map by their keys, each once. */
  #entries(map: MapTree, name: string): Map<string, Entry> {
    const entries = new Map<string, Entry>();
    for (const entry of map.entries) {
      const key = this.#isMerge(entry.key) ? undefined : this.#text(entry.key, name);
      if (key === undefined) continue;
      const first = entries.get(key.text);
      if (first === undefined) entries.set(key.text, entry);
      else this.#duplicate(key, first);
    }
    return entries;
  }

  /** Older YAML has a key that stands for the entries of another map. */
  #isMerge(key: Tree): boolean {
    if (key.kind !== "text" || key.text !== "<<" || key.otherwise === undefined) return false;
    this.#findings.problem("YAML", key.at, "<< isn't taken for the entries of another map here: write them out.");
    return true;
  }

  #duplicate({ text, at }: TextTree, first: Entry): void {
    const line = this.#findings.lineOf(first.key.at);
    this.#findings.problem("DUPLICATE", at, `${quoted(text)} stands in line ${line} already: take one of them out.`);
  }

  /** The entries that `map` can have. What is misspelt counts as what was meant, so that the rest of it is looked at too. */
  #fields<Key extends string>(map: MapTree, keys: readonly Key[], name: string): Map<Key, Entry> {
    const entries = this.#entries(map, `A key of ${name}`);
    const fields = new Map<Key, Entry>();
    for (const key of keys) {
      const entry = entries.get(key);
      if (entry !== undefined) fields.set(key, entry);
    }
    for (const [text, entry] of entries) {
      if (keys.some((key) => key === text)) continue;
      const guess = closest(text, keys);
      this.#findings.problem(
        "UNKNOWN_KEY",
        entry.key.at,
        `${quoted(text)} isn't a key of ${name}, which has ${keys.join(", ")}.${meant(text, keys)}`,
      );
      const key = keys.find((key) => key === guess);
      if (key !== undefined && !fields.has(key)) fields.set(key, entry);
    }
    return fields;
  }

  #missing<Key extends string>(
    fields: ReadonlyMap<Key, Entry>,
    keys: readonly Key[],
    map: MapTree,
    at: number,
    name: string,
  ): void {
    if (!this.#findings.isClear(map.end)) return; // it may stand where the text is unclear
    for (const key of keys) {
      if (!fields.has(key)) this.#findings.problem("MISSING_KEY", at, `${name} has no ${key}.`);
    }
  }

  /** The entries of a section by the names that a dock is to know them by. */
  #names(section: Entry | undefined, title: string, kind: "tag" | "key"): Map<string, Entry> {
    if (section === undefined) return new Map();
    const map = this.#map(section.value, quoted(title), `It has ${kind}s below it; without any, leave it out.`);
    const entries = map === undefined ? new Map<string, Entry>() : this.#entries(map, `A ${kind}`);
    for (const [name, { key }] of entries) this.#checkName(name, key.at, kind);
    return entries;
  }

  #checkName(name: string, at: number, kind: "tag" | "key"): void {
    const bytes = utf8Length(name);
    const most = kind === "tag" ? USUAL_LIMITS.tagBytes : USUAL_LIMITS.keyBytes;
    if (name === "") this.#findings.problem("NAME", at, `A ${kind} can't be empty.`);
    if (name.includes("\0"))
      this.#findings.problem("NAME", at, `The ${kind} ${quoted(name)} has U+0000 in it, which no dock takes.`);
    if (bytes > most) this.#findings.problem("NAME", at, `A ${kind} has ${most} bytes at most, and this one has ${bytes}.`);
    if (name === PATH) {
      const message = `The vendor's script takes a ${kind} that is called ${PATH} for the path of a file: call it something else.`;
      this.#findings.warning("VENDOR", at, message);
    }
    this.#checkVariable(name, at);
  }

  #checkValue(key: string, { text, at }: TextTree): void {
    const size = encodedSize(text);
    if (size > USUAL_LIMITS.valueBytes) {
      const message = `The value of ${quoted(key)} takes ${size} bytes, and a dock takes ${USUAL_LIMITS.valueBytes}.`;
      this.#findings.problem("VALUE", at, message);
    }
    if (key === "timezone" && !TIMEZONES.includes(text)) {
      const zone = closestTimezone(text);
      const guess = zone === undefined ? "" : ` Did you mean ${zone}?`;
      const message = `A dock knows no time zone ${quoted(text)}. It knows ${TIMEZONES.join(", ")}.${guess}`;
      this.#findings.problem("TIMEZONE", at, message);
    }
    this.#checkVariable(text, at);
  }

  /** A $ that the vendor's script doesn't leave alone. */
  #checkVariable(text: string, at: number): void {
    const change = variableIn(text);
    if (change !== undefined)
      this.#findings.warning("VENDOR", at, `The vendor's script puts ${change} here; this program leaves it.`);
  }

  /** In any case, as the vendor's script takes it. */
  #type(type: TextTree | undefined): RomImageType | undefined {
    if (type === undefined) return undefined;
    const known = TYPES.find((it) => it === type.text.toLowerCase());
    if (known === undefined) {
      const message = `There is no image type ${quoted(type.text)}: it is one of ${TYPES.join(", ")}.${meant(type.text, TYPES)}`;
      this.#findings.problem("IMAGE_TYPE", type.at, message);
    }
    return known;
  }

  #file(tree: Tree | undefined, name: string): FileDraft | undefined {
    const text = this.#text(tree, name);
    const file = text === undefined ? undefined : configPath(text.text, text.at, this.#folder, this.#findings);
    return text === undefined || file === undefined ? undefined : { file, at: text.at };
  }
}

const CONFIG_HAS = `It is a map of ${SECTIONS.join(", ")}, each of which can be left out.`;
