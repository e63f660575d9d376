/** What a line of a trace says: for people, and as JSON. */
import {
  type DockMessage,
  type HostMessage,
  type Item,
  type Json,
  jsonValue,
  TRACE_FORMAT,
  type TraceRecord,
} from "../../protocol/index.js";
import { diagnostic } from "../diagnostic.js";
import { jsonText } from "../json-text.js";
import { visible } from "../visible.js";
import { messageName, type TracedMessage } from "./message.js";
import { counted, number } from "./tally.js";

/** Bytes that are shown as they are: a nonce is told by them. */
const MOST_SHOWN = 8;
/** The length of the time and of the name before what a message says. */
const TIME = 10;
const NAME = "request".length;

/**
 * A record on one line: time in milliseconds, an arrow, what it is. Safe to print.
 * @param said what the frame says, of one
 * @param opOf gives the operation that an id stands for
 * @param width characters that the line may have
 */
export function recordText(
  record: TraceRecord,
  said: TracedMessage | undefined,
  opOf: (id: number) => string | undefined,
  width: number,
): string {
  const [arrow, name, rest] = partsOf(record, said, opOf);
  const time = "at" in record ? record.at.toFixed(3).padStart(TIME) : " ".repeat(TIME);
  return shortened(`${time}  ${arrow}  ${name.padEnd(NAME)}  ${rest}`, width);
}

/** A record as a value for JSON. */
export function recordJson(record: TraceRecord, said: TracedMessage | undefined): object {
  switch (record.kind) {
    case "header": {
      const { software, target, startedAt } = record;
      return { dl7450: "trace", format: TRACE_FORMAT, software, target, startedAt };
    }
    case "opened":
      return { at: record.at, opened: record.line };
    case "lost":
      return { at: record.at, lost: record.why };
    case "text":
      return { at: record.at, dir: "in", text: record.text };
    case "dropped": {
      const { at, why, bytes, detail, body } = record;
      const known = { ...(detail === undefined ? {} : { detail }), ...(body === undefined ? {} : { body: jsonValue(body) }) };
      return { at, dir: "in", dropped: why, bytes, ...known };
    }
    case "frame": {
      const { at, dir, body } = record;
      if (said?.kind === "message") return { at, dir, type: messageName(said.message), ...messageJson(said.message) };
      return { at, dir, undecodable: said?.why, body: jsonValue(body) };
    }
  }
}

function messageJson(message: HostMessage | DockMessage): { readonly [key: string]: Json } {
  const { type: _, ...fields }: Readonly<Record<string, Item>> = message;
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, jsonValue(value)]));
}

type Parts = readonly [arrow: string, name: string, rest: string];

function partsOf(record: TraceRecord, said: TracedMessage | undefined, opOf: (id: number) => string | undefined): Parts {
  switch (record.kind) {
    case "header":
      return [" ", "trace", visible(`${record.target || "the only dock"}, ${record.startedAt}, by ${record.software}`)];
    case "opened":
      return [" ", "opened", visible(record.line)];
    case "lost":
      return [" ", "lost", visible(record.why)];
    case "text":
      return ["←", "text", jsonText(record.text)];
    case "dropped": {
      const detail = record.detail === undefined ? "" : `: ${record.detail}`;
      return ["←", "dropped", visible(`${record.why}, ${counted(record.bytes, "byte")}${detail}`)];
    }
    case "frame": {
      const arrow = record.dir === "out" ? "→" : "←";
      if (said?.kind === "message") return [arrow, messageName(said.message), messageText(said.message, opOf)];
      return [arrow, "?", visible(`${counted(record.body.length, "byte")} that are no message: ${said?.why}`)];
    }
  }
}

function messageText(message: HostMessage | DockMessage, opOf: (id: number) => string | undefined): string {
  if (message.type === "log") return `${message.level} ${jsonText(message.text)}`;
  if (message.type === "hello") return brief(message.hello);
  if (message.type === "welcome") return brief(message.welcome);
  const op = message.type === "request" ? message.op : opOf(message.id);
  const whose = op === undefined ? `${message.id}` : `${message.id} ${visible(op)}`;
  switch (message.type) {
    case "request":
      return `${whose} ${brief(message.params)}`;
    case "result":
      return `${whose} ${brief(message.value)}`;
    case "failure":
      return `${whose} ${brief(message.failure)}`;
    case "head":
      return `${whose} ${brief(message.meta)}`;
    case "hostData":
    case "dockData":
      return `${whose} ${bytesText(message.bytes)} at ${number(message.offset)}`;
    case "hostCredit":
    case "dockCredit":
      return `${whose} up to ${number(message.limit)}`;
    case "hostResend":
    case "dockResend":
      return `${whose} from ${number(message.from)} to ${number(message.to)}, credit up to ${number(message.limit)}`;
    case "cancel":
    case "pending":
      return whose;
  }
}

function brief(item: Item): string {
  return diagnostic(item, (bytes) =>
    bytes.length > MOST_SHOWN ? bytesText(bytes) : `h'${Buffer.from(bytes).toString("hex")}'`,
  );
}

function bytesText({ length }: Uint8Array): string {
  return counted(length, "byte");
}

function shortened(text: string, width: number): string {
  const short = text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
  return short.trimEnd();
}
