/** The manifest of a snapshot: what the layers of a dock held, in YAML that git can diff. */
import * as v from "valibot";
import { Document, isNode, isScalar, LineCounter, type Node, parseDocument, visit, type visitor } from "yaml";
import { IMAGE_TYPES, type ImageType, jsonValue, type KvValue, LAYERS, type Layer, UINT32_MAX } from "../protocol/index.js";
import { checked, checkedValue, ManifestError } from "./checked.js";
import { scan } from "./yaml-scan.js";

/** The file of a snapshot's folder that says what is in it. */
export const MANIFEST = "snapshot.yaml";

export interface SnapshotImage {
  /** Where its bytes are, from the folder on, with slashes. */
  readonly file: string;
  readonly type: ImageType;
  /** Bytes. */
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

interface SnapshotKey {
  readonly value: KvValue;
  /** Whether the value is unique per dock. */
  readonly upd: boolean;
}

export interface SnapshotLayer {
  readonly store: Layer;
  readonly images: ReadonlyMap<string, SnapshotImage>;
  readonly keys: ReadonlyMap<string, SnapshotKey>;
}

/** The dock that it was made of. */
interface SnapshotDock {
  /** Unique per dock. */
  readonly id: string;
  /** Its label. */
  readonly name: string;
  readonly model: string;
}

export interface Manifest {
  readonly dock: SnapshotDock;
  readonly layers: readonly SnapshotLayer[];
}

/** A manifest that a newer version of this program has made. */
export class NewerManifest extends ManifestError {}

/** The format that is written, and the only one that is read. */
const FORMAT = 1;

const HEAD = `# What a DL-7450 dock held, layer by layer. \`dl7450 snapshot diff\` compares it with a dock, \`dl7450 snapshot restore\` puts it back.
# What YAML has no form for is a map with one key: {$bytes: base64}, {$int: decimal}, {$float: NaN}.
`;

export function manifestText({ dock, layers }: Manifest): string {
  const content = {
    format: FORMAT,
    dock,
    layers: Object.fromEntries(
      layers.map(({ store, images, keys }) => {
        const unique = [...keys].filter(([, { upd }]) => upd).map(([key]) => key);
        const values = [...keys].map(([key, { value }]) => [key, jsonValue(value)] as const);
        return [
          store,
          {
            images: Object.fromEntries(images),
            keys: Object.fromEntries(values),
            ...(unique.length === 0 ? {} : { unique }),
          },
        ];
      }),
    ),
  };
  const document = new Document(content, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_key, node) => {
      // In a block, lines of blanks alone lose them; between quotation marks they do where the text has several lines.
      if (typeof node.value === "string" && /^[ \t]|^[ \t]+$/m.test(node.value)) node.type = "QUOTE_DOUBLE";
    },
  });
  return (
    HEAD + document.toString({ lineWidth: 0, singleQuote: false, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER })
  );
}

const uint32 = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(UINT32_MAX));
/** valibot's own record leaves out names like `__proto__`, which a dock can have: entries are looked at one by one. */
const byName = v.pipe(
  v.nullish(
    v.custom<object>((it) => typeof it === "object" && it !== null && !Array.isArray(it), "not a map"),
    {},
  ),
  v.transform((it): [string, unknown][] => Object.entries(it)),
);
const image = v.strictObject({
  file: v.string(),
  type: v.picklist(IMAGE_TYPES),
  size: uint32,
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "not 64 hexadecimal digits")),
});
const layer = v.strictObject({ images: byName, keys: byName, unique: v.optional(v.array(v.string()), []) });
const manifest = v.strictObject({
  format: v.literal(FORMAT),
  dock: v.strictObject({ id: v.string(), name: v.string(), model: v.string() }),
  layers: byName,
});

/** Reads a manifest. Throws a `ManifestError` that says where it is wrong. */
export function parseManifest(text: string): Manifest {
  const content = yamlOf(text);
  const format = v.safeParse(v.object({ format: v.number() }), content);
  if (!format.success) throw new ManifestError(`${MANIFEST} isn't the manifest of a snapshot: it has no format`);
  if (format.output.format > FORMAT) {
    throw new NewerManifest(
      `the snapshot has format ${format.output.format}, and this program reads ${FORMAT}: a newer one made it`,
    );
  }
  const { dock, layers } = checked("", manifest, content);
  return { dock, layers: layers.map(([store, it]) => layerOf(store, it)) };
}

function layerOf(name: string, content: unknown): SnapshotLayer {
  const store = LAYERS.find((it) => it === name);
  if (store === undefined)
    throw new ManifestError(`layers: there is no layer ${JSON.stringify(name)}, only ${LAYERS.join(", ")}`);
  const { images, keys, unique } = checked(`layers.${store}`, layer, content);
  const upd = new Set(unique);
  return {
    store,
    images: new Map(images.map(([tag, it]) => [checkedName(store, tag), checked(placeOf(store, "images", tag), image, it)])),
    keys: new Map(
      keys.map(([key, it]) => [
        checkedName(store, key),
        { value: checkedValue(placeOf(store, "keys", key), it), upd: upd.has(key) },
      ]),
    ),
  };
}

/** More can't be read in a bearable time: some 40,000 keys. */
const LIMITS = { tokens: 300_000, depth: 200 };

/** Why a manifest is too much to be read; undefined when it isn't. */
export function excessIn(text: string): string | undefined {
  const scanned = scan(text, LIMITS);
  if (scanned.kind === "fine") return undefined;
  if (scanned.what === "depth") return `${MANIFEST} has maps and lists in one another more than ${LIMITS.depth} deep`;
  return `${MANIFEST} has more than ${LIMITS.tokens} words and signs`;
}

/** The content of the file. Aliases aren't resolved: a few of them can stand for more than any memory holds. */
function yamlOf(text: string): unknown {
  const excess = excessIn(text);
  if (excess !== undefined) throw new ManifestError(excess);
  const lines = new LineCounter();
  // The library compares each key with all others: names are looked at below, once each.
  const options = { lineCounter: lines, uniqueKeys: false, version: "1.2", schema: "core", resolveKnownTags: false } as const;
  try {
    const document = parseDocument(text, options);
    const [error] = [...document.errors, ...document.warnings];
    if (error !== undefined) throw new ManifestError(`${MANIFEST} isn't YAML as it should be: ${error.message.split("\n")[0]}`);
    if (document.directives?.yaml.explicit) throw new ManifestError(`${MANIFEST} has a directive, which no snapshot needs`);
    visit(
      document,
      visitorFor((node) => `${MANIFEST}, line ${lines.linePos(node?.range?.[0] ?? 0).line}`),
    );
    return document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    if (cause instanceof ManifestError) throw cause;
    throw new ManifestError(`${MANIFEST} can't be read: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** Refuses what would be read as something else than is written, and what no snapshot needs. */
function visitorFor(at: (node: Node | undefined) => string): visitor {
  return {
    Alias: (_key, node) => {
      throw new ManifestError(`${at(node)}: an alias, which no snapshot needs`);
    },
    Seq: (_key, node) => {
      if (node.tag !== undefined) throw new ManifestError(`${at(node)}: a tag, which no snapshot needs`);
    },
    Map: (_key, node) => {
      const { items, tag } = node;
      if (tag !== undefined) throw new ManifestError(`${at(node)}: a tag, which no snapshot needs`);
      const names = new Set<string>();
      for (const { key } of items) {
        if (!isScalar(key)) throw new ManifestError(`${at(isNode(key) ? key : undefined)}: a name that isn't text`);
        if (names.has(String(key.value)))
          throw new ManifestError(`${at(key)}: the second ${JSON.stringify(String(key.value))}`);
        names.add(String(key.value));
      }
    },
    Scalar: (_key, node) => {
      const { value, source = "", tag } = node;
      if (tag !== undefined) throw new ManifestError(`${at(node)}: a tag, which no snapshot needs`);
      if (typeof value !== "number" || !INTEGER.test(source) || Number.isSafeInteger(value) || String(value) === source) return;
      throw new ManifestError(`${at(node)}: ${source} would lose digits, and is to be written {$int: "${source}"}`);
    },
  };
}

/** As YAML's core schema has integers (YAML 1.2 §10.3.2). */
const INTEGER = /^(?:[-+]?\d+|0x[\da-f]+|0o[0-7]+)$/i;

function placeOf(store: Layer, kind: string, name: string): string {
  return `layers.${store}.${kind}[${JSON.stringify(name)}]`;
}

function checkedName(store: Layer, name: string): string {
  if (name !== "" && !name.includes("\0") && name.isWellFormed()) return name;
  throw new ManifestError(`layers.${store}: ${JSON.stringify(name)} is no name that a dock can have`);
}
