/** A command line as bash has it at a TAB: read as bash reads it, but without running or replacing anything in it. */

/** A word, as far as it is typed. */
export interface Word {
  readonly raw: string;
  /** What the program would get. */
  readonly value: string;
  /** The quotation mark that is open at its end. */
  readonly open: "" | "'" | '"';
}

export type BashLine =
  /** `before` is without the command's name. */
  | { readonly kind: "words"; readonly before: readonly string[]; readonly word: Word }
  /** The word at the cursor is where to or from the command is redirected. */
  | { readonly kind: "redirection" }
  /** What bash would make of it can't be known, or it isn't a simple command. */
  | { readonly kind: "unclear" };

const UNCLEAR: BashLine = { kind: "unclear" };

/** The pieces of a line (bash(1), QUOTING and REDIRECTION). */
const PIECE = new RegExp(
  [
    /(?<blank>[ \t]+)/,
    /(?<redirect>&>>?|[<>]+[&|]?)/,
    /\\(?<escaped>.?)/,
    /'(?<single>[^']*)(?<singleEnd>'?)/,
    /"(?<double>(?:\\.|[^"\\])*)(?<doubleEnd>"?)/,
    /(?<plain>[^ \t\n'"\\<>|&;()]+)/,
    /(?<other>.)/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "gs",
);

/** Reads a line to its end, which is where the cursor is. */
export function readBashLine(line: string): BashLine {
  const before: string[] = [];
  const nothing = { raw: "", value: "", open: "" as const, isLiteral: true };
  let word: (Word & { readonly isLiteral: boolean }) | undefined;
  let isTarget = false;
  const endWord = (): void => {
    if (word !== undefined && !isTarget) before.push(word.value);
    if (word !== undefined) isTarget = false;
    word = undefined;
  };
  for (const { 0: raw, groups = {} } of line.matchAll(PIECE)) {
    if (groups.other !== undefined) return UNCLEAR;
    if (groups.blank !== undefined) endWord();
    else if (groups.redirect !== undefined) {
      if (word !== undefined && /^\d+$/.test(word.raw)) word = undefined; // the 2 of 2>
      endWord();
      isTarget = true;
    } else {
      const { value, open, isLiteral } = pieceOf(groups, word === undefined);
      const so = word ?? nothing;
      word = { raw: so.raw + raw, value: so.value + value, open, isLiteral: so.isLiteral && isLiteral };
    }
  }
  if (isTarget) return { kind: "redirection" };
  const { isLiteral, ...last } = word ?? nothing;
  return isLiteral && before.length > 0 ? { kind: "words", before: before.slice(1), word: last } : UNCLEAR;
}

/** A piece of a word. It isn't literal where bash would put something else in its place. */
function pieceOf(
  { escaped, single, singleEnd, double, doubleEnd, plain = "" }: Readonly<Record<string, string | undefined>>,
  isFirst: boolean,
): Pick<Word, "value" | "open"> & { readonly isLiteral: boolean } {
  if (escaped !== undefined) return { value: escaped, open: "", isLiteral: escaped !== "" && escaped !== "\n" };
  if (single !== undefined) return { value: single, open: singleEnd === "" ? "'" : "", isLiteral: true };
  if (double !== undefined) {
    const isLiteral = !/(?<!\\)(?:\\\\)*[$`]/.test(double);
    return { value: double.replace(/\\([$`"\\])/g, "$1"), open: doubleEnd === "" ? '"' : "", isLiteral };
  }
  return { value: plain, open: "", isLiteral: !/[$`*?[{]/.test(plain) && !(isFirst && plain.startsWith("~")) };
}

/**
 * What readline is to put in place of `replaced`, the end of the word at the cursor as it is typed, so that the program gets `text`.
 * Undefined where that can't be.
 */
export function insertion({ raw }: Word, text: string, replaced: string): string | undefined {
  if (!raw.endsWith(replaced)) return undefined;
  const line = readBashLine(`x ${raw.slice(0, raw.length - replaced.length)}`);
  if (line.kind !== "words" || !text.startsWith(line.word.value)) return undefined;
  const rest = text.slice(line.word.value.length);
  switch (line.word.open) {
    case "":
      return rest.replace(/[ -~]/g, (character) => (/[\w@%+=:,./-]/.test(character) ? character : `\\${character}`));
    case "'":
      return rest.replaceAll("'", `'\\''`);
    case '"':
      return rest.replace(/[$`"\\]/g, "\\$&").replaceAll("!", `"'!'"`); // a ! between " is looked up in the history
  }
}
