/** A YAML file as a tree of maps and text, in which each part knows its place. It is bounded before it is built. */
import { isAlias, isMap, isScalar, isSeq, type Node, Pair, parseDocument, Scalar, type YAMLError, type YAMLMap } from "yaml";
import { scan } from "../../snapshot/yaml-scan.js";
import { quoted } from "../visible.js";
import type { Findings } from "./findings.js";
import { otherThanText } from "./plain-scalar.js";

/** A config needs three levels, and hundreds of words. */
const LIMITS = { tokens: 100_000, depth: 100 };
const MANY_MESSAGE = `A config of more than ${LIMITS.tokens} words and signs can't be meant.`;
const DEEP_MESSAGE = `Maps and lists stand in one another, or a line is indented, more than ${LIMITS.depth} deep: a config needs three.`;

/** A part of the file, and the index in the text at which it begins. */
export type Tree = TextTree | MapTree | OtherTree;

export interface TextTree {
  readonly kind: "text";
  readonly at: number;
  readonly text: string;
  /** What the vendor's tool takes it for, when that isn't text. */
  readonly otherwise: string | undefined;
}

export interface MapTree {
  readonly kind: "map";
  readonly at: number;
  readonly end: number;
  readonly entries: readonly Entry[];
}

interface OtherTree {
  readonly kind: "other";
  readonly at: number;
  /** Such as "a list"; undefined when what it is couldn't be found out, which was told. */
  readonly what: string | undefined;
}

export interface Entry {
  readonly key: Tree;
  readonly value: Tree;
}

/** A config repeats itself a few times at most. */
const MOST_ALIASES = 32;

/** Reads YAML; what is wrong with it goes to `findings`. Undefined when nothing is in it, or nothing can be made of it. */
export function readTree(text: string, findings: Findings): Tree | undefined {
  const scanned = scan(text, LIMITS);
  if (scanned.kind === "excessive") {
    if (scanned.what === "tokens") findings.problem("TOO_LARGE", scanned.at, MANY_MESSAGE);
    else findings.problem("YAML", scanned.at, DEEP_MESSAGE);
    return undefined;
  }
  // No map is looked through for equal keys: that takes the square of their number.
  const document = parseDocument(text, {
    version: "1.2",
    schema: "core",
    merge: false,
    resolveKnownTags: false,
    uniqueKeys: false,
    prettyErrors: false,
  });
  for (const error of document.errors) findings.problem("YAML", error.pos[0], yamlMessage(error));
  for (const warning of document.warnings) {
    if (warning.code === "BAD_DIRECTIVE") findings.warning("YAML", warning.pos[0], yamlMessage(warning));
  }
  if (document.errors.length === 0) warnOfTabs(scanned.tabs, findings);
  for (const error of document.errors) if (!HARMLESS.has(error.code)) findings.unclearFrom(error.pos[0]);
  if (document.contents === null) return undefined;
  return new TreeBuilder(findings).tree(document.contents, 0);
}

/** After these the rest is read as it was meant. */
const HARMLESS: ReadonlySet<string> = new Set(["BAD_SCALAR_START", "BAD_DQ_ESCAPE", "MULTIPLE_DOCS"]);

const ADVICE: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "Indent with spaces.",
  BAD_INDENT: "Begin what belongs together in the same column.",
  BAD_SCALAR_START: "Put the text between quotation marks.",
  BAD_DQ_ESCAPE: "Between single quotation marks a backslash stands for itself.",
  BLOCK_AS_IMPLICIT_KEY: "Put text that has a colon and a space in it between quotation marks.",
  MULTILINE_IMPLICIT_KEY: "Is a colon missing, or the space after it?",
  MISSING_CHAR: "Is a quotation mark, a bracket, a colon or a space missing?",
};

function yamlMessage({ code, message }: YAMLError): string {
  if (code === "MULTIPLE_DOCS")
    return "A second YAML document begins here, and a config is one: take it out, with the line of ---.";
  return `This isn't YAML: ${message}. ${ADVICE[code] ?? "Put text with special characters between quotation marks."}`;
}

function warnOfTabs(tabs: readonly number[], findings: Findings): void {
  for (const at of tabs) findings.warning("VENDOR", at, "The vendor's script doesn't take a tab here: use spaces.");
}

/** Goes through the nodes in the order of the text, so that an anchor is known when an alias comes. */
class TreeBuilder {
  readonly #findings: Findings;
  readonly #anchors = new Map<string, Tree>();
  #aliases = 0;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** `usual` is the place of a part that has none itself. */
  tree(node: unknown, usual: number): Tree {
    if (isAlias(node)) return this.#aliased(node.source, node.range?.[0] ?? usual);
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return { kind: "other", at: usual, what: "nothing" };
    const at = node.range?.[0] ?? usual;
    const tree = this.#isTagged(node, at) ? ({ kind: "other", at, what: undefined } as const) : this.#untagged(node, at);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, tree);
    return tree;
  }

  #untagged(node: Node, at: number): Tree {
    if (isMap(node)) return this.#map(node, at);
    if (isScalar(node)) return scalarTree(node, at);
    // What is in a list matters to nobody, but for its anchors.
    if (isSeq(node)) for (const item of node.items) this.#anchorsIn(item, at);
    return { kind: "other", at, what: "a list" };
  }

  #map(map: YAMLMap, at: number): MapTree {
    const entries = map.items.map((pair) => this.#entry(pair, at));
    return { kind: "map", at, end: map.range?.[1] ?? at, entries };
  }

  #entry({ key, value }: Pair, usual: number): Entry {
    const keyTree = this.tree(key, usual);
    return { key: keyTree, value: this.tree(value, keyTree.at) };
  }

  #anchorsIn(item: unknown, usual: number): void {
    if (item instanceof Pair) this.#entry(item, usual);
    else this.tree(item, usual);
  }

  /** The part itself, not a copy: aliases of aliases take no more room than they are long. */
  #aliased(anchor: string, at: number): Tree {
    const unknown = { kind: "other", at, what: undefined } as const;
    if (++this.#aliases > MOST_ALIASES) {
      const message = `There are more than ${MOST_ALIASES} aliases: write out what they stand for.`;
      if (this.#aliases === MOST_ALIASES + 1) this.#findings.problem("YAML", at, message);
      return unknown;
    }
    const tree = this.#anchors.get(anchor);
    if (tree !== undefined) return tree;
    this.#findings.problem(
      "YAML",
      at,
      `There is no anchor ${quoted(anchor)} before this alias. Text that begins with * goes between quotation marks.`,
    );
    return unknown;
  }

  /** Whether it has a tag that makes it something else. */
  #isTagged(node: Node, at: number): boolean {
    const { tag } = node;
    if (tag === undefined || tag === "!" || tag === (isScalar(node) ? TEXT_TAG : isMap(node) ? MAP_TAG : undefined))
      return false;
    this.#findings.problem(
      "YAML",
      at,
      `A YAML tag, ${quoted(tag)}, can't stand in a config: take it out. Text that begins with ! goes between quotation marks.`,
    );
    return true;
  }
}

const TEXT_TAG = "tag:yaml.org,2002:str";
const MAP_TAG = "tag:yaml.org,2002:map";

function scalarTree({ value, type, source, tag }: Scalar, at: number): Tree {
  if (typeof value === "string") {
    const isPlain = type === Scalar.PLAIN && tag === undefined;
    return { kind: "text", at, text: value, otherwise: isPlain ? otherThanText(source ?? value) : undefined };
  }
  if (value === null || value === undefined) return { kind: "other", at, what: "nothing" };
  return { kind: "other", at, what: typeof value === "boolean" ? "a boolean" : "a number" };
}
