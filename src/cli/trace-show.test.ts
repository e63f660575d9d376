import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Output } from "./context.js";
import { main } from "./main.js";
import { brokenOutput, type Ran, Recorder, runCli, unsafeLines, usualContext } from "./testing/run-cli.js";
import { bodyLine, frame, HEADER, sampleTrace } from "./testing/trace-lines.js";

/** Shows a trace that comes by stdin. */
async function show(trace: string | Uint8Array, argv: readonly string[] = [], output: Output = new Recorder()): Promise<Ran> {
  const [stdout, stderr] = [new Recorder(), new Recorder()];
  const context = { ...usualContext(), stderr, stdout: output instanceof Recorder ? stdout : output };
  if (output.columns !== undefined) Object.assign(stdout, { columns: output.columns, isTTY: true });
  const bytes = Buffer.from(trace);
  const stdin = () => Readable.from([bytes.subarray(0, 100), bytes.subarray(100)]);
  const exitCode = await main(["trace", "show", "-", ...argv], { ...context, stdin });
  return { exitCode, stdout: stdout.data.toString(), stderr: stderr.data.toString(), data: stdout.data };
}

const sample = `${sampleTrace().join("\n")}\n`;

test("each frame is a line: time, direction, type, id, operation and what it says, safe to print", async () => {
  const { exitCode, stdout } = await show(sample);
  expect(exitCode).toBe(0);
  expect(unsafeLines(stdout)).toEqual([]);
  const lines = stdout.split("\n").slice(0, -1);
  expect(lines).toHaveLength(sampleTrace().length);
  expect(lines.filter((_, i) => i !== 4 && i !== 9)).toEqual([
    "               trace    mock:, 2026-01-01T00:00:00.000Z, by dl7450 0.1.0",
    "     0.000     opened   /dev/pts/3",
    '     1.000  →  hello    {"versions": [1], "nonce": h\'0102030405060708\', "maxBody": 8256, "software": "dl7450 0.1.0"}',
    '     1.500  ←  text     "boot\\r\\n\\u001b[2J"',
    '     3.000  →  request  7 kv.get {"key": "a\\u202e"}',
    "     3.500  ←  pending  7 kv.get",
    `     4.000  ←  result   7 kv.get {"found": true, "value": "${"b".repeat(200)}", "store": "factory", "upd": false}`,
    '     5.000  →  request  8 image.get {"tag": "logo", "credit": 49152}',
    "     6.500  ←  dropped  crc, 1,030 bytes",
    "     7.000  →  resend   8 image.get from 0 to 1,024, credit up to 65,536",
    "     8.000  ←  data     8 image.get 1,024 bytes at 0",
    '     9.000  ←  result   8 image.get {"size": 1024, "sha256": 32 bytes}',
    '     9.500  ←  log      warning "hot\\u009b"',
    "    10.000  →  cancel   9",
    '    11.000  ←  failure  9 {"code": "CANCELLED", "message": "by the host", "retryable": false}',
    "    12.000  ←  ?        3 bytes that are no message: message type 99",
    "    13.000     lost     The link is gone.",
  ]);
});

test("the summary has duration, bytes, frames each way, and the slowest request, on stderr", async () => {
  const { stderr } = await show(sample);
  expect(stderr).toMatch(
    /^13\.000 ms; 5 frames out \(\d+ bytes\); 9 in \([\d,]+ bytes\); 1 dropped; 2 requests, the slowest image\.get 8 with 4\.000 ms\n$/,
  );
  expect((await show(sample, ["--quiet"])).stderr).toBe("");
});

test("a request that is sent again is one, and its time counts from the first", async () => {
  const request = { type: "request", id: 7, op: "kv.list", params: {} } as const;
  const answer = frame(9, "in", { type: "result", id: 7, value: {} });
  const lines = [HEADER, frame(1, "out", request), frame(5, "out", request), answer, frame(20, "out", request), answer];
  expect((await show(lines.join("\n"))).stderr).toContain("; 1 request, the slowest kv.list 7 with 8.000 ms");
});

test("lines are cut to the terminal's width", async () => {
  const terminal = Object.assign(new Recorder("terminal"), { columns: 60 });
  const lines = (await show(sample, [], terminal)).stdout.split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBe(60);
  expect(lines[7]).toMatch(/…$/);
});

test("--json is an object a line, with nothing left out", async () => {
  const { stdout } = await show(sample, ["--json"]);
  expect(unsafeLines(stdout)).toEqual([]);
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  expect(lines).toHaveLength(sampleTrace().length);
  expect(lines[0]).toEqual(JSON.parse(HEADER));
  expect(lines[5]).toEqual({ at: 3, dir: "out", type: "request", id: 7, op: "kv.get", params: { key: "a\u202e" } });
  expect(lines[10]).toEqual({ at: 6.5, dir: "in", dropped: "crc", bytes: 1_030 });
  const bytes = { $bytes: Buffer.alloc(1_024).toString("base64") };
  expect(lines[12]).toEqual({ at: 8, dir: "in", type: "data", id: 8, offset: 0, bytes });
  expect(lines[17]).toEqual({ at: 12, dir: "in", undecodable: "message type 99", body: { $bytes: "gRhj" } });
});

describe("a broken line", () => {
  test("is named with its number, and reading goes on", async () => {
    const { exitCode, stdout, stderr } = await show(`${HEADER}\n{\n{"at":1,"opened":"a"}\n{"at":2,"ope`);
    expect({ exitCode, lines: stdout.split("\n").length }).toEqual({ exitCode: 0, lines: 3 });
    expect(stderr).toMatch(/^line 2 is passed over: it isn't JSON\nline 4 is passed over: its end is missing, as when/);
  });

  test("is counted alone when there are very many", async () => {
    const { stderr } = await show(`${HEADER}\n${"x\n".repeat(5_000)}`);
    expect(stderr.split("\n")).toHaveLength(20 + 1 + 1 + 1);
    expect(stderr).toContain("\n4980 more lines are broken.\n");
  });

  test("with a body that is larger than any is shown as no message", async () => {
    const { stdout } = await show(`${HEADER}\n${bodyLine(1, "in", Buffer.alloc(70_000, 0x80))}\n`);
    expect(stdout).toContain("70,000 bytes that are no message: longer than a frame can be");
  });
});

describe("what can't be shown ends with 1 and one line:", () => {
  test.each([
    ["a file of another kind", "\u0089PNG\n", "dl7450: - is no trace.\n"],
    ["nothing", "", "dl7450: - is empty.\n"],
    ["a newer format", HEADER.replace(":1,", ":2,"), "dl7450: - has format 2, and this program reads format 1: "],
  ])("%s", async (_, trace, message) => {
    const { exitCode, stdout, stderr } = await show(trace);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr.startsWith(message), stderr).toBe(true);
    expect(stderr.split("\n")).toHaveLength(2);
  });

  test("a file that isn't there, and a folder", async () => {
    const message = "dl7450: /there/is/none can't be read: there is no such file.\n";
    expect(await runCli(["trace", "show", "/there/is/none"])).toMatchObject({ exitCode: 1, stderr: message });
    expect((await runCli(["trace", "show", tmpdir()])).stderr).toContain("it is a folder");
  });
});

test("a file is read by its name; a reader of stdout that has left is no failure", async () => {
  const folder = await mkdtemp(join(tmpdir(), "dl7450-show-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "t.ndjson");
  await writeFile(file, sample);
  expect((await runCli(["trace", "show", file])).stdout.split("\n")).toHaveLength(sampleTrace().length + 1);
  expect(await runCli(["trace", "show", file], { stdout: brokenOutput("EPIPE") })).toMatchObject({ exitCode: 0, stderr: "" });
});

test("interrupted while it waits for more it ends with 130", async () => {
  const stop = new AbortController();
  const stdin = new PassThrough();
  stdin.write(sample);
  const shown = runCli(["trace", "show", "-"], { stdin: () => stdin, signal: stop.signal });
  setImmediate(() => stop.abort());
  expect(await shown).toMatchObject({ exitCode: 130 });
});

test("whatever becomes of a trace, showing it ends, with 0 or one clear error, and nothing unsafe is printed", async () => {
  const mutation = fc.record({
    at: fc.nat(),
    cut: fc.nat({ max: 20 }),
    put: fc.uint8Array({ maxLength: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { maxLength: 8 }), fc.boolean(), async (mutations, asJson) => {
      let bytes = Buffer.from(sample);
      for (const { at, cut, put } of mutations) {
        const from = at % bytes.length;
        bytes = Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + cut)]);
      }
      const { exitCode, stdout, stderr } = await show(bytes, asJson ? ["--json"] : []);
      expect([0, 1]).toContain(exitCode);
      expect(unsafeLines(stdout + stderr)).toEqual([]);
      expect(stderr).not.toContain("unexpected");
    }),
  );
});
