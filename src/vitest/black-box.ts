/** What passed along a dock's line during a test, the last of it: for the report of a test that fails. */
import type { TraceEvent } from "../link.js";
import { headerLine, lineOf, recordsOf, type TracedEvent } from "../trace/lines.js";

/** What is kept at most: records, and the bytes of their bodies and texts. */
const MOST = { records: 10_000, bytes: 512 * 1024 };

export class BlackBox {
  #records: TracedEvent[] = [];
  /** The oldest that is kept. */
  #from = 0;
  #bytes = 0;
  #left = 0;
  #begun = performance.now();
  #startedAt = new Date();
  #isLost = false;

  /** Forgets all of that, for another test. */
  begin(): void {
    this.#records = [];
    this.#from = 0;
    this.#bytes = 0;
    this.#left = 0;
    this.#begun = performance.now();
    this.#startedAt = new Date();
  }

  /** Takes note of what passes. For `OpenOptions.trace`. */
  readonly note = (event: TraceEvent): void => {
    if (event.kind === "lost" || event.kind === "opened") this.#isLost = event.kind === "lost";
    for (const record of recordsOf(event, this.#begun)) this.#keep(record);
  };

  /** Whether the line was lost that was open last. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** What is kept, oldest first. */
  get records(): readonly TracedEvent[] {
    return this.#records.slice(this.#from);
  }

  /** How many records weren't kept. */
  get left(): number {
    return this.#left;
  }

  /** The console text that is kept. */
  get text(): string {
    return this.records.map((record) => (record.kind === "text" ? record.text : "")).join("");
  }

  /** What is kept, as the file of a trace. */
  trace(target: string): string {
    return [headerLine(target, this.#startedAt), ...this.records.map(lineOf)].map((line) => `${line}\n`).join("");
  }

  #keep(record: TracedEvent): void {
    // The body is the link's own memory.
    const kept = "body" in record && record.body !== undefined ? { ...record, body: Uint8Array.from(record.body) } : record;
    this.#records.push(kept);
    this.#bytes += bytesOf(kept);
    while (this.#records.length - this.#from > MOST.records || this.#bytes > MOST.bytes) {
      const oldest = this.#records[this.#from];
      if (oldest === undefined) break;
      this.#bytes -= bytesOf(oldest);
      this.#from++;
      this.#left++;
    }
    if (this.#from <= this.#records.length / 2) return;
    this.#records = this.#records.slice(this.#from); // what was passed over is let go once it is as much as is kept
    this.#from = 0;
  }
}

function bytesOf(record: TracedEvent): number {
  if (record.kind === "text") return record.text.length;
  return "body" in record ? (record.body?.length ?? 0) : 0;
}
