import { describe, expect, test } from "vitest";
import { ManualClock } from "../testing/manual-clock.js";
import { ConsolePrinter } from "./console-printer.js";
import type { Output } from "./context.js";
import { StdoutClosed } from "./output.js";
import { brokenOutput, Recorder, unsafeLines, usualContext } from "./testing/run-cli.js";

interface Shown {
  readonly clock: ManualClock;
  readonly printer: ConsolePrinter;
  /** What was printed so far. */
  readonly printed: () => string;
}

function shown(form: "text" | "json" = "text", stdout: Output = new Recorder()): Shown {
  const clock = new ManualClock();
  const printer = new ConsolePrinter({ ...usualContext(), clock, stdout }, form);
  return { clock, printer, printed: () => (stdout instanceof Recorder ? stdout.data.toString() : "") };
}

describe("console text", () => {
  test("is printed as lines, however it is cut and its lines are ended, made visible", async () => {
    const { printer, printed } = shown();
    for (const text of ["bo", "ot\r", "\nte", "mp\u001b[2J\ttoo high\n", "\n", "a\rb\r\n", "last"]) printer.text(text);
    await printer.end();
    expect(printed()).toBe("boot\ntemp\\x1b[2J\\ttoo high\n\na\nb\nlast\n");
    expect(unsafeLines(printed())).toEqual([]);
  });

  test("without the end of its line is shown when it rests, and then goes on there", async () => {
    const { clock, printer, printed } = shown();
    printer.text(">>> ");
    await clock.advance(99);
    expect(printed()).toBe("");
    printer.text("x");
    await clock.advance(99);
    expect(printed()).toBe("");
    await clock.advance(1);
    expect(printed()).toBe(">>> x");
    printer.text("y\n");
    await printer.end();
    expect(printed()).toBe(">>> xy\n");
  });

  test("without any end of a line is shown in pieces, and isn't kept", async () => {
    const { printer, printed } = shown();
    for (let i = 0; i < 100; i++) printer.text("x".repeat(1_000));
    await printer.end();
    expect(printed()).toBe(`${"x".repeat(100_000)}\n`);
    const json = shown("json");
    json.printer.text("y".repeat(5_000));
    await json.printer.end();
    expect(json.printed().split("\n")).toHaveLength(3);
  });

  test("leaves no timer behind", async () => {
    const { clock, printer } = shown();
    printer.text("a");
    printer.stop();
    expect(clock.waiting).toBe(0);
  });
});

test("a log message has a line of its own, also in the middle of another", async () => {
  const { printer, printed } = shown();
  printer.text("half");
  printer.log("warning", "hot\n\u009b");
  printer.text("rest\n");
  await printer.end();
  expect(printed()).toBe("half\nlog warning: hot\\n\\x9b\nrest\n");
});

test("as JSON each line is an object, with the time since the start", async () => {
  const { clock, printer, printed } = shown("json");
  await clock.advance(20);
  printer.text("a\u202eb\nc");
  await clock.advance(200);
  printer.log("info", "up");
  await printer.end();
  expect(unsafeLines(printed())).toEqual([]);
  const lines = printed().trimEnd().split("\n");
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
    { at: 20, text: "a\u202eb" },
    { at: 220, text: "c" },
    { at: 220, level: "info", text: "up" },
  ]);
});

test("a reader that has left is told of at once", async () => {
  const stdout = brokenOutput("EPIPE");
  stdout.on("error", () => {}); // as `main` does
  const { printer } = shown("text", stdout);
  printer.text("a\n");
  await expect(printer.failed).rejects.toBeInstanceOf(StdoutClosed);
});

test("what a reader is too slow for is left out and told of", async () => {
  const stderr = new Recorder();
  const release: (() => void)[] = [];
  const stdout = new Recorder();
  stdout._write = (_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void => void release.push(done);
  const printer = new ConsolePrinter({ ...usualContext(), stdout, stderr }, "text");
  for (let i = 0; i < 3_000; i++) printer.text(`${"x".repeat(999)}\n`);
  const end = printer.end();
  for (let i = 0; i < 3; i++) {
    release.shift()?.();
    await new Promise(setImmediate);
  }
  await end;
  expect(stderr.data.toString()).toMatch(/^19\d{5} characters are left out: the reader is too slow\.\n$/);
});
