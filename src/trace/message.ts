/** What a frame in a trace said. */
import { type DockMessage, type HostMessage, LARGEST_BODY, parseDockMessage, parseHostMessage } from "../../protocol/index.js";

/** What became of the body of a frame. */
export type TracedMessage =
  | { readonly kind: "message"; readonly message: HostMessage | DockMessage }
  | { readonly kind: "undecodable"; readonly why: string };

/** Reads a body of which nothing is known but which way it went. */
export function tracedMessage(dir: "out" | "in", body: Uint8Array): TracedMessage {
  if (body.length > LARGEST_BODY) return { kind: "undecodable", why: "longer than a frame can be" };
  const parsed = dir === "out" ? parseHostMessage(body) : parseDockMessage(body);
  switch (parsed.kind) {
    case "message":
      return parsed;
    case "malformed":
      return { kind: "undecodable", why: parsed.why };
    case "unknown":
      return { kind: "undecodable", why: `message type ${parsed.code}` };
    case "echo":
      return { kind: "undecodable", why: `message type ${parsed.code}, which goes the other way` };
  }
}

const NAMES: Readonly<Record<(HostMessage | DockMessage)["type"], string>> = {
  hello: "hello",
  request: "request",
  hostData: "data",
  hostCredit: "credit",
  hostResend: "resend",
  cancel: "cancel",
  welcome: "welcome",
  result: "result",
  failure: "failure",
  head: "head",
  dockData: "data",
  dockCredit: "credit",
  dockResend: "resend",
  pending: "pending",
  log: "log",
};

/** The name that SPEC §2 has for a message. */
export function messageName({ type }: HostMessage | DockMessage): string {
  return NAMES[type];
}
