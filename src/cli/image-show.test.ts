/** The command that draws, in terminals that differ. */
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Context, Input } from "./context.js";
import { MockDock } from "./testing/mock-dock.js";
import { BLUE, pngOf, RED } from "./testing/pictures.js";
import { type Ran, Recorder, runCli } from "./testing/run-cli.js";

const PNG = pngOf(1, 2, Buffer.from([0, ...RED, 0, ...BLUE]));
const sha256 = createHash("sha256").update(PNG).digest("hex");
const IN_COLOUR = "\x1b[38;2;255;0;0;48;2;0;0;255m▀\x1b[0m\n";
const IN_256_COLOURS = "\x1b[38;5;196;48;5;21m▀\x1b[0m\n";
const AS_KITTY = `\x1b_Ga=T,f=100,c=1,q=2,m=0;${PNG.toString("base64")}\x1b\\\n`;

let folder = "";
let dock: MockDock;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dl7450-cli-"));
  await writeFile(join(folder, "logo.png"), PNG);
  const [logo, name] = [{ file: join("..", basename(folder), "logo.png"), type: "png" }, "a\x1b[31m"];
  await writeFile(join(folder, "wide.png"), pngOf(16, 1, Buffer.alloc(65)));
  const wide = { ...logo, file: logo.file.replace("logo", "wide") };
  const images = { logo, wide, [name]: logo, raw: { random: 9, type: "none" }, bad: { random: 9, type: "bmp" } };
  dock = await MockDock.start({ factory: { images } });
});
afterAll(async () => {
  await Promise.all([dock.stop(), rm(folder, { recursive: true })]);
});

function run(argv: readonly string[], given: Partial<Context> = {}): Promise<Ran> {
  return runCli(["--port", dock.target, "image", "show", ...argv], given);
}

/** What is drawn on a terminal, and whether it was left in raw mode. */
async function shown(env: Context["env"], answer = ""): Promise<{ stdout: string; raw: boolean | undefined }> {
  const stdout = new Recorder("terminal");
  let raw: boolean | undefined;
  const setRawMode = (to: boolean): void => {
    raw = to;
  };
  const stdin = (): Input => Object.assign(new PassThrough().end(answer), { isTTY: true, setRawMode });
  await run(["logo"], { stdout, stdin, env });
  return { stdout: stdout.data.toString(), raw };
}

test("draws as the environment names the terminal, without asking it", async () => {
  expect(await shown({ TERM: "xterm-kitty" })).toEqual({ stdout: AS_KITTY, raw: undefined });
  expect(await shown({ TMUX: "1", COLORTERM: "truecolor" })).toEqual({ stdout: IN_COLOUR, raw: undefined });
});

test("asks the terminal, and draws sixel where it says so, blocks otherwise", async () => {
  const sixel = '\x1bP0;0;q"1;1;1;2#0;2;100;0;0#1;2;0;0;100#0@$#1A$\x1b\\\n';
  expect(await shown({}, "\x1b[?62;4c")).toEqual({ stdout: `\x1b[c${sixel}`, raw: false });
  expect(await shown({}, "\x1b[?1;2c")).toEqual({ stdout: `\x1b[c${IN_256_COLOURS}`, raw: false });
});

test("draws where there is no terminal only when it is told how, and says what on stderr", async () => {
  expect(await run(["logo"])).toMatchObject({ exitCode: 2, stdout: "" });
  const stderr = `logo: 1 by 2 pixels, ${PNG.length} bytes, png, factory\n`;
  expect(await run(["logo", "--as", "blocks"])).toMatchObject({ exitCode: 0, stdout: IN_256_COLOURS, stderr });
  expect(await run(["logo", "--as", "kitty", "--quiet"])).toMatchObject({ exitCode: 0, stdout: AS_KITTY, stderr: "" });
});

test("--json says what it is, and draws nothing", async () => {
  const said = JSON.parse((await run(["logo", "--json"])).stdout);
  expect(said).toEqual({ tag: "logo", type: "png", size: PNG.length, store: "factory", sha256, width: 1, height: 2 });
});

test("--token names an image, too", async () => {
  const { stdout } = await runCli(["--port", dock.target, "image", "token", "logo"]);
  expect(await run(["--token", stdout.trim(), "--as", "blocks"])).toMatchObject({ exitCode: 0, stdout: IN_256_COLOURS });
});

test("a tag is made visible where it is said", async () => {
  const { stderr } = await run(["a\x1b[31m", "--as", "blocks"]);
  expect(stderr).toContain("a\\x1b[31m: 1 by 2 pixels");
});

test.each([
  ["neither a tag nor a token", []],
  ["both", ["logo", "--token", "00"]],
  ["another way", ["logo", "--as", "ascii"]],
  ["no columns", ["logo", "--as", "blocks", "--width", "0"]],
  ["columns without end", ["logo", "--as", "blocks", "--width", "1001"]],
  ["half a column", ["logo", "--as", "blocks", "--width", "1.5"]],
])("%s is wrong usage", async (_what, argv) => {
  expect(await run(argv)).toMatchObject({ exitCode: 2, stdout: "" });
});

test.each([
  ["raw", "The image is stored without a type"],
  ["bad", "The image says it is bmp, but it begins like none that is known."],
])("an image that can't be drawn is one clear error: %s", async (tag, message) => {
  const ran = await run([tag, "--as", "blocks"]);
  expect(ran).toMatchObject({ exitCode: 1, stdout: "" });
  expect(ran.stderr).toContain(message);
  const { stderr } = await run([tag, "--json"]);
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: "PICTURE", exitCode: 1 } });
});

test("is as wide as the terminal, unless --width says less", async () => {
  const wide = async (...argv: string[]): Promise<string> => {
    const stdout = Object.assign(new Recorder("terminal"), { columns: 12 });
    await run(["wide", "--as", "blocks", ...argv], { stdout });
    return stdout.data.toString();
  };
  expect(await wide()).toBe(`${" ".repeat(12)}\x1b[0m\n`);
  expect(await wide("--width", "3")).toBe(`${" ".repeat(3)}\x1b[0m\n`);
  expect(await wide("--width", "20")).toBe(`${" ".repeat(16)}\x1b[0m\n`); // its own pixels
});

test("a missing image ends with 4, before a terminal is asked", async () => {
  const stdout = new Recorder("terminal");
  expect(await run(["nope"], { stdout })).toMatchObject({ exitCode: 4 });
  expect(stdout.data.toString()).toBe("");
});
