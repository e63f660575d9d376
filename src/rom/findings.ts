/** What is found in a config, each with its place: problems, for which it is refused, and warnings, for which it isn't. */
import { LineCounter } from "yaml";
import { printable } from "../visible.js";

/** What kind of thing it is, for programs. */
export type FindingCode =
  /** It isn't YAML, or YAML of a kind that no config needs. */
  | "YAML"
  | "TOO_LARGE"
  /** Bytes or characters that YAML can't have. */
  | "ENCODING"
  /** Nothing in it. */
  | "EMPTY"
  /** A map, or text, should stand there. */
  | "NOT_A_MAP"
  | "NOT_TEXT"
  | "DUPLICATE"
  | "UNKNOWN_KEY"
  | "MISSING_KEY"
  /** A tag or a key that no dock takes. */
  | "NAME"
  /** A value that no dock takes. */
  | "VALUE"
  | "TIMEZONE"
  | "IMAGE_TYPE"
  | "PATH"
  /** The file at a path can't be read. */
  | "FILE"
  /** The file isn't what the config says. */
  | "CONTENT"
  | "DIMENSIONS"
  | "NO_SPACE"
  /** The vendor's script makes something else of it. */
  | "VENDOR"
  /** A symbolic link leads out of the config's folder. */
  | "LINK"
  /** More was found than is listed. */
  | "MORE";

export interface Finding {
  readonly code: FindingCode;
  /** What is wrong and what to do, on one line that is safe to print. */
  readonly message: string;
  /** From 1. Not there when it has no place in the file. */
  readonly line?: number;
  /** From 1, in UTF-16 units. There when the line is. */
  readonly column?: number;
}

/** Where in the text: an index, or nowhere in particular. */
export type Place = number | undefined;

/** A hostile file has a mistake in every byte. */
const MOST = 1_000;

export class Findings {
  readonly #text: string;
  readonly #lines = new LineCounter();
  readonly #problems = new FindingList();
  readonly #warnings = new FindingList();
  /** From here on the text can't be understood, and what seems to be wrong with it may well be right. */
  #unclear = Number.POSITIVE_INFINITY;

  constructor(text: string) {
    this.#text = text;
    for (let start = 0; ; ) {
      this.#lines.addNewLine(start);
      const end = text.indexOf("\n", start);
      if (end === -1) break;
      start = end + 1;
    }
  }

  problem(code: FindingCode, at: Place, message: string): void {
    if (this.isClear(at)) this.#problems.add(at ?? Number.POSITIVE_INFINITY, this.#finding(code, at, message));
  }

  warning(code: FindingCode, at: Place, message: string): void {
    if (this.isClear(at)) this.#warnings.add(at ?? Number.POSITIVE_INFINITY, this.#finding(code, at, message));
  }

  /** The same message is told at the first place alone. */
  warnOnce(code: FindingCode, at: number, message: string): void {
    if (this.isClear(at)) this.#warnings.add(at, this.#finding(code, at, message), message);
  }

  /** Leaves out what is found from now on at `at`, after it, and in the white space before it: what is missing there may be meant by it. */
  unclearFrom(at: number): void {
    this.#unclear = Math.min(this.#unclear, this.#text.slice(0, at).trimEnd().length);
  }

  isClear(at: Place): boolean {
    return at === undefined || at < this.#unclear;
  }

  lineOf(at: number): number {
    return this.#lines.linePos(at).line;
  }

  /** Ordered by place. */
  get problems(): Finding[] {
    return this.#problems.list();
  }

  get warnings(): Finding[] {
    return this.#warnings.list();
  }

  #finding(code: FindingCode, at: Place, message: string): Finding {
    const found = { code, message: printable(message) };
    if (at === undefined) return found;
    const { line, col } = this.#lines.linePos(at);
    return { line, column: col, ...found };
  }
}

class FindingList {
  /** By what makes it different from others. */
  readonly #found = new Map<string, { readonly order: number; readonly finding: Finding }>();
  #left = 0;

  /** Unless told, the same place isn't told of twice: a part of the text that is used twice is looked at twice. */
  add(order: number, finding: Finding, id = `${order} ${finding.message}`): void {
    if (this.#found.has(id)) return;
    if (this.#found.size < MOST) this.#found.set(id, { order, finding });
    else this.#left++;
  }

  list(): Finding[] {
    const found = [...this.#found.values()];
    // Infinity less Infinity is no number.
    const list = found.sort((a, b) => (a.order === b.order ? 0 : a.order - b.order)).map(({ finding }) => finding);
    if (this.#left > 0) list.push({ code: "MORE", message: `These are the first ${MOST}. There are ${this.#left} more.` });
    return list;
  }
}
