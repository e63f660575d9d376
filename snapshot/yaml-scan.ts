/** A look at a YAML file before it is parsed: whether it can be parsed in little time, memory and stack. */
import { Lexer } from "yaml";

export type Scanned =
  /** With the indexes of tabs that stand for white space. */
  | { readonly kind: "fine"; readonly tabs: readonly number[] }
  /** From the index `at` on there is too much of something. */
  | { readonly kind: "excessive"; readonly what: "tokens" | "depth"; readonly at: number };

export interface ScanLimits {
  /** Words and signs: a key and its value take about seven. */
  readonly tokens: number;
  /** Maps and lists in one another: the parser's stack holds some hundreds. */
  readonly depth: number;
}

/** More of them say nothing new. */
const MOST_TABS = 100;

// What the lexer puts between the tokens, which isn't in the text.
const FLOW_ERROR = "\u0018";
const MARKS: ReadonlySet<string> = new Set(["\u0002", FLOW_ERROR, "\u001f"]);

export function scan(text: string, limits: ScanLimits): Scanned {
  const depth = new Depth();
  const tabs: number[] = [];
  let at = 0;
  let count = 0;
  for (const token of new Lexer().lex(text)) {
    if (++count > limits.tokens) return { kind: "excessive", what: "tokens", at };
    if (depth.after(token) > limits.depth) return { kind: "excessive", what: "depth", at };
    if (/^[ \t]*\t[ \t]*$/.test(token) && tabs.length < MOST_TABS) tabs.push(at + token.indexOf("\t"));
    if (!MARKS.has(token)) at += token.length;
  }
  return { kind: "fine", tabs };
}

/** How deep maps and lists can stand in one another by the tokens so far; twice that where lists begin in the column of their keys. */
class Depth {
  /** Open brackets, in which columns mean nothing. */
  #flow = 0;
  /** The column in which the line at hand begins: what a block stands in begins further to the left. */
  #indent = 0;
  /** Of the line at hand: each of its signs can open a block. */
  #signs = 0;
  #isLineStart = true;

  /** The depth when `token` has been read. Text never looks like a sign, and block text ends with its line. */
  after(token: string): number {
    if (token.endsWith("\n")) {
      this.#isLineStart = true;
      return 0;
    }
    if (token === FLOW_ERROR) this.#flow = 0;
    if (this.#isLineStart) this.#startLine(token);
    if (/^(?:[ \t]*$|#)/.test(token)) return 0;
    if (token === "[" || token === "{") this.#flow++;
    else if ((token === "]" || token === "}") && this.#flow > 0) this.#flow--;
    else if (this.#flow === 0 && (token === "-" || token === "?" || token === ":")) this.#signs++;
    return this.#flow > 0 ? this.#flow : this.#indent + this.#signs;
  }

  #startLine(token: string): void {
    this.#isLineStart = false;
    this.#signs = 0;
    this.#indent = /^ *$/.test(token) ? token.length : 0;
  }
}
