/** The path of a file, as a config has it. */
import { isAbsolute, resolve } from "node:path";
import { quoted } from "../visible.js";
import type { Findings } from "./findings.js";

/** `$$`, `${NAME}`, a `${` that isn't one, or `$NAME`: the forms of Python's string.Template. */
const VARIABLE = /\$\$|\$\{([^${}]*)\}|\$\{|\$([_a-z][_a-z0-9]*)/gi;

/** The folder that the config is in, where the vendor's script puts it. */
const FOLDER_VARIABLE = "CONFIG_PATH";

/**
 * The absolute path that `text`, which stands at `at`, leads to from a config in `folder`; undefined when there is none. What is
 * wrong with it, and what the vendor's script would make of it, goes to `findings`.
 */
export function configPath(text: string, at: number, folder: string, findings: Findings): string | undefined {
  const wrong = text === "" ? "The path is empty: it is that of a file." : wrongIn(text);
  if (wrong !== undefined) {
    findings.problem("PATH", at, wrong);
    return undefined;
  }
  const path = text.replace(VARIABLE, (variable, braced?: string, bare?: string) =>
    (braced ?? bare) === FOLDER_VARIABLE ? folder : variable,
  );
  const crash = path === text ? undefined : crashOf(text, folder);
  if (crash !== undefined) findings.warnOnce("VENDOR", at, crash);
  if (!isAbsolute(path)) findings.warning("VENDOR", at, relativeMessage(text));
  return resolve(folder, path);
}

function relativeMessage(text: string): string {
  return `${quoted(text)} is taken from the folder of this file, and by the vendor's script from the folder that it is started in: write ${quoted(`\${${FOLDER_VARIABLE}}/${text}`)}.`;
}

function wrongIn(text: string): string | undefined {
  if (text.includes("\0")) return "The path has U+0000 in it, which no path can have.";
  for (const [variable, braced, bare] of text.matchAll(VARIABLE)) {
    if (variable === "$$") return `${quoted(text)}: the vendor's script makes one $ of $$. Name the file otherwise.`;
    if (bare === undefined && braced !== FOLDER_VARIABLE) {
      return `There is no ${quoted(variable)} in a config, only \${${FOLDER_VARIABLE}}, the folder of this file.`;
    }
  }
  return undefined;
}

/**
 * Why the vendor's script fails on a path that begins in `folder`. It writes the whole config as Python, puts the folder into
 * that text, and evaluates it: the folder mustn't have what ends a Python string, or begins an escape.
 */
function crashOf(text: string, folder: string): string | undefined {
  // Python's repr: single quotation marks, unless there are some inside and no double ones.
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  if (folder.includes(mark)) return `The vendor's script fails on this: the folder ${quoted(folder)} has a ${mark} in it.`;
  if (folder.includes("\\")) return `The vendor's script may fail on this: it takes a \\ in ${quoted(folder)} for an escape.`;
  return undefined;
}

/** What the vendor's script would put in place of a part of `text`, which isn't a path. */
export function variableIn(text: string): string | undefined {
  for (const [variable, braced, bare] of text.matchAll(VARIABLE)) {
    if (variable === "$$") return "one $ in place of $$";
    if ((braced ?? bare) === FOLDER_VARIABLE) return `the folder of this file in place of ${variable}`;
  }
  return undefined;
}
