/** What stands after `mock:` in a target, as what the mock dock's program is started with. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { DockError } from "../errors.js";
import { quoted } from "../visible.js";

/** What may stand there that is no path, and the option that says so. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ["full", "profile"],
  ["preview", "profile"],
  ["development", "profile"],
  ["micropython", "engine"],
]);
const FORMS =
  "mock:, mock:preview, mock:full, mock:development, mock:micropython, mock:FOLDER (a snapshot) or mock:FILE (a trace), and then ?KEY=VALUE&…";

/** Each option, and what its value has to be. */
const OPTIONS = {
  state: anything,
  name: anything,
  from: place("folder"),
  replay: place("file"),
  seed: wholeNumber,
} as const;
type OptionKey = keyof typeof OPTIONS;

/** Beside a trace nothing else says what the dock is. */
const WITH_REPLAY: ReadonlySet<OptionKey> = new Set(["replay", "seed"]);

/**
 * The arguments of `dl7450-mock` for `mock:` with what follows: nothing, a profile or `micropython`; a path, which has a `/`, `\` or `.` in it or is there, of a
 * snapshot's folder or of a trace; then, after a `?`, options, their values as in a URL. Fails with `USAGE`.
 */
export function mockArguments(text: string): string[] {
  const [what = "", query] = splitAt(text, "?");
  const options = new Map<OptionKey, string>();
  const kind = KINDS.get(what);
  const isPath = what !== "" && kind === undefined;
  if (isPath) options.set(kindOf(what) === "folder" ? "from" : "replay", resolve(what));
  for (const part of query === undefined ? [] : query.split("&")) addOption(part, options);
  const others = [...options.keys()].filter((key) => !WITH_REPLAY.has(key));
  if (options.has("replay") && (others.length > 0 || (what !== "" && !isPath))) {
    throw usage(`A mock dock that replays a trace is what was recorded: it takes no ${others[0] ?? "profile"}.`);
  }
  if (kind === "engine" && options.has("state")) throw usage("A dock in MicroPython keeps nothing: it takes no state.");
  return [...(kind === undefined ? [] : [`--${kind}`, what]), ...[...options].flatMap(([key, value]) => [`--${key}`, value])];
}

function addOption(part: string, options: Map<OptionKey, string>): void {
  const [key = "", given = ""] = splitAt(part, "=");
  if (!isOptionKey(key)) {
    throw usage(
      `A mock dock has no option ${quoted(key)}: there are ${Object.keys(OPTIONS).join(", ")}, as in mock:?name=RW02-0005.`,
    );
  }
  if (options.has(key)) throw usage(`The mock dock's ${key} is given twice.`);
  const value = decoded(given);
  if (value === undefined || value === "") throw usage(`The mock dock's ${key} needs a value, as in a URL: ${key}=VALUE.`);
  options.set(key, OPTIONS[key](value, key));
}

function isOptionKey(key: string): key is OptionKey {
  return Object.hasOwn(OPTIONS, key);
}

function anything(value: string): string {
  return value;
}

function wholeNumber(value: string, key: string): string {
  if (!/^\d{1,10}$/.test(value)) throw usage(`The mock dock's ${key} is a whole number.`);
  return value;
}

function place(kind: "folder" | "file"): (path: string, key: string) => string {
  return (path, key) => {
    if (kindOf(path) !== kind) throw usage(`The mock dock's ${key} is a ${kind}, which ${quoted(path)} isn't.`);
    return resolve(path);
  };
}

/** What is at a path. Fails with `USAGE` where nothing is. */
function kindOf(path: string): "folder" | "file" {
  try {
    return statSync(path).isDirectory() ? "folder" : "file";
  } catch {} // whatever is wrong with it, nothing can be begun with
  const isPath = /[/\\.]/.test(path);
  const what = isPath ? `${quoted(path)} doesn't exist` : `${quoted(path)} is no profile, and no path that exists`;
  throw usage(`${what}. A mock dock is ${FORMS}`);
}

function splitAt(text: string, mark: string): [before: string, after?: string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function usage(message: string): DockError {
  return new DockError({ code: "USAGE", message });
}
