import { writeSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { encodeMessage, TraceReader, type TraceRecord } from "../../protocol/index.js";
import type { TraceEvent } from "../link.js";
import { ManualClock } from "../testing/manual-clock.js";
import { CommandTrace } from "./command-trace.js";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dl7450-trace-"));
  path = join(folder, "t.ndjson");
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const message = { type: "cancel", id: 7 } as const;
const body = encodeMessage(message);
const sent = (at: number): TraceEvent => ({ at, kind: "sent", message, body });

async function records(): Promise<TraceRecord[]> {
  const reader = new TraceReader();
  const lines = [...reader.feed(await readFile(path)), ...reader.end()];
  return lines.map((line) => {
    if (line.kind === "broken") throw new Error(`line ${line.number}: ${line.why}`);
    return line.record;
  });
}

test("each event is in the file as soon as it has happened, with the time since the trace began", async () => {
  const clock = new ManualClock();
  clock.turn(1_000);
  const trace = new CommandTrace(clock).tracer(path, "mock:");
  expect(await records()).toMatchObject([{ kind: "header", target: "mock:" }]);
  trace({ at: 1_000, kind: "opened", line: "/dev/pts/3" });
  trace(sent(1_002.34567));
  trace({ at: 1_003, kind: "text", text: "\u001b[2J\ud83d\ude00" });
  trace({ at: 1_004, kind: "dropped", why: "crc", bytes: 9 });
  trace({ at: 1_005, kind: "dropped", why: "malformed", bytes: body.length, detail: "bad", body });
  trace({ at: 1_006, kind: "lost", why: "unplugged" });
  expect((await records()).slice(1)).toEqual([
    { kind: "opened", at: 0, line: "/dev/pts/3" },
    { kind: "frame", at: 2.346, dir: "out", body: Uint8Array.from(body) },
    { kind: "text", at: 3, text: "\u001b[2J\ud83d\ude00" },
    { kind: "dropped", at: 4, why: "crc", bytes: 9 },
    { kind: "dropped", at: 5, why: "malformed", bytes: body.length, detail: "bad", body: Uint8Array.from(body) },
    { kind: "lost", at: 6, why: "unplugged" },
  ]);
});

test("a second line of a command goes into the same file", async () => {
  const command = new CommandTrace(new ManualClock());
  command.tracer(path, "mock:")({ at: 0, kind: "opened", line: "a" });
  command.tracer(path, "mock:")({ at: 1, kind: "opened", line: "b" });
  expect(command.end()).toBeUndefined();
  expect((await records()).map(({ kind }) => kind)).toEqual(["header", "opened", "opened"]);
});

test("long text is cut into lines, but never in a character", async () => {
  const text = `x${"\ud83d\ude00".repeat(10_000)}`;
  new CommandTrace(new ManualClock()).tracer(path, "")({ at: 0, kind: "text", text });
  const texts = (await records()).flatMap((it) => (it.kind === "text" ? [it.text] : []));
  expect(texts.length).toBeGreaterThan(1);
  expect(texts.every((it) => it.isWellFormed())).toBe(true);
  expect(texts.join("")).toBe(text);
});

test("only its owner can read it, also when others could read what was there; a link stays one", async () => {
  await writeFile(path, '{"dl7450":"trace"}');
  await chmod(path, 0o644);
  const link = join(folder, "link");
  await symlink(path, link);
  new CommandTrace(new ManualClock()).tracer(link, "");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await records()).length).toBe(1);
});

test.each([
  ["there/isn't", "its folder doesn't exist"],
  [".", "a trace is written to a file"],
])("what can't be made, %s, is told before anything is done", (name, why) => {
  const command = new CommandTrace(new ManualClock());
  expect(() => command.tracer(join(folder, name), "")).toThrow(why);
  expect(command.end()).toBeUndefined();
});

test("another file than a trace isn't replaced; an empty one is", async () => {
  await writeFile(path, "precious");
  expect(() => new CommandTrace(new ManualClock()).tracer(path, "")).toThrow("is there, and is no trace");
  expect(await readFile(path, "utf8")).toBe("precious");
  await writeFile(path, "");
  new CommandTrace(new ManualClock()).tracer(path, "");
  new CommandTrace(new ManualClock()).tracer(path, "");
  expect((await records()).length).toBe(1);
});

test("a disk that gets full disturbs nobody, what fitted stays, and the first failure is told at the end", async () => {
  let isFull = false;
  const command = new CommandTrace(new ManualClock(), (file, bytes, offset) => {
    if (isFull) throw Object.assign(new Error("write ENOSPC"), { code: "ENOSPC" });
    return writeSync(file, bytes, offset);
  });
  const trace = command.tracer(path, "");
  trace(sent(1));
  isFull = true;
  trace(sent(2));
  isFull = false;
  trace(sent(3));
  expect(command.end()).toMatchObject({ code: "OUTPUT", message: `${path} can't be written: the disk is full.` });
  expect((await records()).map((it) => ("at" in it ? it.at : 0))).toEqual([0, 1]);
});
