import { join } from "node:path";
import { expect, test } from "vitest";
import { configFolder, SAMPLE } from "../rom/testing/config-folder.js";
import { brokenOutput, runCli, unsafeLines } from "./testing/run-cli.js";

const FIVE_MISTAKES = `images:
  default:
    path: \${CONFIG_PATH}/nowhere.png
    type: png
  logo:
    path: \${CONFIG_PATH}/background.png
    type: jpg
kvstore:
  brightness: 80
  timezone: Mars
`;
const WARNED = SAMPLE.replace('"GMT"', "GMT\n  nightly: yes");

async function configOf(text: string): Promise<string> {
  return join(await configFolder({ "config.yaml": text }), "config.yaml");
}

test("a good config: nothing on stdout, a remark, 0", async () => {
  const file = await configOf(SAMPLE);
  const { exitCode, stdout, stderr } = await runCli(["rom", "check", file]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "" });
  expect(stderr).toMatch(/: fine: 1 image, 2 keys, code, [\d,]+ of 13,000,000 bytes\n$/);
  expect(await runCli(["rom", "check", "--quiet", file])).toMatchObject({ stderr: "" });
});

test("a config with five mistakes: each on a line of stdout with its place, and 7", async () => {
  const file = await configOf(FIVE_MISTAKES);
  const { exitCode, stdout, stderr } = await runCli(["rom", "check", file]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 7, stderr: `dl7450: ${file}: 5 problems\n` });
  const places = stdout.split("\n").map((line) => line.slice(file.length).split(" ", 2).join(" "));
  expect(places).toEqual([":3:11: error:", ":7:11: error:", ":8:1: error:", ":9:15: error:", ":10:13: error:", ""]);
});

test("as JSON a good config has what is known of it, and a bad one its problems", async () => {
  const good = await configOf(SAMPLE);
  expect(JSON.parse((await runCli(["rom", "check", "--json", good])).stdout)).toEqual({
    file: good,
    ok: true,
    problems: [],
    warnings: [],
    images: [expect.objectContaining({ tag: "default", type: "png", width: 1920, height: 1080 })],
    keys: 2,
    code: expect.objectContaining({ size: 15, crc32: expect.any(Number) }),
    bytes: expect.any(Number),
    capacity: 13_000_000,
  });
  const file = await configOf(FIVE_MISTAKES);
  const { exitCode, stdout, stderr } = await runCli(["rom", "check", "--json", file]);
  expect(exitCode).toBe(7);
  expect(JSON.parse(stderr)).toEqual({ error: { code: "CONFIG", message: `${file}: 5 problems`, exitCode: 7 } });
  const json: unknown = JSON.parse(stdout);
  expect(json).toMatchObject({ file, ok: false, capacity: 13_000_000, warnings: [] });
  expect(json).toHaveProperty("problems.3", { code: "NOT_TEXT", line: 9, column: 15, message: expect.any(String) });
});

test("warnings are told, and are for --strict what problems are", async () => {
  const file = await configOf(WARNED);
  const warned = await runCli(["rom", "check", file]);
  expect(warned.exitCode).toBe(0);
  expect(warned.stdout).toContain(`${file}:8:12: warning: `);
  const strict = await runCli(["rom", "check", "--strict", file]);
  expect(strict).toMatchObject({ exitCode: 7, stdout: warned.stdout });
  expect(strict.stderr).toBe(`dl7450: ${file}: 1 warning, and --strict takes none\n`);
  expect(JSON.parse((await runCli(["rom", "check", "--strict", "--json", file])).stdout)).toMatchObject({ ok: false, keys: 3 });
});

test("problems and warnings are one list, ordered by place", async () => {
  const file = await configOf("kv_store:\n  a: 5\n  b: yes\n  c: off\n  d: 6\ncode: {}\n");
  const { stdout } = await runCli(["rom", "check", file]);
  const severities = ["2:6: error", "3:6: warning", "4:6: warning", "5:6: error", "6:1: error"];
  expect(
    stdout.split("\n").map((line) =>
      line
        .slice(file.length + 1)
        .split(": ", 2)
        .join(": "),
    ),
  ).toEqual([...severities, ""]);
});

test("what a config says, and its name, are made visible", async () => {
  const config = 'kv_store:\n  "\\e[31m\\u202e": 5\n  "a": !\u202ex b\n';
  const file = join(await configFolder({ "con\nfig\u202e.yaml": config }), "con\nfig\u202e.yaml");
  const { stdout } = await runCli(["rom", "check", file]);
  expect(stdout.split("\n")).toHaveLength(3);
  expect(unsafeLines(stdout)).toEqual([]);
});

test("a reader of stdout that has left changes nothing of what a config is", async () => {
  const file = await configOf(FIVE_MISTAKES);
  expect(await runCli(["rom", "check", file], { stdout: brokenOutput("EPIPE") })).toMatchObject({ exitCode: 7 });
});

test("payload is JSON on stdout, and says that the dock is missing", async () => {
  const file = await configOf(WARNED);
  const { exitCode, stdout, stderr } = await runCli(["rom", "payload", file]);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    data: { type: "applicationRomStore", attributes: { kvStore: { nightly: "yes" } } },
  });
  expect(stderr).toMatch(/:8:12: warning: .*\nIt has no dockId: .*\n$/);
  const id = "0".repeat(64);
  const quiet = await runCli(["rom", "payload", file, "--dock-id", id, "--quiet"]);
  expect(quiet.stderr).toBe("");
  expect(JSON.parse(quiet.stdout)).toMatchObject({ data: { attributes: { dockId: id } } });
});

test("payload of a config with problems is refused: nothing on stdout, the list on stderr, 7", async () => {
  const file = await configOf(FIVE_MISTAKES);
  const list = (await runCli(["rom", "check", file])).stdout;
  const refused = { exitCode: 7, stdout: "", stderr: `${list}dl7450: ${file}: 5 problems\n` };
  expect(await runCli(["rom", "payload", file])).toMatchObject(refused);
  expect(JSON.parse((await runCli(["rom", "payload", "--json", file])).stderr)).toMatchObject({ error: { code: "CONFIG" } });
});

test("a check that is interrupted ends with 130", async () => {
  const file = await configOf(SAMPLE);
  expect(await runCli(["rom", "check", file], { signal: AbortSignal.abort() })).toMatchObject({ exitCode: 130, stdout: "" });
});
