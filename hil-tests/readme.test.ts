/** The README's code blocks do what they show. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../src/cli/testing/run-cli.js";

const root = new URL("..", import.meta.url).pathname;
const readme = await readFile(join(root, "README.md"), "utf8");
const blocks = [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = "", code = ""]) => ({ language, code }));
const commands = blocks.filter(({ language }) => language === "sh").flatMap(({ code }) => code.trim().split("\n"));
const scripts = blocks.filter(({ language }) => language === "js");
const { scripts: npmScripts, bin } = v.parse(
  v.object({ scripts: v.record(v.string(), v.string()), bin: v.record(v.string(), v.string()) }),
  JSON.parse(await readFile(join(root, "package.json"), "utf8")),
);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dl7450-readme-"));
  await mkdir(join(folder, "node_modules"));
  await symlink(root, join(folder, "node_modules", "dl7450"), "dir");
  process.chdir(folder); // where commands leave their files
});
afterAll(async () => {
  process.chdir(root);
  await rm(folder, { recursive: true });
});

test("every block is of a kind that is run", () => {
  expect(new Set(blocks.map(({ language }) => language))).toEqual(new Set(["sh", "js", "ts"]));
});

describe("commands", () => {
  test.for(commands)("%s", async (command) => {
    const [runner, name = "", ...args] = command.split(" ");
    if (runner === "npm") return expect(["ci", ...Object.keys(npmScripts)]).toContain(name === "run" ? args[0] : name);
    expect(runner).toBe("npx");
    const program = join(root, bin[name] ?? "");
    if (name === "dl7450-mock")
      return expect(await firstLine(program, args)).toMatch(/^{"ready":true,"port":"(127.0.0.1:\d+|\/dev\/pts\/\d+)"}$/);
    expect(name).toBe("dl7450");
    const { exitCode, stdout, stderr } = await runCli(args); // in this process: starting one takes longer than the command
    expect(exitCode, stderr).toBe(0);
    if (args[0] !== "ports" && !args.includes("-o")) expect(stdout).not.toBe("");
  });
});

/** What the end of the output of each script is. */
const PRINTED = [
  /1192248 png 9f0369b866a673ce7626ddd38fb721288cfcb4cbeeba766b4c60db5784399d41\nGMT\nundefined\n$/, // reading
  /^png\n$/, // writing
];

describe("scripts", () => {
  test("each is known", () => expect(scripts).toHaveLength(PRINTED.length));

  test.for(scripts.map((script, i) => ({ ...script, i })))("block $i", async ({ code, i }) => {
    const file = join(folder, `script-${i}.mjs`);
    await writeFile(file, code);
    const { stdout } = await promisify(execFile)(process.execPath, [file, "mock:"], { cwd: folder });
    expect(stdout).toMatch(PRINTED[i] ?? "");
  });
});

test("the test of the test kit passes on a mock dock, in a folder of its own", async () => {
  const [{ code } = { code: "" }, ...others] = blocks.filter(({ language }) => language === "ts");
  expect(others).toEqual([]);
  await symlink(join(root, "node_modules", "vitest"), join(folder, "node_modules", "vitest"), "dir");
  await writeFile(join(folder, "splash.test.ts"), code);
  const env = { ...process.env, VITEST: "", DL7450_PORT: "mock:", NO_COLOR: "1" };
  const argv = [join(root, "node_modules", "vitest", "vitest.mjs"), "run", "--root", folder, "splash.test.ts"];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { cwd: folder, env });
  expect(stdout).toMatch(/Tests +1 passed \(1\)/);
});

async function firstLine(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [program, ...args], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  const gone = once(child, "exit");
  const [line] = await once(createInterface(child.stdout), "line");
  child.kill();
  await gone;
  return String(line);
}
