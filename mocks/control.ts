/** What a mock dock's parent tells it on its standard input: which faults there are from now on. A line of JSON each, and a line each as the answer. */
import * as v from "valibot";
import { parseFault } from "./faults/parse.js";
import type { Fault, Faults } from "./faults.js";
import { Random } from "./random.js";

/** The longest line that is read, in bytes without its end. */
const LONGEST_LINE = 64 * 1024;
/** Faults of a line at most: each takes its part of the stack. */
const MOST_FAULTS = 64;
/** The longest text of a fault, in characters: several times what all keys take together. */
const LONGEST_FAULT = 512;
const LINE_END = 0x0a;

const FORM = `{"faults":["KIND:KEY=VALUE,…",…]}, at most ${MOST_FAULTS} faults of at most ${LONGEST_FAULT} characters`;

/** How it is used, for people. */
export const CONTROL_HELP: string = [
  "With --control, each line on standard input says which faults there are from now on, beside those of --fault and --fault-script:",
  '  {"faults":["cut:at=5000","flip:rate=1e-4"]}',
  "They begin to count now, but for those that the line before had, too, which go on. Those that it had and this one hasn't are gone,",
  "with what they held back. Each line is answered with one on standard output:",
  '  {"control":{"faults":["cut:at=5000","flip:rate=1e-4"]}}',
  '  {"control":{"failed":"why"}}, and then everything is as it was',
].join("\n");

const order = v.pipe(
  v.string(),
  v.parseJson(),
  v.strictObject({ faults: v.pipe(v.array(v.pipe(v.string(), v.maxLength(LONGEST_FAULT))), v.maxLength(MOST_FAULTS)) }),
);

interface Held {
  readonly text: string;
  readonly fault: Fault;
}

export class Control {
  readonly #faults: Faults;
  readonly #seed: number;
  #held: readonly Held[] = [];
  /** What there is of a line; undefined when it is too long, and its end is waited for. */
  #unfinished: Uint8Array[] | undefined = [];
  #length = 0;

  /** @param seed for the faults: the same one in the same place does the same, whatever was there before */
  constructor(faults: Faults, seed: number) {
    this.#faults = faults;
    this.#seed = seed;
  }

  /** Takes bytes, and gives the answers to the lines that are complete, without line ends. A line without an end is none yet. */
  *feed(bytes: Uint8Array): Generator<string> {
    for (let at = 0; at < bytes.length; ) {
      const end = bytes.indexOf(LINE_END, at);
      this.#keep(bytes.subarray(at, end < 0 ? bytes.length : end));
      if (end < 0) return;
      yield JSON.stringify({ control: this.#obey(this.#takeLine()) });
      at = end + 1;
    }
  }

  #keep(bytes: Uint8Array): void {
    this.#length += bytes.length;
    if (this.#length > LONGEST_LINE) this.#unfinished = undefined;
    this.#unfinished?.push(bytes);
  }

  #takeLine(): Uint8Array | undefined {
    const line = this.#unfinished === undefined ? undefined : Buffer.concat(this.#unfinished);
    this.#unfinished = [];
    this.#length = 0;
    return line;
  }

  #obey(line: Uint8Array | undefined): { readonly faults: readonly string[] } | { readonly failed: string } {
    if (line === undefined) return { failed: `the line is longer than ${LONGEST_LINE} bytes` };
    const read = v.safeParse(order, Buffer.from(line).toString());
    if (!read.success) return { failed: `the line isn't ${FORM}` };
    const { faults } = read.output;
    try {
      const made = this.#made(faults);
      for (const { fault } of made) this.#faults.check(fault);
      this.#held = made;
    } catch (error) {
      return { failed: error instanceof Error ? error.message : String(error) };
    }
    this.#faults.replace(this.#held.map(({ fault }) => fault));
    return { faults };
  }

  /** The faults that the texts name: those that are there already, as they are, and new ones. */
  #made(texts: readonly string[]): Held[] {
    const random = new Random(this.#seed);
    const before = [...this.#held];
    return texts.map((text) => {
      const own = random.fork();
      const at = before.findIndex((it) => it.text === text);
      const [known] = at < 0 ? [] : before.splice(at, 1);
      return known ?? { text, fault: parseFault(text, own) };
    });
  }
}
