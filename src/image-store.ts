/** Images on the dock: the SDK's `ImageStore`, from the other end of a cable. */
import type { ImageHead, ImageType, Layer } from "../protocol/index.js";
import { positive } from "./check.js";
import { Download, type DownloadParams } from "./download.js";
import { DockError } from "./errors.js";
import { checkName, type LayerOption, layerToWrite, type Place, placesOf, type WriteOptions } from "./layers.js";
import { listAll } from "./listing.js";
import type { CallOptions, Session } from "./session.js";
import type { ImageSource } from "./source.js";
import { deleteImage, type PutImage, type PutOptions, putImage } from "./writing.js";

/** An image in a list. */
export interface ImageEntry {
  readonly tag: string;
  readonly type: ImageType;
  /** Bytes. */
  readonly size: number;
  /** The layer that it is in. */
  readonly store: Layer;
  /** Hexadecimal; absent where the dock doesn't know it. */
  readonly sha256?: string;
}

/** What an image is, without its bytes. */
export interface ImageInfo {
  readonly type: ImageType;
  /** Bytes. */
  readonly size: number;
  /** The layer that answered. */
  readonly store: Layer;
  /** Hexadecimal; absent where the dock doesn't know it before it has sent everything. */
  readonly sha256?: string;
}

/** An image with its bytes, whose SHA-256 was checked. */
export interface Image extends ImageInfo {
  readonly data: Uint8Array;
}

/** How far a read has come, in bytes of the image. */
export interface Progress {
  readonly received: number;
  readonly size: number;
}

export interface ImageReadOptions extends CallOptions, LayerOption {
  /** Called with each piece that is handed out. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface ImageStreamOptions extends ImageReadOptions {
  /** Begins at this byte, for a read that goes on where another ended. */
  readonly from?: number | undefined;
  /** Fails with `CHANGED` unless the whole image has this SHA-256 (hexadecimal). */
  readonly ifSha256?: string | undefined;
}

export interface ImageGetOptions extends ImageReadOptions {
  /** Refuses larger images with `TOO_LARGE`, in bytes; 256 MiB unless told. */
  readonly maxBytes?: number | undefined;
}

const USUAL_MAX_BYTES = 256 * 1024 * 1024;

/** Stands for an image as it is, until the dock restarts, without moving it: the SDK's `ImageToken` (SPEC §6). */
export class ImageToken {
  readonly bytes: Uint8Array;

  /** @param bytes what the dock gave, 1 to 64 bytes */
  constructor(bytes: Uint8Array) {
    if (bytes.length < 1 || bytes.length > 64) throw new DockError({ code: "USAGE", message: "A token is 1 to 64 bytes." });
    this.bytes = Uint8Array.from(bytes);
  }

  /** Reads what `toString` gave. Fails with `USAGE`. */
  static parse(text: string): ImageToken {
    if (!/^([0-9a-f]{2}){1,64}$/i.test(text))
      throw new DockError({ code: "USAGE", message: "A token is 2 to 128 hexadecimal digits." });
    return new ImageToken(Buffer.from(text, "hex"));
  }

  /** Hexadecimal. */
  toString(): string {
    return Buffer.from(this.bytes).toString("hex");
  }
}

/** An image on its way: iterate over it for its bytes, once. */
export class ImageStream implements AsyncIterable<Uint8Array> {
  readonly #begin: (cancelled: AbortSignal) => Promise<Download>;
  readonly #cancelled = new AbortController();
  readonly #onProgress: ((progress: Progress) => void) | undefined;
  #download: Promise<Download> | undefined;
  #iterated = false;

  /** Made by `ImageStore.stream`. */
  constructor(begin: (cancelled: AbortSignal) => Promise<Download>, onProgress: ((progress: Progress) => void) | undefined) {
    this.#begin = begin;
    this.#onProgress = onProgress;
  }

  /** What the image is; comes before its bytes, which are then to be read, or to be given up by `cancel`. Fails with `NOT_FOUND` and what else a call can fail with. */
  async info(): Promise<ImageInfo> {
    const download = await this.#started();
    return infoOf(await download.head());
  }

  /** The bytes, in pieces as they came. The iteration fails when the SHA-256 doesn't match: only its end makes them good. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#iterated) throw new DockError({ code: "USAGE", message: "An image stream can be read once; ask for another." });
    this.#iterated = true;
    const download = await this.#started();
    try {
      const { size } = await download.head();
      for (;;) {
        const chunk = await download.next();
        if (chunk === undefined) return;
        this.#onProgress?.({ received: download.consumed, size });
        yield chunk;
      }
    } finally {
      download.stop();
    }
  }

  /** Leaves it before its end: for who has asked for `info` and doesn't want the bytes. Never fails. */
  async cancel(): Promise<void> {
    this.#iterated = true;
    this.#cancelled.abort();
  }

  #started(): Promise<Download> {
    this.#download ??= this.#begin(this.#cancelled.signal);
    return this.#download;
  }
}

export class ImageStore {
  readonly #session: Session;

  /** Made by `Dock.open`. */
  constructor(session: Session) {
    this.#session = session;
  }

  /** The images, each tag once, ordered by tag: from the layer that answers, or from the one that `store` names. */
  async list(options: CallOptions & LayerOption = {}): Promise<ImageEntry[]> {
    const places = placesOf(this.#session, options.store);
    const entries = await listAll(this.#session, "image.list", places, options);
    return entries.map(([tag, type, size, store, sha256]) => ({ tag, type, size, store, ...hexSha256(sha256) }));
  }

  /**
   * An image with all its bytes, checked by SHA-256.
   * Fails with `NOT_FOUND` when there is none, `STALE` for a token of before a restart, `TOO_LARGE`, `CHANGED`, `INTEGRITY`.
   */
  async get(image: string | ImageToken, options: ImageGetOptions = {}): Promise<Image> {
    const limit = positive("maxBytes", options.maxBytes ?? USUAL_MAX_BYTES);
    const { store, signal, timeout, onProgress } = options;
    const stream = this.stream(image, { store, signal, timeout, onProgress });
    const info = await stream.info();
    if (info.size > limit) {
      await stream.cancel();
      const message = `The image has ${info.size} bytes, and ${limit} were allowed (maxBytes). Stream it instead.`;
      throw new DockError({ code: "TOO_LARGE", message, details: { limit } });
    }
    const data = new Uint8Array(info.size);
    let at = 0;
    for await (const chunk of stream) {
      data.set(chunk, at);
      at += chunk.length;
    }
    return { data, ...info };
  }

  /**
   * An image in pieces, for those that are too large to hold: costs a window of memory, whatever its size. Begins when it is
   * iterated over or its `info` is asked for; leaving the loop cancels it. Fails as `get` does.
   */
  stream(image: string | ImageToken, options: ImageStreamOptions = {}): ImageStream {
    const { signal } = options;
    const begin = (cancelled: AbortSignal): Promise<Download> =>
      this.#download(image, { ...options, signal: signal === undefined ? cancelled : AbortSignal.any([signal, cancelled]) });
    return new ImageStream(begin, options.onProgress);
  }

  /** A token for an image, which can be given to `get` in its place until the dock restarts. Fails with `NOT_FOUND`. */
  async getToken(tag: string, options: CallOptions & LayerOption = {}): Promise<ImageToken> {
    checkName("tag", tag, this.#session.welcome.limits);
    const places = placesOf(this.#session, options.store);
    const { token } = await firstFound(places, (place) => this.#session.request("image.token", { tag, ...place }, options));
    return new ImageToken(token);
  }

  /**
   * Puts an image into a layer, in place of one that has the tag: bytes, a stream of them, or `{ file: path }`. It becomes visible
   * whole, once the dock has checked its SHA-256, or not at all. What the dock has already isn't sent again. `timeout` counts from when
   * the source has been read: a stream may take its time.
   * Fails with `USAGE`, `UNSUPPORTED`, `INVALID` when it isn't of the type, `TOO_LARGE`, `NO_SPACE` (with `details.free`), `READ_ONLY`,
   * `BUSY`, `SOURCE` when it can't be read, `CHANGED` when it changed while it was sent, `INTEGRITY`; then, and after `TIMEOUT` and
   * `ABORTED`, the dock is as before. After `OUTCOME_UNKNOWN` the image may be there.
   */
  async put(tag: string, source: ImageSource, options: WriteOptions & PutOptions): Promise<PutImage> {
    return await putImage(this.#session, { store: layerToWrite(this.#session, options) }, tag, source, options);
  }

  /** Deletes an image from a layer, and says whether there was one. Fails with `UNSUPPORTED`, `READ_ONLY`, `BUSY`, `OUTCOME_UNKNOWN`. */
  async delete(tag: string, options: WriteOptions): Promise<boolean> {
    return await deleteImage(this.#session, { store: layerToWrite(this.#session, options) }, tag, options);
  }

  async #download(image: string | ImageToken, options: ImageStreamOptions): Promise<Download> {
    const { from, ifSha256 } = options;
    if (from !== undefined && !(Number.isSafeInteger(from) && from >= 0 && from < 2 ** 32)) {
      throw new DockError({ code: "USAGE", message: "`from` is a whole number of bytes, from 0 on." });
    }
    if (ifSha256 !== undefined && !/^[0-9a-f]{64}$/i.test(ifSha256)) {
      throw new DockError({ code: "USAGE", message: "`ifSha256` is 64 hexadecimal digits." });
    }
    const rest = {
      ...(from === undefined ? {} : { from }),
      ...(ifSha256 === undefined ? {} : { ifSha256: Uint8Array.from(Buffer.from(ifSha256, "hex")) }),
    };
    if (image instanceof ImageToken) {
      if (options.store !== undefined)
        throw new DockError({ code: "USAGE", message: "A token stands for an image in its layer: leave `store` out." });
      return this.#opened({ token: image.bytes, ...rest }, options);
    }
    checkName("tag", image, this.#session.welcome.limits);
    const places = placesOf(this.#session, options.store);
    return firstFound(places, (place) => this.#opened({ tag: image, ...place, ...rest }, options));
  }

  async #opened(params: DownloadParams, options: CallOptions): Promise<Download> {
    const download = new Download(this.#session, params, options);
    download.begin();
    await download.head();
    return download;
  }
}

/** What the first place that has it gives; `NOT_FOUND` only when none has. */
async function firstFound<T>(places: readonly Place[], look: (place: Place) => Promise<T>): Promise<T> {
  for (const [i, place] of places.entries()) {
    try {
      return await look(place);
    } catch (error) {
      if (!(error instanceof DockError) || error.code !== "NOT_FOUND" || i === places.length - 1) throw error;
    }
  }
  throw new Error("there is always a place to look");
}

function infoOf({ type, size, store, sha256 }: ImageHead): ImageInfo {
  return { type, size, store, ...hexSha256(sha256) };
}

function hexSha256(sha256: Uint8Array | undefined): { sha256?: string } {
  return sha256 === undefined ? {} : { sha256: Buffer.from(sha256).toString("hex") };
}
