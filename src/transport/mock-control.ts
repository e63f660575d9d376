/** The faults of a mock dock that runs, as its parent gives them: a line each on its standard input, answered by one on its output. */
import type { ChildProcess } from "node:child_process";
import { Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Writable } from "node:stream";
import * as v from "valibot";
import { systemClock } from "../clock.js";
import { type Outcome, type Problem, unwrap } from "../errors.js";
import { printable } from "../visible.js";

/** Longest time until a line is answered, in milliseconds: what the mock does beside takes less by far, also on a busy machine. */
const ANSWER_TIME = 10_000;
/** Of the mock's words, in characters. */
const LONGEST_WORDS = 2_000;

const answerLine = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ control: v.union([v.strictObject({ faults: v.array(v.string()) }), v.strictObject({ failed: v.string() })]) }),
);

export class MockControl {
  readonly #child: ChildProcess;
  readonly #input: Writable;
  /** Who waits for an answer, in order. One whose time is over stays: its answer may still come. */
  readonly #waiting: ((outcome: Outcome<void>) => void)[] = [];

  /** @param child a mock that was started with `--control`, and has said that it is ready. From now on it keeps no event loop alive. */
  constructor(child: ChildProcess) {
    const { stdin, stdout } = child;
    if (stdin === null || stdout === null) throw new Error("the mock dock has no pipes");
    this.#child = child;
    this.#input = stdin;
    stdin.on("error", () => {}); // it has ended, which `close` says
    createInterface(stdout).on("line", (line) => this.#take(line));
    // What it said before its end has come by then; at `exit` it may not have.
    child.on("close", () => {
      for (const settle of this.#waiting.splice(0)) settle(ENDED);
    });
    child.unref();
    for (const pipe of child.stdio) if (pipe instanceof Socket) pipe.unref();
  }

  /** Has these faults, and no others that were given here before. Fails with `USAGE`, `NO_DOCK` or `TIMEOUT`. */
  async setFaults(texts: readonly string[]): Promise<void> {
    unwrap(await this.#ask(`${JSON.stringify({ faults: texts })}\n`));
  }

  #ask(line: string): Promise<Outcome<void>> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return Promise.resolve(ENDED);
    return new Promise((resolve) => {
      // Meanwhile it is what keeps the event loop alive.
      const stop = systemClock.after(ANSWER_TIME, () => resolve(LATE));
      this.#waiting.push((outcome) => {
        stop();
        resolve(outcome);
      });
      this.#input.write(line);
    });
  }

  /** Takes a line of the mock's. One that is no answer is for somebody else. */
  #take(line: string): void {
    const answer = v.safeParse(answerLine, line);
    if (!answer.success) return;
    const { control } = answer.output;
    this.#waiting.shift()?.("failed" in control ? refused(control.failed) : { kind: "done", value: undefined });
  }
}

const ENDED = failed({ code: "NO_DOCK", message: "The mock dock has ended, and its faults with it." });
const LATE = failed({
  code: "TIMEOUT",
  message: `The mock dock didn't say within ${ANSWER_TIME} ms whether it has these faults.`,
});

function refused(words: string): Outcome<void> {
  const message = `The mock dock can't have these faults: ${printable(words.slice(0, LONGEST_WORDS))}`;
  return failed({ code: "USAGE", message });
}

function failed(problem: Problem): Outcome<void> {
  return { kind: "failed", problem };
}
