/** What passed along the line, for rules that the driver would smooth over. */
import * as v from "valibot";
import { type Item, type Operation, operations, type Result, type Welcome } from "../../protocol/index.js";
import type { OpenOptions, TraceEvent } from "../../src/index.js";

export class Wire {
  readonly #events: TraceEvent[] = [];
  /** To open the dock with. */
  readonly options: OpenOptions = { trace: (event) => void this.#events.push(event) };

  /** The welcome that answers the hello; those of sessions before, which may still be on the line, don't count. */
  get welcome(): Welcome {
    let nonce: Uint8Array | undefined;
    for (const event of this.#events) {
      if (event.kind === "sent" && event.message.type === "hello") nonce = event.message.hello.nonce;
      if (event.kind !== "received" || event.message.type !== "welcome" || nonce === undefined) continue;
      if (Buffer.compare(event.message.welcome.nonce, nonce) === 0) return event.message.welcome;
    }
    throw new Error("there was no welcome to the hello");
  }

  /** The results of one operation, in the order in which they were asked for. */
  results<Op extends Operation>(op: Op): Result<Op>[] {
    const answers = new Map<number, Item | undefined>();
    for (const event of this.#events) {
      if (event.kind === "sent" && event.message.type === "request" && event.message.op === op) {
        answers.set(event.message.id, undefined);
      }
      if (event.kind === "received" && event.message.type === "result" && answers.has(event.message.id)) {
        answers.set(event.message.id, event.message.value);
      }
    }
    const schema: v.GenericSchema<unknown, Result<Op>> = operations[op].result;
    return [...answers.values()].map((value) => v.parse(schema, value));
  }
}
