/** Which setting holds, of those that are given in several places. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "./testing/run-cli.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dl7450-settings-"));
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
async function fileWith(content: string): Promise<string> {
  const file = join(folder, `${files++}.json`);
  await writeFile(file, content);
  return file;
}

const list = v.pipe(
  v.string(),
  v.parseJson(),
  v.array(v.object({ setting: v.string(), value: v.optional(v.unknown()), from: v.object({ kind: v.string() }) })),
);

/** Of each setting that isn't the default, its value and where it comes from. */
async function settled(argv: readonly string[], env: Record<string, string>, ...contents: object[]): Promise<object> {
  const paths = await Promise.all(contents.map((it) => fileWith(JSON.stringify(it))));
  const { stdout, stderr } = await runCli(["config", "--json", ...argv], { env, settingsFiles: async () => paths });
  expect(stderr).toBe("");
  const set = v.parse(list, stdout).filter(({ from }) => from.kind !== "default");
  return Object.fromEntries(set.map(({ setting, value, from }) => [setting, [value, from.kind]]));
}

describe("the first that is found holds", () => {
  const project = { port: "id:project", timeout: 3 };
  const user = { port: "id:user", timeout: 4, baud: 9_600 };
  const env = { DL7450_PORT: "id:environment" };

  test("a flag before the environment, that before the project's file, that before the user's, that before the default", async () => {
    expect(await settled(["--port", "id:flag"], { ...env, DL7450_TIMEOUT: "2" }, project, user)).toEqual({
      port: ["id:flag", "flag"],
      timeout: [2, "environment"],
      baud: [9_600, "file"],
    });
    expect(await settled([], env, project)).toEqual({ port: ["id:environment", "environment"], timeout: [3, "file"] });
    expect(await settled([], {}, project, user)).toMatchObject({ port: ["id:project", "file"], timeout: [3, "file"] });
    expect(await settled([], {})).toEqual({});
  });

  test("an empty variable isn't set", async () => {
    expect(await settled([], { DL7450_PORT: "" }, project)).toMatchObject({ port: ["id:project", "file"] });
  });

  test.each([
    ["on", true],
    ["0", false],
  ])("DL7450_DTR=%s is %s", async (text, value) => {
    expect(await settled([], { DL7450_DTR: text })).toEqual({ dtr: [value, "environment"] });
  });
});

test("what holds is what a command gets", async () => {
  const { exitCode, stderr } = await runCli(["ls"], { env: { DL7450_PORT: "mock:nope" } });
  expect(exitCode).toBe(2);
  expect(stderr).toContain('"nope" is no profile');
});

test.each(["tcp://127.0.0.1:1", "mock:preview"])(
  "DTR and RTS that are set aren't asked of %s, which has no such lines",
  async (port) => {
    const { stderr } = await runCli(["ls", "--port", port], { env: { DL7450_DTR: "on", DL7450_RTS: "off" } });
    expect(stderr).not.toContain("DTR");
  },
);

test("a table says where each comes from", async () => {
  const { stdout } = await runCli(["config"], { env: { DL7450_BAUD: "9600" } });
  expect(stdout).toMatch(/^baud {5}9600 {3}DL7450_BAUD$/m);
  expect(stdout).toMatch(/^port {5}- {6}default$/m);
});

describe("what can't be a setting ends with 2, and the place of it", () => {
  const contents: [content: string, said: string][] = [
    ["{", "can't be read: "],
    ["[]", "can't be read: it isn't an object of settings."],
    ['{"prot": "x"}', 'can\'t be read: there is no setting "prot", only port, timeout, '],
    ['{"timeout": -1}', 'timeout: "-1" can\'t be its value. It is a number of seconds above 0'],
    ['{"port": null}', 'port: "object" can\'t be its value. It is text, a number, true or false.'],
    ['{"dtr": "perhaps"}', 'dtr: "perhaps" can\'t be its value. It is on or off.'],
    [`"${"x".repeat(70_000)}"`, "can't be read: it has 70002 bytes, and 65536 is the most."],
  ];
  test.each(contents)("%s", async (content, said) => {
    const file = await fileWith(content);
    const { exitCode, stderr } = await runCli(["config"], { settingsFiles: async () => [file] });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(file);
    expect(stderr).toContain(said);
  });

  test("in the environment it is named by its variable", async () => {
    const { exitCode, stderr } = await runCli(["config"], { env: { DL7450_TIMEOUT: "soon" } });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: 'dl7450: DL7450_TIMEOUT: "soon" can\'t be its value. It is a number of seconds above 0, up to 2000000.\n',
    });
  });
});
