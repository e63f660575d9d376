/** What may stand at the cursor of a command line: out of the program's own commands, options and arguments. */
import type { Command, Option } from "commander";

/** A word that may stand there. */
export interface Candidate {
  /** As the program is to get it. */
  readonly text: string;
  /** May be the text of a device: not safe to print. */
  readonly description?: string | undefined;
}

type Wanted =
  | { readonly kind: "words"; readonly words: readonly Candidate[] }
  | { readonly kind: "tags" }
  | { readonly kind: "keys" }
  | { readonly kind: "ports" }
  | { readonly kind: "files" };

export interface AtCursor {
  readonly wanted: Wanted;
  /** What the word has before that which is wanted: `--port=`, or nothing. */
  readonly kept: string;
  /** Whether a word that looks like an option is taken for what it is. */
  readonly takesDashes: boolean;
  /** The options before the cursor, in their order; one that takes no value has an empty one. */
  readonly given: readonly Given[];
  /** The layer that the command is about, where it is about one. */
  readonly store: string | undefined;
}

export interface Given {
  readonly option: Option;
  readonly value: string;
}

/** What is wanted, by the name that an argument or the value of an option has in the help. */
const BY_NAME: ReadonlyMap<string, Wanted> = new Map([
  ["tag", { kind: "tags" }],
  ["key", { kind: "keys" }],
  ["target", { kind: "ports" }],
  ...["file", "folder", "config"].map((name): [string, Wanted] => [name, { kind: "files" }]),
]);

const NOTHING: Wanted = { kind: "words", words: [] };

/** Looks at the words up to the cursor, of which the last is the one at the cursor and may be empty or half there. */
export function atCursor(program: Command, words: readonly string[]): AtCursor {
  const line = readLine(program, words.slice(0, -1));
  const { command, given } = line;
  const usual: unknown = command?.options.find((option) => option.attributeName() === "store")?.defaultValue;
  const store = given.findLast(({ option }) => option.attributeName() === "store")?.value;
  return { ...wantedAt(line, words.at(-1) ?? ""), given, store: store ?? (typeof usual === "string" ? usual : undefined) };
}

/** What the words before the cursor come to. */
interface Line {
  /** Undefined when there is no such command. */
  readonly command: Command | undefined;
  /** How many arguments it has been given. */
  readonly operands: number;
  readonly given: readonly Given[];
  /** An option that waits for its value. */
  readonly waiting: Option | undefined;
  /** There was a `--`: what follows is no option. */
  readonly isPastOptions: boolean;
}

/** Reads words as commander does. */
function readLine(program: Command, words: readonly string[]): Line {
  let command: Command | undefined = program;
  let operands = 0;
  let waiting: Option | undefined;
  let isPastOptions = false;
  const given: Given[] = [];
  for (const word of words) {
    if (waiting !== undefined) {
      given.push({ option: waiting, value: word });
      waiting = undefined;
    } else if (!isPastOptions && word === "--") isPastOptions = true;
    else if (!isPastOptions && isOptionLike(word)) {
      const { flag, value } = partsOf(word);
      const option = optionOf(command, flag);
      if (option?.required && value === undefined) waiting = option;
      else if (option !== undefined) given.push({ option, value: value ?? "" });
    } else if (command !== undefined && command.commands.length > 0) {
      command = command.commands.find((it) => it.name() === word || it.aliases().includes(word));
    } else operands++;
  }
  return { command, operands, given, waiting, isPastOptions };
}

/** Whether a word is taken for an option where there may be one. */
export function isOptionLike(word: string): boolean {
  return word.startsWith("-") && word !== "-";
}

/** An option as it is written: `--port=mock:`, `-o`, `-ofile`. */
function partsOf(word: string): { readonly flag: string; readonly value: string | undefined } {
  const end = word.startsWith("--") ? word.indexOf("=") : 2;
  if (end === -1 || end === word.length) return { flag: word, value: undefined };
  return { flag: word.slice(0, end), value: word.slice(word.startsWith("--") ? end + 1 : end) };
}

function optionOf(command: Command | undefined, flag: string): Option | undefined {
  return optionsOf(command).find(({ long, short }) => flag === long || flag === short);
}

/** The options that a command takes: its own, and those of the commands above it. */
function optionsOf(command: Command | undefined): readonly Option[] {
  if (command === undefined) return [];
  const help = command.createHelp();
  return [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)];
}

function wantedAt(
  { command, operands, waiting, isPastOptions }: Line,
  word: string,
): Pick<AtCursor, "wanted" | "kept" | "takesDashes"> {
  if (waiting !== undefined) return { wanted: valueFor(waiting), kept: "", takesDashes: true };
  if (!isPastOptions && word.startsWith("-")) {
    const { flag, value } = partsOf(word);
    if (value === undefined || !word.startsWith("--")) return { wanted: optionWords(command), kept: "", takesDashes: true };
    const option = optionOf(command, flag);
    return { wanted: option?.required ? valueFor(option) : NOTHING, kept: `${flag}=`, takesDashes: true };
  }
  return { wanted: operandOf(command, operands), kept: "", takesDashes: isPastOptions };
}

function optionWords(command: Command | undefined): Wanted {
  const words = optionsOf(command).map(({ long, short, description }) => ({ text: long ?? short ?? "", description }));
  return { kind: "words", words };
}

function operandOf(command: Command | undefined, operands: number): Wanted {
  if (command === undefined) return NOTHING;
  if (command.commands.length > 0) {
    const commands = command.createHelp().visibleCommands(command);
    return { kind: "words", words: commands.map((it) => ({ text: it.name(), description: it.description() })) };
  }
  const last = command.registeredArguments.at(-1);
  const argument = command.registeredArguments[operands] ?? (last?.variadic ? last : undefined);
  return argument === undefined ? NOTHING : named(argument.argChoices, argument.name());
}

function valueFor({ argChoices, flags }: Option): Wanted {
  return named(argChoices, /<([^>.]+)/.exec(flags)?.[1] ?? "");
}

function named(choices: readonly string[] | undefined, name: string): Wanted {
  if (choices !== undefined) return { kind: "words", words: choices.map((text) => ({ text })) };
  return BY_NAME.get(name) ?? NOTHING;
}
