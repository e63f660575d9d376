import { expect, test } from "vitest";
import { ManualClock } from "../testing/manual-clock.js";
import type { GlobalOptions } from "./options.js";
import { progressBar } from "./progress.js";
import { Recorder, usualContext } from "./testing/run-cli.js";

async function start(kind: "file" | "terminal", options: Partial<GlobalOptions> = {}) {
  const clock = new ManualClock();
  const stderr = new Recorder(kind);
  return {
    clock,
    stderr,
    bar: await progressBar({ ...usualContext(), stderr, clock }, { progress: "auto", ...options }, "logo"),
  };
}

/** What is drawn when the second half of 200 bytes comes after `ms` milliseconds. */
async function drawn(ms: number, kind: "file" | "terminal", options: Partial<GlobalOptions> = {}): Promise<string> {
  const { clock, stderr, bar } = await start(kind, options);
  bar.show(100, 200);
  await clock.advance(ms);
  bar.show(200, 200);
  bar.end();
  return stderr.data.toString();
}

test("a bar is drawn on a terminal when it takes longer than half a second, and wiped off", async () => {
  const text = await drawn(501, "terminal");
  expect(text).toContain("100%  200 of 200 bytes");
  expect(text.endsWith("\u001b[2K")).toBe(true);
});

test("what is through in half a second draws nothing", async () => {
  expect(await drawn(500, "terminal")).toBe("");
});

test("nothing is drawn where there is no terminal", async () => {
  expect(await drawn(60_000, "file")).toBe("");
});

test.each([{ quiet: true }, { json: true }, { progress: "none" as const }])("%j draws nothing", async (options) => {
  expect(await drawn(60_000, "terminal", options)).toBe("");
});

test("the terminal is left as it was, even by a process that is killed", async () => {
  const text = await drawn(501, "terminal");
  for (const sequence of ["\u001b[?25l", "\u001b[?7l"]) expect(text).not.toContain(sequence);
});

test("signals are left to the caller", async () => {
  const before = process.listenerCount("SIGINT");
  const { bar, clock } = await start("terminal");
  await clock.advance(501);
  bar.show(100, 200);
  expect(process.listenerCount("SIGINT")).toBe(before);
  bar.end();
});

test("when there is more to come than there was, the bar has the new total", async () => {
  const { bar, clock, stderr } = await start("terminal");
  bar.show(50, 100);
  await clock.advance(501);
  bar.show(50, 100);
  bar.show(500, 10_000);
  bar.end();
  expect(stderr.data.toString()).toContain("500 of 10000 bytes");
});

test("as events it is told ten times a second, and at the end", async () => {
  const { bar, clock, stderr } = await start("file", { progress: "json" });
  for (let moved = 10; moved <= 200; moved += 10) {
    bar.show(moved, 200);
    await clock.advance(20);
  }
  const lines = stderr.data.toString().trim().split("\n");
  expect(lines.map((line) => JSON.parse(line).moved)).toEqual([10, 60, 110, 160, 200]);
  expect(JSON.parse(lines[0] ?? "")).toEqual({ event: "progress", what: "logo", moved: 10, size: 200 });
});
