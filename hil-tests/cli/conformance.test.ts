/** `dl7450 conformance` as a process, out of the build in `dist/`: it starts others, and takes what signals there are. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageFolder } from "../../src/version.js";
import { startMock } from "../mock-dock.js";
import { descendantsOf, expectEnd } from "../processes.js";
import { cells, scratch } from "./bench.js";

const PROGRAM = join(packageFolder, "dist", "bin", "dl7450.js");

interface Running {
  readonly process: ChildProcess;
  /** What it has said up to now. */
  readonly said: { stdout: string; stderr: string };
}

function start(folder: string, env: Record<string, string>, ...argv: string[]): Running {
  const options = { cwd: folder, env: { ...process.env, ...env } };
  const child = spawn(process.execPath, [PROGRAM, "conformance", ...argv], { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
    });
  }
  return { process: child, said };
}

test("a group of the suite passes on a mock, beside files of the user's that nothing reads", async () => {
  const folder = await scratch();
  for (const name of ["vitest.config.js", "vite.config.js", "postcss.config.cjs", "tsconfig.json", "a.test.js"]) {
    await writeFile(join(folder, name), "throw new Error('this was run');");
  }
  const before = await readdir(folder);
  const running = start(folder, {}, "--port", "mock:", "--only", "Gives its KEYS", "--junit", "out.xml");
  expect(await once(running.process, "close")).toEqual([0, null]);
  const { stdout, stderr } = running.said;
  expect(cells(stdout).slice(0, 3)).toEqual([
    ["group", "passed", "failed", "skipped"],
    ["gives its keys", "4", "0", "3"],
    [""],
  ]);
  expect(stdout).toContain("1 skipped: this dock doesn't have a key whose value is null\n");
  expect(stdout.endsWith("\n4 passed, 0 failed, 3 skipped\n")).toBe(true);
  expect(stderr).toMatch(/^Testing MOCK-0001 \(DL-7450 mock, firmware mock\): stores, [^\n]*\n$/);
  expect(await readFile(join(folder, "out.xml"), "utf8")).toContain(
    '<skipped message="this dock doesn\'t have a key whose value is null"/>',
  );
  expect((await readdir(folder)).filter((name) => !before.includes(name))).toEqual(["out.xml"]);
});

test("a dock that doesn't keep the contract ends it with 8, and with what the tests say", async () => {
  await using mock = await startMock("--tcp", "0", "--fault", "full:rate=1");
  const only = ["--only", "a value 16 deep is taken"];
  const folder = await scratch();
  const running = start(
    folder,
    { DL7450_ALLOW_WRITE: "MOCK-0001", XDG_DATA_HOME: folder, TMPDIR: folder },
    "--port",
    mock.target,
    ...only,
    ...["--json", "--quiet", "--junit", join(folder, "out.xml")],
  );
  expect(await once(running.process, "close")).toEqual([8, null]);
  const { stdout, stderr } = running.said;
  expect(JSON.parse(stdout)).toMatchObject({
    ...{ dock: { name: "MOCK-0001" }, passed: 0, failed: 1, skipped: 0, notRun: 0 },
    failures: [{ group: "takes keys", errors: [{ type: "DockError NO_SPACE" }] }],
  });
  expect(JSON.parse(stderr)).toEqual({
    error: { code: "DIFFERS", message: "The dock doesn't keep the contract: 1 of 1 tests failed.", exitCode: 8 },
  });
  const junit = await readFile(join(folder, "out.xml"), "utf8");
  const [, trace = ""] = /^all frames: dl7450 trace show (.*)$/m.exec(junit) ?? [];
  expect(await readFile(trace, "utf8")).toMatch(/^\{"dl7450":"trace",.*\n.*"dir":"out"/s);
  expect((await stat(trace)).mode & 0o777).toBe(0o600);
});

test("nobody who reads its results makes a failure of the dock no success", async () => {
  await using mock = await startMock("--tcp", "0", "--fault", "full:rate=1");
  const folder = await scratch();
  const env = { DL7450_ALLOW_WRITE: "MOCK-0001", XDG_DATA_HOME: folder, TMPDIR: folder };
  const running = start(folder, env, "--port", mock.target, "--only", "a value 16 deep is taken");
  running.process.stdout?.destroy();
  expect(await once(running.process, "close")).toEqual([8, null]);
  expect(running.said.stderr).toContain("The dock doesn't keep the contract: 1 of 1 tests failed.");
});

test("SIGINT ends it with 130 and what was done, and leaves no process and no file", async () => {
  const folder = await scratch();
  const { process: child, said } = start(folder, {}, "--port", "mock:", "--junit", "out.xml", "--progress", "json");
  while (!said.stderr.includes("says who it is: ")) await once(child.stderr ?? child, "data");
  const all = descendantsOf(child.pid ?? 0);
  child.kill("SIGINT");
  expect(await once(child, "close")).toEqual([130, null]);
  await expectEnd(all);
  expect(said.stderr).toMatch(/"Until then: \d+ passed, 0 failed, \d+ skipped, \d+ not run\."/);
  expect([said.stdout, await readdir(folder)]).toEqual(["", []]);
});
