import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { runCli } from "./testing/run-cli.js";

async function fifo(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "dl7450-input-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "fifo");
  execFileSync("mkfifo", [path]);
  return path;
}

test.each([
  ["kv import -", ["kv", "import", "-"]],
  ["kv set --file -", ["kv", "set", "a", "--file", "-"]],
  ["image put -", ["image", "put", "-", "--as", "a"]],
  ["trace show -", ["trace", "show", "-"]],
])("%s ends with 130 when it is interrupted while it waits for stdin", async (_what, argv) => {
  const stop = new AbortController();
  setImmediate(() => stop.abort());
  expect(await runCli(argv, { stdin: () => new PassThrough(), signal: stop.signal })).toMatchObject({ exitCode: 130 });
});

test.each([
  ["kv import", ["kv", "import"]],
  ["trace show", ["trace", "show"]],
])("%s of a FIFO ends with 130 when it is interrupted while it waits for a writer", async (_what, argv) => {
  const stop = new AbortController();
  const running = runCli([...argv, await fifo()], { signal: stop.signal });
  setImmediate(() => stop.abort());
  expect(await running).toMatchObject({ exitCode: 130 });
});

test("a FIFO is read to its writer's end", async () => {
  const path = await fifo();
  const running = runCli(["kv", "import", path]);
  await writeFile(path, '{"a": ');
  expect((await running).stderr).toContain("isn't keys and values in JSON");
});
