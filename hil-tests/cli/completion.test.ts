/** Tags and keys of a dock at a TAB, and the scripts in the shells that are there. Needs the build in `dist/`. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, symlink } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { SCRIPTS, type Shell } from "../../src/cli/completion/scripts.js";
import { runCli } from "../../src/cli/testing/run-cli.js";
import { packageFolder } from "../../src/version.js";
import type { Held } from "../model-dock.js";
import { type Bench, benchWith, scratch } from "./bench.js";

/** A layer with these tags and keys. */
function holding(tags: readonly string[], keys: readonly string[] = []): Held {
  const images: Record<string, readonly ["none", Uint8Array]> = {};
  for (const tag of tags) images[tag] = ["none", Buffer.alloc(3)];
  return { images, keys: Object.fromEntries(keys.map((key) => [key, "x"])) };
}

/** The words that fish is told, each without its description. */
async function told({ dock }: Bench, ...words: readonly string[]): Promise<string[]> {
  const { exitCode, stdout, stderr } = await runCli(["__complete", "fish", "--port", dock.target, ...words]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return stdout
    .trimEnd()
    .split("\n")
    .slice(1)
    .flatMap((line) => line.split("\t")[0] ?? []);
}

describe("on a dock", () => {
  test("tags and keys are those that it has, with what they are", async () => {
    const bench = await benchWith("full", { factory: holding(["logo"], ["zone"]), runtime: holding(["splash"], ["mode"]) });
    expect(await told(bench, "image", "get", "")).toEqual(["logo", "splash"]);
    expect(await told(bench, "image", "get", "s")).toEqual(["splash"]);
    expect(await told(bench, "kv", "get", "")).toEqual(["mode", "zone"]);
    expect(await told(bench, "image", "get", "--store", "factory", "")).toEqual(["logo"]);
    expect(await told(bench, "kv", "delete", "")).toEqual(["mode"]);
    const { stdout } = await runCli(["__complete", "fish", "image", "get", ""], { env: { DL7450_PORT: bench.dock.target } });
    expect(stdout).toBe("words\nlogo\tnone, 3 bytes, factory\nsplash\tnone, 3 bytes, runtime\n");
  });

  test("what can't be typed, and what would be an option, is left out", async () => {
    const tags = ["a\nb", "c\td", "e\u001b[31m", "\u202ef", "--x", "-x", "-", "a b", "$(date)"];
    const bench = await benchWith("full", { runtime: holding(tags) });
    expect(await told(bench, "image", "get", "")).toEqual(["$(date)", "-", "a b"]);
    expect(await told(bench, "image", "get", "--", "-")).toEqual(["-", "--x", "-x"]);
  });

  test("of very many the first thousand are told", async () => {
    const keys = Array.from({ length: 1_200 }, (_, i) => `key ${String(i).padStart(4, "0")}`);
    const bench = await benchWith("full", { runtime: holding([], keys) });
    expect(await told(bench, "kv", "get", "")).toEqual(keys.slice(0, 1_000));
    expect(await told(bench, "kv", "get", "key 11")).toHaveLength(100);
  });

  test("a layer that can't be named has nothing", async () => {
    const bench = await benchWith("preview", { factory: holding(["logo"]) });
    expect(await told(bench, "image", "get", "--store", "factory", "")).toEqual([]);
  });
});

/** Whoever runs one of them leaves a file. */
const TAGS = ['"; touch run-1; "', "$(touch run-2)", "'; touch run-3; '", "> run-4", "`touch run-5`", "a b"];

interface Trial {
  readonly options: readonly string[];
  /** Loads $SCRIPT, and prints the words for `dl7450 --port 'DOCK' image get ` and for `dl7450 --port=mock:p`, each on a line. */
  readonly code: string;
  /** How a word and its description are printed. */
  readonly line: (word: string, description: string) => string;
  /** What is put in for the second. */
  readonly preview: string;
}

const TRIALS: Readonly<Record<Shell, Trial>> = {
  // Twice, as a .bashrc may be read; and the words as bash takes them once they are put in.
  bash: {
    options: ["--norc", "-euc"],
    code: `
      try() { COMP_LINE=$1 COMP_POINT=${"$"}{#1} COMP_WORDS=($1) COMP_CWORD=3; _dl7450 dl7450 "$2" x; }
      eval "$SCRIPT"; eval "$SCRIPT"
      try "dl7450 --port '$DOCK' image get " ''; eval "printf '%s\\n' ${"$"}{COMPREPLY[*]}"
      try 'dl7450 --port=mock:p' p; printf '%s\\n' "${"$"}{COMPREPLY[@]}"`,
    line: (word) => word,
    preview: "preview",
  },
  // With what the completion of zsh would do for the script, which quotes.
  zsh: {
    options: ["-f", "-c"],
    code: `
      compdef() { }; compset() { }; _describe() { print -rl -- "${"$"}{(P@)2}"; }
      try() { words=("$@"); CURRENT=$#; PREFIX=$words[-1]; _dl7450; }
      eval "$SCRIPT"
      try dl7450 --port "'$DOCK'" image get ''
      try dl7450 --port=mock:p`,
    line: (word, description) => `${word.replaceAll(":", "\\:")}:${description}`,
    preview: "mock:preview",
  },
  fish: {
    options: ["--no-config", "-c"],
    code: `
      printf '%s' "$SCRIPT" | source
      complete -C"dl7450 --port '$DOCK' image get "
      complete -C'dl7450 --port=mock:p'`,
    line: (word, description) => `${word}\t${description}`,
    preview: "--port=mock:preview",
  },
};

describe("the script", () => {
  test.for(["bash", "zsh", "fish"] as const)("of %s gives the words, and runs none of them", async (shell, context) => {
    const folders = (process.env.PATH ?? "").split(delimiter);
    if (!folders.some((it) => existsSync(join(it, shell)))) return context.skip(`${shell} isn't installed`);
    const { dock } = await benchWith("full", { runtime: holding(TAGS) });
    const [folder, home] = [await scratch(), await scratch()];
    await symlink(join(packageFolder, "dist", "bin", "dl7450.js"), join(home, "dl7450"));
    const PATH = [home, dirname(process.execPath), ...folders].join(delimiter);
    const env = { PATH, HOME: home, LC_ALL: "C.UTF-8", SCRIPT: SCRIPTS[shell], DOCK: dock.target };
    const { options, code, line, preview } = TRIALS[shell];
    const { stdout, stderr } = await promisify(execFile)(shell, [...options, code], { cwd: folder, env });
    const lines = TAGS.map((tag) => line(tag, "none, 3 bytes, runtime"));
    expect({ stderr, lines: stdout.trimEnd().split("\n").sort() }).toEqual({
      stderr: "",
      lines: [...lines, line(preview, "one that can only be read")].sort(),
    });
    expect(await readdir(folder)).toEqual([]);
  });
});
