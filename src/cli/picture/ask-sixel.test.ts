/** A terminal that is asked what it can, and how it is left. */
import { PassThrough } from "node:stream";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { ManualClock } from "../../testing/manual-clock.js";
import type { Context, Input } from "../context.js";
import { brokenOutput, Recorder, usualContext } from "../testing/run-cli.js";
import { drawsSixel } from "./ask-sixel.js";

class Keyboard extends PassThrough implements Input {
  readonly isTTY = true;
  readonly modes: boolean[] = [];

  setRawMode(raw: boolean): void {
    this.modes.push(raw);
  }
}

const left: Keyboard[] = [];

interface Asking {
  readonly keyboard: Keyboard;
  readonly clock: ManualClock;
  readonly stdout: Recorder;
  readonly answer: Promise<boolean>;
}

/** Asks, and comes back when the question is out. */
async function ask(given: Partial<Context> = {}): Promise<Asking> {
  const keyboard = new Keyboard();
  const clock = new ManualClock();
  const stdout = new Recorder("terminal");
  left.push(keyboard);
  const answer = drawsSixel({ ...usualContext(), stdin: () => keyboard, stdout, clock, ...given });
  answer.catch(() => {}); // heard of where it is awaited
  await clock.settle();
  return { keyboard, clock, stdout, answer };
}

afterEach(() => {
  for (const keyboard of left.splice(0)) {
    expect(keyboard.modes.at(-1) ?? false).toBe(false); // whatever happened, the terminal is as it was
    expect(keyboard.listenerCount("data")).toBe(0);
  }
});

test("the question is asked in raw mode", async () => {
  const { keyboard, clock, stdout, answer } = await ask();
  expect({ asked: stdout.data.toString(), modes: keyboard.modes, waiting: clock.waiting }).toEqual({
    asked: "\x1b[c",
    modes: [true],
    waiting: 1,
  });
  keyboard.write("\x1b[?62;4;22c");
  expect(await answer).toBe(true);
  expect({ modes: keyboard.modes, waiting: clock.waiting, paused: keyboard.isPaused() }).toEqual({
    modes: [true, false],
    waiting: 0,
    paused: true,
  });
});

test.each([
  ["that it draws sixel", ["\x1b[?62;4;22c"], true],
  ["in pieces", ["\x1b", "[?6", "2;2", "2;4", "c"], true],
  ["something else", ["\x1b[?62;22c"], false],
  ["a 4 that is the kind of terminal", ["\x1b[?4;6c"], false],
  ["14 and 40, which aren't 4", ["\x1b[?62;14;40c"], false],
  ["behind what was typed before", ["ls -l\r\x1b[A4c", "\x1b[?62;4c"], true],
  ["behind a lot that was typed before", ["x".repeat(5_000), "\x1b[?62;4c"], true],
  ["behind an answer to another question", ["\x1b[?1;2R\x1b[?62;4c"], true],
])("it says %s", async (_what, pieces, expected) => {
  const { keyboard, clock, answer } = await ask();
  for (const piece of pieces) {
    keyboard.write(piece);
    await clock.settle();
  }
  expect(await answer).toBe(expected);
});

test("it says nothing, or nothing to the end", async () => {
  const { keyboard, clock, answer } = await ask();
  keyboard.write("\x1b[?62;4");
  expect(await clock.run(answer)).toBe(false);
  expect(clock.now()).toBe(500);
});

test("any bytes that are no answer are none", async () => {
  const noAnswer = fc.uint8Array({ maxLength: 50 }).filter((bytes) => !bytes.includes(0x63) && !bytes.includes(0x03));
  await fc.assert(
    fc.asyncProperty(noAnswer, async (bytes) => {
      const { keyboard, clock, answer } = await ask();
      keyboard.write(bytes);
      expect(await clock.run(answer)).toBe(false);
    }),
    { numRuns: 50 },
  );
});

test("Ctrl-C, which is a byte then, interrupts", async () => {
  const { keyboard, answer } = await ask();
  keyboard.write("\x03");
  await expect(answer).rejects.toMatchObject({ code: "ABORTED" });
});

test("a signal interrupts", async () => {
  const interrupt = new AbortController();
  const { answer } = await ask({ signal: interrupt.signal });
  interrupt.abort();
  await expect(answer).rejects.toBe(interrupt.signal.reason);
});

test("a terminal that goes away says nothing", async () => {
  const { keyboard, answer } = await ask();
  keyboard.destroy(new Error("EIO"));
  expect(await answer).toBe(false);
});

test("a question that can't be asked is no reason to leave it raw", async () => {
  const stdout = Object.assign(brokenOutput("EIO"), { isTTY: true });
  stdout.on("error", () => {});
  const { keyboard, answer } = await ask({ stdout });
  await expect(answer).rejects.toMatchObject({ code: "OUTPUT" });
  expect(keyboard.modes).toEqual([true, false]);
});

test("what isn't a terminal isn't asked", async () => {
  const pipe = new PassThrough();
  expect(await (await ask({ stdin: () => pipe })).answer).toBe(false);
  const { keyboard, answer } = await ask({ stdout: new Recorder() });
  expect(await answer).toBe(false);
  expect(keyboard.modes).toEqual([]);
});
