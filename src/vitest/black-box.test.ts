import { expect, test } from "vitest";
import { TraceReader } from "../../protocol/index.js";
import type { TraceEvent } from "../link.js";
import { noCounters } from "../link.js";
import { BlackBox } from "./black-box.js";
import { storyOf, summaryOf } from "./story.js";

const at = performance.now();
const text = (it: string): TraceEvent => ({ kind: "text", at, text: it });

function dropped(body: Uint8Array): TraceEvent {
  return { kind: "dropped", at, why: "malformed", bytes: body.length, body };
}

test("what is kept is what the body was, not what its memory holds later", () => {
  const box = new BlackBox();
  const body = Uint8Array.of(1, 2, 3);
  box.note(dropped(body));
  body.fill(0);
  expect(box.records).toMatchObject([{ body: Uint8Array.of(1, 2, 3) }]);
});

test("the oldest goes when there are too many bytes, and is counted", () => {
  const box = new BlackBox();
  for (let i = 0; i < 10; i++) box.note(dropped(new Uint8Array(128 * 1024).fill(i)));
  expect(box.records.map((it) => "body" in it && it.body?.[0])).toEqual([6, 7, 8, 9]);
  expect(box.left).toBe(6);
});

test("the oldest goes when there are too many records, however many there are", () => {
  const box = new BlackBox();
  for (let i = 0; i < 35_000; i++) box.note(text(`${i}`));
  expect(box.records).toHaveLength(10_000);
  expect(box.records[0]).toMatchObject({ text: "25000" });
  expect(box.left).toBe(25_000);
});

test("nothing of one test is in the next", () => {
  const box = new BlackBox();
  box.note(text("before"));
  box.begin();
  expect([box.records, box.left, box.text]).toEqual([[], 0, ""]);
});

test("it knows whether the line is lost, from one test to the next", () => {
  const box = new BlackBox();
  box.note({ kind: "opened", at, line: "a" });
  expect(box.isLost).toBe(false);
  box.note({ kind: "lost", at, why: "unplugged" });
  box.begin();
  expect(box.isLost).toBe(true);
  box.note({ kind: "opened", at, line: "b" });
  expect(box.isLost).toBe(false);
});

test("its trace is one that can be read", () => {
  const box = new BlackBox();
  box.note({ kind: "opened", at, line: "/dev/pts/1" });
  box.note(text("hello\r\n"));
  box.note(dropped(Uint8Array.of(1)));
  const reader = new TraceReader();
  const lines = [...reader.feed(Buffer.from(box.trace("mock:"))), ...reader.end()];
  expect(lines.map((line) => (line.kind === "record" ? line.record.kind : line))).toEqual([
    ...["header", "opened", "text", "dropped"],
  ]);
});

test("a story is safe to print, whatever the dock says, and no workflow command of GitHub's", () => {
  const box = new BlackBox();
  box.note(text("\u001b[2J::error::gotcha\r\n::stop-commands::x\r\n##[error]x\u202e\n"));
  const info = {
    ...{ id: "::error::id", model: "\u001b]0;m\u0007", name: "a\n::error::name", firmware: "", sdk: "", bootId: "00" },
    ...{ uptimeMs: 0, features: ["\n::error::feature"], stores: [] },
  };
  const told = { port: "mock:", info, mayWrite: false, counters: noCounters(), box };
  const story = storyOf(told);
  expect(story).toContain("gotcha");
  for (const said of [story, summaryOf(told)]) {
    for (const hidden of ["\u001b", "\u0007", "\u202e", "\r"]) expect(said).not.toContain(hidden);
    expect(said).not.toMatch(/^\s*::|##\[/m);
  }
});
