/** The kit: what its tests find, leave and are told, in runs of vitest of their own. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { runCli } from "../../src/cli/testing/run-cli.js";
import { Dock } from "../../src/index.js";
import { type MockDock, startMock } from "../mock-dock.js";
import { beginRun, type Ended, type Run } from "./run.js";

/** Where the leases of these runs are. */
const home = mkdtempSync(join(tmpdir(), "dl7450-kit-home-"));

beforeAll(() => () => rmSync(home, { recursive: true, force: true }));

describe("tests of a mock dock", { timeout: 60_000 }, () => {
  let ended: Ended;

  beforeAll(async () => {
    ended = await beginRun(["putting-back", "failing", "options", "users", "hooks"], { DL7450_PORT: "mock:" }, home).ended();
  }, 60_000);

  test.for([
    "finds nothing of it",
    "finds what was left",
    "finds factory as it was",
    "goes on",
    "finds nothing that was left",
    "opens one of its own",
    "is tried again",
    "has two docks",
    "finds both as they were",
    "has the same dock by a fixture on top",
    "finds nothing that its fixture has left",
    "can't write there",
    "can write again",
    "has what its hook has written",
    "finds nothing of it before its hook",
    "leaves fake timers",
    "goes on after them",
    "has two faults that were asked for at once",
    "can't have faults of the test before",
  ])("the test that %s passes", (name) => {
    expect(ended.tests.get(name)?.status).toBe("passed");
  });

  test.for([
    ["leaves a transaction open", "2 calls, streams or transactions were still under way when the test ended"],
    ["leaves a write under way", "A call, stream or transaction was still under way when the test ended"],
    ["is told what it did", "expected 'GMT' to be 'Mars'"],
    ["has an isolation that isn't one", '`isolate` is "layer", "snapshot", "none" or { snapshot: FOLDER }.'],
    ["has options that are none", "`opening` is an object with options of `Dock.open`."],
    ["has a fixture that throws", "a fixture that throws when it is over"],
    ["fails as often as it is tried", "Nothing answers at tcp://127.0.0.1:1"],
    ["isn't passed for want of a dock", "Nothing answers at tcp://127.0.0.1:2"],
    ["is repeated, and leaks when it passes", "still under way when the test ended"],
    ["leaks under hooks", "still under way when the test ended"],
    ["has a snapshot that isn't there", "/nowhere holds no snapshot"],
  ] as const)("the test that %s fails for that alone", ([name, why]) => {
    expect(ended.tests.get(name)).toMatchObject({ status: "failed", message: expect.stringContaining(why) });
  });

  test("a test that takes too long fails for that alone, whatever it has left under way", () => {
    const [, report = ""] = /<testcase [^>]*name="takes too long"[^>]*>(.*?)<\/testcase>/s.exec(ended.junit) ?? [];
    expect(report.match(/<failure message="[^"]*/g)).toEqual([expect.stringContaining("Test timed out in 200ms")]);
    expect(ended.tests.get("closes its dock")?.status).toBe("passed");
  });

  test("of two tests at once one hasn't the dock, and is told why", () => {
    const both = ["has the dock", "doesn't have it as well"].map((name) => ended.tests.get(name));
    expect(both.map((it) => it?.status).toSorted()).toEqual(["failed", "passed"]);
    expect(both.map((it) => it?.message).join()).toContain("A dock is used by one test at a time");
  });

  test("what failed has its frames and the console text in JUnit, and its trace in a file", async () => {
    const [, report = ""] = /<testcase [^>]*name="is told what it did"[^>]*>(.*?)<\/testcase>/s.exec(ended.junit) ?? [];
    expect(report).toMatch(/→ {2}request {2}\d+ kv\.get .*timezone/);
    expect(report).toMatch(/← {2}result {3}\d+ kv\.get .*GMT/);
    expect(report).toMatch(/\nconsole:\n\|.*MOCK-0001, not a real one\n/s);
    expect(report).toContain("frames out");
    const [, path = ""] = /all frames: dl7450 trace show (.*)/.exec(report) ?? [];
    const trace = join(home, "trace.ndjson");
    writeFileSync(trace, ended.attached.get(basename(path)) ?? "");
    const shown = await runCli(["trace", "show", trace]);
    expect(shown).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/← {2}result {3}\d+ kv\.get .*GMT/) });
  });

  test("GitHub is told what failed and what was skipped, at the line of the test", () => {
    expect(ended.output).toMatch(/::notice file=[^,]*failing\.scene\.ts,line=4,column=\d+,title=dock::MOCK-0001/);
    expect(ended.output).toMatch(/::notice file=[^,]*failing\.scene\.ts,line=9,.*title=skipped::"MOCK-0001" lacks/);
  });

  test("what is skipped says why, in JSON and JUnit as well", () => {
    const skipped = '"MOCK-0001" lacks the feature "write.factory"';
    expect(ended.tests.get("is skipped for what the dock lacks")).toMatchObject({ status: "skipped", skipped });
    expect(ended.junit).toContain('name="skipped" value="&quot;MOCK-0001&quot; lacks the feature &quot;write.factory&quot;"');
  });
});

test("a dock that isn't a mock is only read, unless its name is allowed", { timeout: 60_000 }, async () => {
  await using mock = await startMock("--tcp", "0", "--name", "RW02-0005");
  const DL7450_ALLOW_WRITE = "RW02-0006";
  const { tests, junit } = await beginRun(["read-only"], { DL7450_PORT: mock.target, DL7450_ALLOW_WRITE }, home).ended();
  expect([...tests].map(([name, { status }]) => [name, status])).toEqual([
    ["is skipped for want of leave", "skipped"],
    ["can't write all the same", "passed"],
    ["is told how to get leave", "failed"],
    ["is skipped for having no mock", "skipped"],
  ]);
  const told = "is only read: DL7450_ALLOW_WRITE=RW02-0005 would let it be written";
  expect(junit).toContain(`name="skipped" value="&quot;RW02-0005&quot; ${told}`);
  expect(junit).toContain(`\n${told.replace("is ", "")}\n`);
});

test("a test whose dock dies says so; those after it are skipped with the reason", { timeout: 60_000 }, async () => {
  await using mock = await startMock("--tcp", "0");
  const { tests, junit } = await beginRun(["dying"], { DL7450_PORT: mock.target, MOCK_PID: String(mock.pid) }, home).ended();
  expect([...tests].map(([, { status }]) => status)).toEqual(["failed", "skipped", "skipped", "skipped"]);
  expect(tests.get("loses its dock")?.message).toContain("It wasn't found again within 300 ms");
  expect(junit).toMatch(/name="skipped" value="A test before has failed for want of its dock, which isn&apos;t back/);
});

test.for([
  ["--pool=threads", 'needs vitest\'s pool "forks", not "threads"'],
  ["--no-isolate", "needs vitest's `isolate: true`"],
] as const)("a run with %s is refused, and told why", { timeout: 60_000 }, async ([arg, why]) => {
  const env = { DL7450_PORT: "mock:" };
  const { code, output } = await beginRun(["noting", "looking"], env, home, arg, "--no-file-parallelism").ended();
  expect(code).toBe(1);
  expect(output).toContain(`DockError: dl7450/vitest ${why}`);
});

test("files of a run that have one dock wait for one another, whatever the limit", { timeout: 60_000 }, async () => {
  await using mock = await startMock("--tcp", "0");
  const MEETING = join(home, "meeting");
  const { tests, output } = await beginRun(["sharing-1", "sharing-2"], { DL7450_PORT: mock.target, MEETING }, home).ended();
  expect([...tests.values()].map(({ status }) => status)).toEqual(["passed", "passed"]);
  expect(output).toMatch(/is taken by process \d+ \(sharing-[12]\.scene\.ts, .*: waiting for it, until its tests have ended\./);
});

test("a file has no other dock than the one that it began with", { timeout: 60_000 }, async () => {
  await using mock = await startMock("--tcp", "0", "--name", "RW02-0005");
  const env = { DL7450_PORT: mock.target, MOCK_PID: String(mock.pid), DL7450_ALLOW_WRITE: "RW02-0005,RW02-0006" };
  const { tests } = await beginRun(["replaced"], env, home).ended();
  expect([...tests.values()].map(({ status }) => status)).toEqual(["failed", "skipped"]);
  expect(tests.get("has another dock in the place of its own")?.message).toMatch(
    /^DockError: "RW02-0005" couldn't be put back as it was after this test: Another dock is there now/,
  );
});

test("a dock that a killed run has left is put back when it is there again, after another was in its place", {
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(join(home, "state-"));
  const { mock, env, run, worker } = await heldDock("--state", folder);
  process.kill(worker, "SIGKILL");
  await mock.stop("SIGKILL");
  await run.ended();
  const DL7450_ALLOW_WRITE = "RW02-0005,RW02-0006";
  {
    await using _ = await startMock("--tcp", mock.port, "--name", "RW02-0006");
    const { tests, output } = await beginRun(["noting"], { ...env, DL7450_ALLOW_WRITE }, home).ended();
    expect(tests.get("has a dock that may be written")?.status).toBe("passed");
    expect(output).not.toContain("is put back");
  }
  await using _ = await startMock("--tcp", mock.port, "--name", "RW02-0005", "--state", folder);
  const { output } = await beginRun(["noting"], { ...env, DL7450_ALLOW_WRITE: "" }, home).ended();
  expect(output).toMatch(/"RW02-0005" may not be as it was at .* It isn't to be written, so it is left as it is\./);
  const { tests } = await beginRun(["looking"], env, home).ended();
  expect(tests.get("finds the dock as it was")).toEqual({ status: "passed", message: "" });
});

/** A dock that isn't a mock as far as the kit knows, with data of its own, and a run that writes to it. */
async function heldDock(
  ...args: readonly string[]
): Promise<{ mock: MockDock; env: Readonly<Record<string, string>>; run: Run; worker: number }> {
  const mock = await startMock("--tcp", "0", "--name", "RW02-0005", ...args);
  {
    await using dock = await Dock.open(mock.target);
    await dock.kv.set("mode", "usual", { store: "runtime" });
    await dock.images.put("logo", Buffer.alloc(3_000, 2), { store: "runtime", type: "none" });
  }
  const env = { DL7450_PORT: mock.target, DL7450_ALLOW_WRITE: "RW02-0005" };
  const run = beginRun(["holding"], env, home);
  await run.printed("has the dock");
  const [, pid] = /(\d+) has the dock/.exec(run.output()) ?? [];
  return { mock, env, run, worker: Number(pid) };
}

test("of two runs on one dock the second waits, and goes on as soon as the first is killed, with the dock as it was", {
  timeout: 60_000,
}, async () => {
  const { mock, env, run, worker } = await heldDock();
  await using _ = mock;
  const second = beginRun(["looking"], env, home);
  await second.printed(`is taken by process ${worker} (holding.scene.ts, `);
  process.kill(worker, "SIGKILL");
  run.process.kill("SIGKILL");
  const killed = performance.now();
  const { tests, output } = await second.ended();
  expect(tests.get("finds the dock as it was")).toEqual({ status: "passed", message: "" });
  expect(performance.now() - killed).toBeLessThan(10_000);
  expect(output).toContain('"RW02-0005" is put back: it is as it was at');
  await run.ended();
});

test.for<[string, (run: Run, worker: number) => void]>([
  ["is interrupted", (run, worker) => [run.process.pid ?? 0, worker].map((pid) => process.kill(pid, "SIGINT"))],
  ["is ended", (run) => run.process.kill("SIGTERM")],
  ["has lost its vitest", (run) => run.process.kill("SIGKILL")],
  ["has nobody who reads what it prints", (run) => [run.process.stdout, run.process.stderr].map((stream) => stream?.destroy())],
])("a run that %s puts its dock back, and leaves no process", { timeout: 60_000 }, async ([, end]) => {
  const { mock, run, worker } = await heldDock();
  await using _ = mock;
  end(run, worker);
  await vi.waitUntil(() => !isRunning(worker), { timeout: 20_000 });
  await using dock = await Dock.open(mock.target);
  expect(await dock.kv.list({ store: "ephemeral" })).toEqual([]);
  expect(await dock.kv.get("mode")).toBe("usual");
  expect((await dock.images.get("logo")).data).toHaveLength(3_000);
  const [, port = ""] = mock.port.split(":");
  expect(readdirSync(join(home, "dl7450/leases")).filter((name) => name.includes(`_${port}-`))).toHaveLength(1); // the lock
  await run.ended();
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
