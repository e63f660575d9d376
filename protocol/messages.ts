/** Messages: what the body of a frame says (SPEC §2). */
import * as v from "valibot";
import { decodeBody, encodeBody } from "./codec.js";
import { type Failure, failure } from "./errors.js";
import { bytesOfLength, eightBytes, features, LAYERS, layer, requestId, text, uint32, versions } from "./fields.js";
import { type Item, isArray } from "./item.js";
import { HANDSHAKE_BODY, LARGEST_BODY, UINT32_MAX } from "./limits.js";

/** The version of the protocol that this code speaks. */
export const PROTOCOL_VERSION = 1;

/** The order of the items in each message. Types below 12 come from the host, the others from the dock. */
const LAYOUT = {
  hello: { code: 0, items: ["hello"] },
  request: { code: 1, items: ["id", "op", "params"] },
  hostData: { code: 2, items: ["id", "offset", "bytes"] },
  hostCredit: { code: 3, items: ["id", "limit"] },
  hostResend: { code: 4, items: ["id", "from", "to", "limit"] },
  cancel: { code: 5, items: ["id"] },
  welcome: { code: 12, items: ["welcome"] },
  result: { code: 13, items: ["id", "value"] },
  failure: { code: 14, items: ["id", "failure"] },
  head: { code: 15, items: ["id", "meta"] },
  dockData: { code: 16, items: ["id", "offset", "bytes"] },
  dockCredit: { code: 17, items: ["id", "limit"] },
  dockResend: { code: 18, items: ["id", "from", "to", "limit"] },
  pending: { code: 19, items: ["id"] },
  log: { code: 20, items: ["level", "text"] },
} as const;
type MessageType = keyof typeof LAYOUT;

const FIRST_DOCK_CODE = 12;
const TYPE_OF_CODE = new Map<number, MessageType>();
for (const [type, { code }] of Object.entries(LAYOUT)) if (isMessageType(type)) TYPE_OF_CODE.set(code, type);

const map = v.custom<{ readonly [key: string]: Item }>(isMap, "not a map");
const data = { id: requestId, offset: uint32, bytes: bytesOfLength(1, LARGEST_BODY) };
const credit = { id: requestId, limit: uint32 };
const resend = { id: requestId, from: uint32, to: uint32, limit: uint32 };
const bodyLimit = v.pipe(uint32, v.minValue(HANDSHAKE_BODY), v.maxValue(LARGEST_BODY));
const between = (least: number, most: number) => v.pipe(uint32, v.minValue(least), v.maxValue(most));

/** The map of a `hello` (SPEC §3.1). */
const hello = v.object({
  versions,
  nonce: eightBytes,
  maxBody: bodyLimit,
  software: text(0, 64),
  session: v.exactOptional(eightBytes),
});
export type Hello = v.InferOutput<typeof hello>;

/** The map of a `welcome` (SPEC §3.1). */
const welcome = v.object({
  version: requestId,
  nonce: eightBytes,
  resumed: v.exactOptional(v.boolean()),
  bootId: eightBytes,
  dock: v.object({ id: text(1, 64), model: text(0, 32), name: text(0, 64) }),
  limits: v.object({
    maxBody: bodyLimit,
    window: between(HANDSHAKE_BODY, UINT32_MAX),
    requests: between(1, 1_024),
    streams: between(1, 64),
    tagBytes: between(1, 255),
    keyBytes: between(1, 255),
    valueBytes: between(1, 65_000),
    pageBytes: between(512, 65_000),
  }),
  features,
  stores: v.pipe(v.array(layer), v.minLength(1), v.maxLength(LAYERS.length)),
});
export type Welcome = v.InferOutput<typeof welcome>;

const hostMessages = {
  hello: v.object({ type: v.literal("hello"), hello }),
  request: v.object({ type: v.literal("request"), id: requestId, op: v.string(), params: map }),
  hostData: v.object({ type: v.literal("hostData"), ...data }),
  hostCredit: v.object({ type: v.literal("hostCredit"), ...credit }),
  hostResend: v.pipe(
    v.object({ type: v.literal("hostResend"), ...resend }),
    v.check((it) => it.from <= it.to, "to below from"),
  ),
  cancel: v.object({ type: v.literal("cancel"), id: requestId }),
} satisfies Record<Exclude<MessageType, keyof typeof dockMessages>, v.GenericSchema>; // each type in one of the two
/** What a host says. */
export type HostMessage = v.InferOutput<(typeof hostMessages)[keyof typeof hostMessages]>;

const dockMessages = {
  welcome: v.object({ type: v.literal("welcome"), welcome }),
  result: v.object({ type: v.literal("result"), id: requestId, value: map }),
  failure: v.pipe(
    v.object({ type: v.literal("failure"), id: uint32, failure }),
    v.check((it) => it.id !== 0 || isRefusal(it.failure), "the id 0"),
  ),
  head: v.object({ type: v.literal("head"), id: requestId, meta: map }),
  dockData: v.object({ type: v.literal("dockData"), ...data }),
  dockCredit: v.object({ type: v.literal("dockCredit"), ...credit }),
  dockResend: v.pipe(
    v.object({ type: v.literal("dockResend"), ...resend }),
    v.check((it) => it.from <= it.to, "to below from"),
  ),
  pending: v.object({ type: v.literal("pending"), id: requestId }),
  log: v.object({
    type: v.literal("log"),
    level: v.picklist(["debug", "info", "warning", "error"]),
    text: text(0, 1_024),
  }),
};
/** What a dock says. */
export type DockMessage = v.InferOutput<(typeof dockMessages)[keyof typeof dockMessages]>;

/** What became of a body. */
export type Parsed<M> =
  | { readonly kind: "message"; readonly message: M }
  /** It breaks SPEC §1.3 or §2. `request` is the id when it is a request whose id could be read (SPEC §1.4). */
  | { readonly kind: "malformed"; readonly why: string; readonly request?: number }
  /** A type that isn't in SPEC §2: from a newer version. */
  | { readonly kind: "unknown"; readonly code: number | bigint }
  /** A message of the other direction: the line echoes. */
  | { readonly kind: "echo"; readonly code: number | bigint };

/** Reads what a host said. */
export function parseHostMessage(body: Uint8Array): Parsed<HostMessage> {
  return parse<HostMessage>(body, hostMessages, (code) => code < FIRST_DOCK_CODE);
}

/** Reads what a dock said. */
export function parseDockMessage(body: Uint8Array): Parsed<DockMessage> {
  return parse<DockMessage>(body, dockMessages, (code) => code >= FIRST_DOCK_CODE);
}

/** The body of a message. */
export function encodeMessage(message: HostMessage | DockMessage): Uint8Array {
  const { code, items } = LAYOUT[message.type];
  const fields: Readonly<Record<string, Item>> = message;
  return encodeBody([code, ...items.map((item) => fields[item] ?? null)]);
}

/** A schema for each type of message that can come. */
type Schemas<M> = { readonly [type in MessageType]?: v.GenericSchema<unknown, M> };

function parse<M>(body: Uint8Array, schemas: Schemas<M>, mine: (code: number | bigint) => boolean): Parsed<M> {
  const decoded = decodeBody(body);
  if (decoded.kind === "malformed") return malformed(body, decoded.why);
  if (!isArray(decoded.item)) return malformed(body, "not an array");
  const [code, ...items] = decoded.item;
  if ((typeof code !== "number" && typeof code !== "bigint") || code < 0 || !Number.isInteger(Number(code))) {
    return malformed(body, "no message type");
  }
  const type = TYPE_OF_CODE.get(Number(code));
  if (!mine(code)) return { kind: "echo", code };
  const schema = type === undefined ? undefined : schemas[type];
  if (type === undefined || schema === undefined) return { kind: "unknown", code };
  const names = LAYOUT[type].items;
  if (names.length !== items.length) return malformed(body, `${items.length + 1} items in a ${type}`);
  const fields: Record<string, unknown> = { type };
  for (const [i, name] of names.entries()) fields[name] = items[i];
  const checked = v.safeParse(schema, fields);
  if (checked.success) return { kind: "message", message: checked.output };
  return malformed(body, `a ${type} whose ${v.getDotPath(checked.issues[0]) ?? "shape"} is wrong`);
}

function malformed(body: Uint8Array, why: string): Parsed<never> {
  const request = requestIdOf(body);
  return request === undefined ? { kind: "malformed", why } : { kind: "malformed", why, request };
}

/** The id of a body that begins as a request does, `[1, id,`, whatever follows (SPEC §1.4). */
function requestIdOf(body: Uint8Array): number | undefined {
  const [array = 0, type, head = 0, ...rest] = body.subarray(0, 7);
  if (array < 0x82 || array > 0x97 || type !== LAYOUT.request.code) return undefined;
  if (head < 24) return head || undefined;
  const length = { 24: 1, 25: 2, 26: 4 }[head];
  if (length === undefined || rest.length < length) return undefined;
  const id = rest.slice(0, length).reduce((sum, byte) => sum * 256 + byte, 0);
  const least = length === 1 ? 24 : 256 ** (length / 2);
  return id >= least ? id : undefined;
}

/** The refusal of a hello (SPEC §3.1), the only message that has no id. */
function isRefusal({ code, nonce, versions }: Failure): boolean {
  return code === "VERSION" && nonce !== undefined && versions !== undefined;
}

function isMap(item: unknown): boolean {
  return typeof item === "object" && item !== null && !Array.isArray(item) && !(item instanceof Uint8Array);
}

function isMessageType(type: string): type is MessageType {
  return Object.hasOwn(LAYOUT, type);
}
