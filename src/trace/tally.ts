/** What a trace comes to: how much went each way, and what was asked. */
import type { DockMessage, HostMessage, TraceRecord } from "../../protocol/index.js";
import { visible } from "../visible.js";

interface Asked {
  readonly op: string;
  readonly at: number;
  answered: boolean;
}

interface Answered {
  readonly op: string;
  readonly id: number;
  /** Milliseconds from the request, sent for the first time, to its final answer. */
  readonly took: number;
}

/** Requests that are remembered at once; a host has far fewer under way. */
const MOST_ASKED = 10_000;

export class TraceTally {
  readonly #frames = { out: { count: 0, bytes: 0 }, in: { count: 0, bytes: 0 } };
  readonly #asked = new Map<number, Asked>();
  #duration = 0;
  #dropped = 0;
  #requests = 0;
  #slowest: Answered | undefined;

  add(record: TraceRecord): void {
    if (record.kind === "header") return;
    this.#duration = Math.max(this.#duration, record.at);
    if (record.kind === "dropped") this.#dropped++;
    if (record.kind !== "frame") return;
    const frames = this.#frames[record.dir];
    frames.count++;
    frames.bytes += record.body.length;
  }

  /** Takes note of what a frame said. */
  addMessage(at: number, message: HostMessage | DockMessage): void {
    if (message.type === "request") return this.#ask(at, message.id, message.op);
    if (message.type !== "result" && message.type !== "failure") return;
    const asked = this.#asked.get(message.id);
    if (asked === undefined || asked.answered) return;
    asked.answered = true;
    const took = at - asked.at;
    if (this.#slowest === undefined || took > this.#slowest.took) this.#slowest = { op: asked.op, id: message.id, took };
  }

  /** The operation that an id stands for, or nothing when that isn't known. */
  opOf(id: number): string | undefined {
    return this.#asked.get(id)?.op;
  }

  /** One line. */
  get text(): string {
    const { out, in: back } = this.#frames;
    const ways = [
      `${counted(out.count, "frame")} out (${counted(out.bytes, "byte")})`,
      `${number(back.count)} in (${counted(back.bytes, "byte")})`,
    ];
    const slowest = this.#slowest;
    const asked =
      slowest === undefined
        ? counted(this.#requests, "request")
        : `${counted(this.#requests, "request")}, the slowest ${visible(slowest.op)} ${slowest.id} with ${slowest.took.toFixed(3)} ms`;
    const dropped = this.#dropped === 0 ? [] : [`${number(this.#dropped)} dropped`];
    return [`${this.#duration.toFixed(3)} ms`, ...ways, ...dropped, asked].join("; ");
  }

  #ask(at: number, id: number, op: string): void {
    if (this.#asked.get(id)?.op === op) return; // sent again
    this.#requests++;
    this.#asked.delete(id);
    this.#asked.set(id, { op, at, answered: false });
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > MOST_ASKED && oldest !== undefined) this.#asked.delete(oldest);
  }
}

export function counted(count: number, what: string): string {
  return `${number(count)} ${what}${count === 1 ? "" : "s"}`;
}

/** With commas, as in 1,024. */
export function number(count: number): string {
  return count.toLocaleString("en-US");
}
