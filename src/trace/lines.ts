/** A trace as it is written: a line of JSON for each event, as protocol/trace.ts reads it. */
import { TRACE_FORMAT } from "../../protocol/trace-format.js";
import { jsonText } from "../json-text.js";
import type { TraceEvent } from "../link.js";
import { version } from "../version.js";

/** Characters of text from outside in one line: whoever reads a trace bounds its lines. */
const MOST_TEXT = 8_192;

/** The first line. `target` is what was to be opened. */
export function headerLine(target: string, startedAt: Date): string {
  const header = { dl7450: "trace", format: TRACE_FORMAT, software: `dl7450 ${version}`, target };
  return jsonText({ ...header, startedAt: startedAt.toISOString() });
}

/** The lines of an event; text of the console can be several. `begun` is the moment of the header, in the event's milliseconds. */
export function linesOf(event: TraceEvent, begun: number): string[] {
  const at = Math.max(0, Math.round((event.at - begun) * 1_000) / 1_000);
  switch (event.kind) {
    case "opened":
      return [jsonText({ at, opened: event.line.slice(0, MOST_TEXT) })];
    case "sent":
      return [frameLine(at, "out", event.body)];
    case "received":
      return [frameLine(at, "in", event.body)];
    case "text":
      return textLines(at, event.text);
    case "dropped": {
      const { why, bytes, detail, body } = event;
      const known = { ...(detail === undefined ? {} : { detail: detail.slice(0, MOST_TEXT) }) };
      return [
        jsonText({ at, dir: "in", dropped: why, bytes, ...known, ...(body === undefined ? {} : { body: base64(body) }) }),
      ];
    }
    case "lost":
      return [jsonText({ at, lost: event.why.slice(0, MOST_TEXT) })];
  }
}

/** Nothing in it needs an escape. */
function frameLine(at: number, dir: "out" | "in", body: Uint8Array): string {
  return `{"at":${at},"dir":"${dir}","body":"${base64(body)}"}`;
}

function textLines(at: number, text: string): string[] {
  const lines: string[] = [];
  for (let from = 0; from < text.length; ) {
    const half = /[\ud800-\udbff]/.test(text.charAt(from + MOST_TEXT - 1)) ? 1 : 0; // of a character that is two
    const to = from + MOST_TEXT - half;
    lines.push(jsonText({ at, dir: "in", text: text.slice(from, to) }));
    from = to;
  }
  return lines;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
