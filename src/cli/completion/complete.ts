/**
 * `dl7450 __complete`: what a shell asks at a TAB. The scripts that ask are in scripts.ts. Prints what kind of word is wanted,
 * then the words. Whatever goes wrong, there are none, and nothing is said.
 */
import type { Command } from "commander";
import { printable, visible } from "../../visible.js";
import type { Context } from "../context.js";
import { writeOut } from "../output.js";
import { type AtCursor, atCursor, type Candidate, isOptionLike } from "./at-cursor.js";
import { insertion, readBashLine } from "./bash-line.js";
import { candidatesFor } from "./live.js";
import type { Shell } from "./scripts.js";

/** Longest that a dock or the ports may take, in milliseconds: whoever has pressed TAB waits. */
const LONGEST = 800;
/** More words nobody looks through. */
const MOST = 1_000;
/** The longest description, in characters. */
const LONGEST_DESCRIPTION = 80;

/** What a shell asks, in the shell's own terms. */
type Question =
  | {
      readonly kind: "words";
      /** Up to the cursor, the last one as far as it is typed. */
      readonly words: readonly string[];
      /** How the shell is told a word; `kept` is what the word at the cursor has before it. Undefined where it can't be there. */
      readonly told: (candidate: Candidate, kept: string) => string | undefined;
    }
  | { readonly kind: "files" };

/** Answers a shell: `argv` is its name and what it says of the line. Never fails, and takes hardly longer than LONGEST. */
export async function complete(program: Command, argv: readonly string[], context: Context): Promise<void> {
  try {
    const question = questionOf(argv);
    if (question !== undefined) await writeOut(context, await answer(program, question, context));
  } catch {} // an error has no place on a line that is being typed
}

function questionOf([shell, ...args]: readonly string[]): Question | undefined {
  return shell !== undefined && isShell(shell) ? QUESTIONS[shell](args) : undefined;
}

function isShell(shell: string): shell is Shell {
  return Object.hasOwn(QUESTIONS, shell);
}

const QUESTIONS: Readonly<Record<Shell, (args: readonly string[]) => Question | undefined>> = {
  bash([text = "", replaced = ""]) {
    const line = readBashLine(text);
    if (line.kind === "unclear") return undefined;
    if (line.kind === "redirection") return { kind: "files" };
    const told = (candidate: Candidate, kept: string) => insertion(line.word, kept + candidate.text, replaced);
    return { kind: "words", words: [...line.before, line.word.value], told };
  },
  zsh: (words) => ({
    kind: "words",
    words,
    told: ({ text, description }) => text.replace(/[\\:]/g, "\\$&") + (description === undefined ? "" : `:${description}`),
  }),
  fish: (words) => ({
    kind: "words",
    words,
    told: ({ text, description }, kept) => kept + text + (description === undefined ? "" : `\t${description}`),
  }),
};

/** The lines for the script. */
async function answer(program: Command, question: Question, context: Context): Promise<string> {
  if (question.kind === "files") return "files\n";
  const { words, told } = question;
  const at = atCursor(program, words);
  const { kept, wanted } = at;
  const candidates = await inTime(context, (signal) => candidatesFor(program, { ...context, signal }, at));
  const typed = (words.at(-1) ?? "").slice(kept.length);
  const fitting = candidates.filter(({ text }) => text.startsWith(typed) && canBeTyped(text, at)).slice(0, MOST);
  const lines = fitting.flatMap((candidate) => told({ ...candidate, description: short(candidate.description) }, kept) ?? []);
  const kind = `${wanted.kind === "files" ? "files" : "words"}${kept === "" ? "" : "="}`;
  return [kind, ...lines].map((line) => `${line}\n`).join("");
}

/** What `look` finds, unless it fails or takes too long. */
async function inTime(
  { clock, signal }: Context,
  look: (signal: AbortSignal) => Promise<readonly Candidate[]>,
): Promise<readonly Candidate[]> {
  const late = new AbortController();
  const stopClock = clock.after(LONGEST, () => late.abort());
  const both = AbortSignal.any([signal, late.signal]);
  try {
    const ended = new Promise<readonly Candidate[]>((resolve) => {
      both.addEventListener("abort", () => resolve([]));
      if (both.aborted) resolve([]);
    });
    return await Promise.race([look(both).catch(() => []), ended]);
  } finally {
    stopClock();
  }
}

function canBeTyped(text: string, { takesDashes }: AtCursor): boolean {
  return printable(text) === text && (takesDashes || !isOptionLike(text));
}

/** On one line. */
function short(description: string | undefined): string | undefined {
  if (description === undefined) return undefined;
  const line = visible(description);
  return line.length <= LONGEST_DESCRIPTION ? line : `${line.slice(0, LONGEST_DESCRIPTION - 1)}…`;
}
