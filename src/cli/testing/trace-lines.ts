/** Traces for tests, out of messages. */
import { type DockMessage, encodeMessage, type HostMessage, USUAL_LIMITS } from "../../../protocol/index.js";

export const HEADER =
  '{"dl7450":"trace","format":1,"software":"dl7450 0.1.0","target":"mock:","startedAt":"2026-01-01T00:00:00.000Z"}';

/** A line for a message. */
export function frame(at: number, dir: "out" | "in", message: HostMessage | DockMessage): string {
  return bodyLine(at, dir, encodeMessage(message));
}

export function bodyLine(at: number, dir: "out" | "in", body: Uint8Array): string {
  return JSON.stringify({ at, dir, body: Buffer.from(body).toString("base64") });
}

/** A trace with something of everything that there is. */
export function sampleTrace(): string[] {
  const nonce = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const dock = { id: "01", model: "DL-7450", name: "RW02-0005" };
  const welcome = { version: 1, nonce, bootId: nonce, dock, limits: { ...USUAL_LIMITS }, features: [], stores: [] };
  const hello = { versions: [1], nonce, maxBody: 8_256, software: "dl7450 0.1.0" };
  const sha256 = new Uint8Array(32);
  return [
    HEADER,
    '{"at":0,"opened":"/dev/pts/3"}',
    frame(1, "out", { type: "hello", hello }),
    '{"at":1.5,"dir":"in","text":"boot\\r\\n\\u001b[2J"}',
    frame(2, "in", { type: "welcome", welcome: { ...welcome, stores: ["factory"] } }),
    frame(3, "out", { type: "request", id: 7, op: "kv.get", params: { key: "a\u202e" } }),
    frame(3.5, "in", { type: "pending", id: 7 }),
    frame(4, "in", { type: "result", id: 7, value: { found: true, value: "b".repeat(200), store: "factory", upd: false } }),
    frame(5, "out", { type: "request", id: 8, op: "image.get", params: { tag: "logo", credit: 49_152 } }),
    frame(6, "in", { type: "head", id: 8, meta: { tag: "logo", type: "none", size: 1_024, store: "factory", generation: 1 } }),
    '{"at":6.5,"dir":"in","dropped":"crc","bytes":1030}',
    frame(7, "out", { type: "hostResend", id: 8, from: 0, to: 1_024, limit: 65_536 }),
    frame(8, "in", { type: "dockData", id: 8, offset: 0, bytes: new Uint8Array(1_024) }),
    frame(9, "in", { type: "result", id: 8, value: { size: 1_024, sha256 } }),
    frame(9.5, "in", { type: "log", level: "warning", text: "hot\u009b" }),
    frame(10, "out", { type: "cancel", id: 9 }),
    frame(11, "in", { type: "failure", id: 9, failure: { code: "CANCELLED", message: "by the host", retryable: false } }),
    bodyLine(12, "in", Uint8Array.of(0x81, 0x18, 0x63)),
    '{"at":13,"lost":"The link is gone."}',
  ];
}
