/** A trace as it is written: a line of JSON for each event, as protocol/trace.ts reads it. */
import type { TraceRecord } from "../../protocol/trace.js";
import { TRACE_FORMAT } from "../../protocol/trace-format.js";
import { jsonText } from "../json-text.js";
import type { TraceEvent } from "../link.js";
import { version } from "../version.js";

/** Characters of text from outside in one line: whoever reads a trace bounds its lines. */
const MOST_TEXT = 8_192;

/** A record after the first. */
export type TracedEvent = Exclude<TraceRecord, { readonly kind: "header" }>;

/** The first line. `target` is what was to be opened. */
export function headerLine(target: string, startedAt: Date): string {
  const header = { dl7450: "trace", format: TRACE_FORMAT, software: `dl7450 ${version}`, target };
  return jsonText({ ...header, startedAt: startedAt.toISOString() });
}

/**
 * What an event is in a trace; text of the console can be several records. The bodies are the event's own.
 * @param begun the moment of the header, in the event's milliseconds
 */
export function recordsOf(event: TraceEvent, begun: number): TracedEvent[] {
  const at = Math.max(0, Math.round((event.at - begun) * 1_000) / 1_000);
  switch (event.kind) {
    case "opened":
      return [{ kind: "opened", at, line: event.line.slice(0, MOST_TEXT) }];
    case "sent":
      return [{ kind: "frame", at, dir: "out", body: event.body }];
    case "received":
      return [{ kind: "frame", at, dir: "in", body: event.body }];
    case "text":
      return partsOf(event.text).map((text) => ({ kind: "text", at, text }));
    case "dropped": {
      const { why, bytes, detail, body } = event;
      const known = detail === undefined ? {} : { detail: detail.slice(0, MOST_TEXT) };
      return [{ kind: "dropped", at, why, bytes, ...known, ...(body === undefined ? {} : { body }) }];
    }
    case "lost":
      return [{ kind: "lost", at, why: event.why.slice(0, MOST_TEXT) }];
  }
}

/** The line of a record. */
export function lineOf(record: TracedEvent): string {
  const { at } = record;
  switch (record.kind) {
    case "opened":
      return jsonText({ at, opened: record.line });
    case "frame":
      return `{"at":${at},"dir":"${record.dir}","body":"${base64(record.body)}"}`; // nothing in it needs an escape
    case "text":
      return jsonText({ at, dir: "in", text: record.text });
    case "dropped": {
      const { why, bytes, detail, body } = record;
      const known = detail === undefined ? {} : { detail };
      return jsonText({ at, dir: "in", dropped: why, bytes, ...known, ...(body === undefined ? {} : { body: base64(body) }) });
    }
    case "lost":
      return jsonText({ at, lost: record.why });
  }
}

function partsOf(text: string): string[] {
  const parts: string[] = [];
  for (let from = 0; from < text.length; ) {
    const half = /[\ud800-\udbff]/.test(text.charAt(from + MOST_TEXT - 1)) ? 1 : 0; // of a character that is two
    const to = from + MOST_TEXT - half;
    parts.push(text.slice(from, to));
    from = to;
  }
  return parts;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
