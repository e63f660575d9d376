/** What changes a dock, in a layer by itself or in a transaction. */
import type { ImageType, KvValue, Layer, Limits, Params, Result } from "../protocol/index.js";
import { DockError, type Outcome, unwrap } from "./errors.js";
import { checkedType } from "./image-type.js";
import { encodedSize } from "./kv-value.js";
import { checkName } from "./layers.js";
import type { Call, CallOptions, Session } from "./session.js";
import { type ImageSource, type OpenSource, openSource, type SourceOptions } from "./source.js";
import { Upload, type UploadOptions } from "./upload.js";

/** Where to write: a layer, in a transaction or not. */
export interface Destination {
  readonly store: Layer;
  readonly txn?: number;
}

export interface PutOptions extends UploadOptions, SourceOptions {
  /** What it must be, or else it is refused. Unless told it is what the content says. */
  readonly type?: ImageType | undefined;
}

/** What was put on the dock. */
export interface PutImage {
  readonly type: ImageType;
  /** Bytes. */
  readonly size: number;
  readonly store: Layer;
  /** Hexadecimal. */
  readonly sha256: string;
}

export async function setKey(
  session: Session,
  to: Destination,
  key: string,
  value: KvValue,
  options: CallOptions,
): Promise<void> {
  checkName("key", key, session.welcome.limits);
  checkValueSize(value, session.welcome.limits);
  await session.request("kv.set", { key, value, ...to }, options);
}

/** Whether there was such a key. */
export async function deleteKey(session: Session, to: Destination, key: string, options: CallOptions): Promise<boolean> {
  checkName("key", key, session.welcome.limits);
  const { existed } = await session.request("kv.delete", { key, ...to }, options);
  return existed;
}

export async function putImage(
  session: Session,
  to: Destination,
  tag: string,
  source: ImageSource,
  options: PutOptions,
): Promise<PutImage> {
  checkName("tag", tag, session.welcome.limits);
  await using opened = await openFor(session, source, options);
  const { size, sha256, head } = opened;
  const type = checkedType(head, options.type);
  const params: Params<"image.put"> = { tag, type, size, sha256, ...to };
  const outcome = await new Promise<Outcome<Result<"image.put">>>((resolve) => {
    new Upload(session, params, opened, options, resolve).begin();
  });
  unwrap(outcome);
  return { type, size, store: to.store, sha256: Buffer.from(sha256).toString("hex") };
}

/** Opens a source, which can take as long as its caller wants, but not longer than the session. */
async function openFor(session: Session, source: ImageSource, { signal, maxBytes }: PutOptions): Promise<OpenSource> {
  if (session.over !== undefined) throw new DockError(session.over);
  const ended = new AbortController();
  const call: Call = { receive() {}, relinked() {}, fail: () => ended.abort() };
  session.begun(call);
  try {
    const signals = signal === undefined ? [ended.signal] : [signal, ended.signal];
    return await openSource(source, { maxBytes, signal: AbortSignal.any(signals) });
  } catch (error) {
    throw session.over === undefined ? error : new DockError(session.over);
  } finally {
    session.settled(call);
  }
}

/** Whether there was such an image. */
export async function deleteImage(session: Session, to: Destination, tag: string, options: CallOptions): Promise<boolean> {
  checkName("tag", tag, session.welcome.limits);
  const { existed } = await session.request("image.delete", { tag, ...to }, options);
  return existed;
}

/** Fails with `TOO_LARGE` when a value is longer than the dock takes. */
export function checkValueSize(value: KvValue, { valueBytes: limit }: Limits): void {
  const bytes = encodedSize(value);
  if (bytes <= limit) return;
  const message = `The value is ${bytes} bytes long, encoded; this dock takes ${limit}.`;
  throw new DockError({ code: "TOO_LARGE", message, details: { limit } });
}
