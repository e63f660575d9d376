/** Console text as it comes in, as lines that are safe to print. */

import { jsonText } from "../json-text.js";
import { visible } from "../visible.js";
import type { Context } from "./context.js";
import { writeOut } from "./output.js";

/** How long the beginning of a line has rested when it is shown, in milliseconds: a prompt, for one, never ends its line. */
const REST = 100;
/** A longer line is shown in pieces, in characters. */
const LONGEST_LINE = 4_096;
/** Characters that wait for a slow reader at most; what comes then is left out. */
const MOST_WAITING = 1024 * 1024;

export class ConsolePrinter {
  readonly #context: Context;
  readonly #form: "text" | "json";
  readonly #begun: number;
  /** What there is of a line that has no end yet, and isn't shown. */
  #line = "";
  /** Whether the beginning of this line was shown. */
  #isShown = false;
  /** Whether the text so far ended with a CR, to which a LF belongs. */
  #endsInCr = false;
  #stopRest: () => void = () => {};
  #waiting = "";
  #leftOut = 0;
  #writing: Promise<void> | undefined;
  #fail: (error: unknown) => void = () => {};
  /** Rejects when it can't be written any more. */
  readonly failed: Promise<never>;

  constructor(context: Context, form: "text" | "json") {
    this.#context = context;
    this.#form = form;
    this.#begun = context.clock.now();
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => {}); // whether anybody waits for it is its own affair
  }

  /** Takes text, cut anywhere. */
  text(text: string): void {
    this.#stopRest();
    const parts = text.split(/\r\n|\r|\n/);
    if (this.#endsInCr && text.startsWith("\n")) parts.shift();
    this.#endsInCr = text === "" ? this.#endsInCr : text.endsWith("\r");
    const last = parts.pop() ?? "";
    for (const part of parts) {
      this.#add(part);
      this.#endLine();
    }
    this.#add(last);
    if (this.#line !== "" && this.#form === "text") {
      this.#stopRest = this.#context.clock.after(REST, () => this.#showBeginning());
    }
  }

  /** Takes a log message, on a line of its own. */
  log(level: string, text: string): void {
    this.#stopRest();
    if (this.#line !== "" || this.#isShown) this.#endLine();
    this.#print(this.#form === "json" ? this.#json({ level, text }) : `log ${visible(level)}: ${visible(text)}\n`);
  }

  /** Nothing more comes: shows what there is of a line, and waits until all is written, or can't be. */
  async end(): Promise<void> {
    this.stop();
    if (this.#line !== "" || this.#isShown) this.#endLine();
    await this.#writing;
  }

  /** Waits for no rest any more. */
  stop(): void {
    this.#stopRest();
  }

  #add(part: string): void {
    this.#line += part;
    while (this.#line.length > LONGEST_LINE) {
      const rest = this.#line.slice(LONGEST_LINE);
      this.#line = this.#line.slice(0, LONGEST_LINE);
      if (this.#form === "json") this.#endLine();
      else this.#showBeginning();
      this.#line = rest;
    }
  }

  #endLine(): void {
    this.#print(this.#form === "json" ? this.#json({ text: this.#line }) : `${visible(this.#line)}\n`);
    this.#line = "";
    this.#isShown = false;
  }

  #showBeginning(): void {
    this.#print(visible(this.#line));
    this.#line = "";
    this.#isShown = true;
  }

  #json(line: object): string {
    return `${jsonText({ at: Math.round(this.#context.clock.now() - this.#begun), ...line })}\n`;
  }

  #print(text: string): void {
    if (text === "") return;
    if (this.#waiting.length > MOST_WAITING) this.#leftOut += text.length;
    else this.#waiting += text;
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    try {
      while (this.#waiting !== "") {
        const text = this.#waiting;
        this.#waiting = "";
        await writeOut(this.#context, text);
        if (this.#leftOut > 0)
          this.#context.stderr.write(`${this.#leftOut} characters are left out: the reader is too slow.\n`);
        this.#leftOut = 0;
      }
      this.#writing = undefined;
    } catch (error) {
      this.#fail(error);
    }
  }
}
