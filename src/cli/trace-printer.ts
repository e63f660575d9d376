/** Prints the lines of a trace as they are read, and names those that are broken. */
import type { TraceLine, TraceRecord } from "../../protocol/index.js";
import { jsonText } from "../json-text.js";
import { tracedMessage } from "../trace/message.js";
import { TraceTally } from "../trace/tally.js";
import { recordJson, recordText } from "../trace/text.js";
import type { Context } from "./context.js";
import type { GlobalOptions } from "./options.js";
import { remark, writeOut } from "./output.js";

/** Broken lines that are named. A file of nothing else isn't worth more. */
const MOST_NAMED = 20;

/** Each piece of a trace is printed before the next is read: a trace may be larger than memory. */
export class TracePrinter {
  readonly #context: Context;
  readonly #options: GlobalOptions;
  readonly #width: number;
  readonly #tally = new TraceTally();
  #broken = 0;

  constructor(context: Context, options: GlobalOptions) {
    const { isTTY, columns = 80 } = context.stdout;
    this.#context = context;
    this.#options = options;
    this.#width = isTTY === true ? columns : Number.POSITIVE_INFINITY; // a file and `grep` want all of it
  }

  /** Prints lines, and waits until they are written. */
  async print(lines: readonly TraceLine[]): Promise<void> {
    let text = "";
    for (const line of lines) {
      if (line.kind === "record") text += `${this.#record(line.record)}\n`;
      else this.#name(line.number, line.why);
    }
    if (text !== "") await writeOut(this.#context, text);
  }

  /** Says what it all came to. */
  end(): void {
    const rest = this.#broken - MOST_NAMED;
    if (rest > 0) this.#say(`${rest} more lines are broken.`);
    this.#say(this.#tally.text);
  }

  #record(record: TraceRecord): string {
    const said = record.kind === "frame" ? tracedMessage(record.dir, record.body) : undefined;
    this.#tally.add(record);
    if (record.kind === "frame" && said?.kind === "message") this.#tally.addMessage(record.at, said.message);
    if (this.#options.json) return jsonText(recordJson(record, said));
    return recordText(record, said, (id) => this.#tally.opOf(id), this.#width);
  }

  #name(number: number, why: string): void {
    this.#broken++;
    if (this.#broken <= MOST_NAMED) this.#say(`line ${number} is passed over: ${why}`);
  }

  #say(text: string): void {
    remark(this.#context, this.#options, text);
  }
}
