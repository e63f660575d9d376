/** Where the bytes of an upload come from: memory, a stream or a file, hashed before they are sent and read at any offset, since parts are sent again. */
import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { constants, type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";
import { setImmediate } from "node:timers/promises";
import { types } from "node:util";
import { HEAD_BYTES, UINT32_MAX } from "../protocol/index.js";
import { positive } from "./check.js";
import { DockError, type Problem } from "./errors.js";
import { quoted, visible } from "./visible.js";

/** The bytes of an image: in memory, as a stream (a `Readable`, a web `ReadableStream`, a generator …), or in a file. */
export type ImageSource = Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array> | { readonly file: string | URL };

export interface SourceOptions {
  /** Refuses longer streams with `TOO_LARGE`, in bytes, since they are taken into memory; 256 MiB unless told. */
  readonly maxBytes?: number | undefined;
  /** Ends the opening with `ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

/** Bytes whose number and hash are known. */
export interface OpenSource extends AsyncDisposable {
  /** Bytes. */
  readonly size: number;
  readonly sha256: Uint8Array;
  /** The first bytes, which tell the type. */
  readonly head: Uint8Array;
  /**
   * Bytes from `offset`, at most `length`, at least one unless at the end: at once when they are at hand, else a promise.
   * Never throws; the promise fails with `CHANGED` or `SOURCE`.
   */
  read(offset: number, length: number): Uint8Array | Promise<Uint8Array>;
  /** Why it isn't what was hashed any more, if so. To be asked when the dock says that the SHA-256 doesn't match, and before the end is believed. */
  changed(): Promise<Problem | undefined>;
}

const USUAL_MAX_BYTES = 256 * 1024 * 1024;
/** Bytes of a file that are read at once. */
const BLOCK = 256 * 1024;
/** Bytes in memory that are hashed at once: about a millisecond, after which others have their turn. */
const HASH_STEP = 1024 * 1024;

/**
 * Learns the size and the SHA-256 of what is to be sent. Bytes aren't copied, and aren't to be changed until they are sent; a
 * stream is taken into memory, and left when it is too long; a file is read twice, now and while it is sent.
 * Fails with `USAGE`, `SOURCE` when it can't be read, `TOO_LARGE`, `ABORTED`, and `CHANGED` when a file changes meanwhile.
 */
export async function openSource(source: ImageSource, options: SourceOptions = {}): Promise<OpenSource> {
  const limit = positive("maxBytes", options.maxBytes ?? USUAL_MAX_BYTES);
  const { signal } = options;
  if (types.isUint8Array(source)) return openBytes(source, signal);
  if (typeof source !== "object" || source === null) throw noSource(source);
  if (Symbol.asyncIterator in source || Symbol.iterator in source)
    return openBytes(await takenIn(source, limit, signal), signal);
  const file: unknown = source.file;
  if (typeof file !== "string" && !(file instanceof URL)) throw noSource(source);
  return openFile(file, signal);
}

function noSource(source: unknown): DockError {
  const message =
    typeof source === "string"
      ? "Text isn't an image. If it is the path of a file, give it as { file: path }."
      : "An image is given as a Uint8Array, as an iterable of them such as a stream, or as { file: path }.";
  return new DockError({ code: "USAGE", message });
}

async function openBytes(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<OpenSource> {
  const size = bytes.length;
  checkSize(size);
  const sha256 = await sha256Of(bytes, signal);
  const changed: Problem = { code: "CHANGED", message: "The bytes of the image were changed while they were sent." };
  return {
    size,
    sha256,
    head: Uint8Array.from(bytes.subarray(0, HEAD_BYTES)),
    // Their number changes when their buffer is given away, or is a resizable one.
    read: (offset, length) =>
      bytes.length === size ? bytes.subarray(offset, offset + length) : Promise.reject(new DockError(changed)),
    async changed() {
      const isSame = bytes.length === size && Buffer.compare(await sha256Of(bytes, undefined), sha256) === 0;
      return isSame ? undefined : changed;
    },
    async [Symbol.asyncDispose]() {},
  };
}

async function sha256Of(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const hash = createHash("sha256");
  for (let at = 0; at === 0 || at < bytes.length; at += HASH_STEP) {
    if (at > 0) await setImmediate();
    if (signal?.aborted) throw abortError(signal);
    hash.update(bytes.subarray(at, at + HASH_STEP));
  }
  return new Uint8Array(hash.digest());
}

function checkSize(size: number): void {
  if (size <= UINT32_MAX) return;
  const message = `The image has ${size} bytes, and the protocol allows ${UINT32_MAX}.`;
  throw new DockError({ code: "TOO_LARGE", message, details: { limit: UINT32_MAX } });
}

function abortError(signal: AbortSignal | undefined): DockError {
  return new DockError({ code: "ABORTED", message: "Reading the image was aborted.", cause: signal?.reason });
}

function unreadable(name: string, cause: unknown): DockError {
  const reason = visible(cause instanceof Error ? cause.message : String(cause));
  return new DockError({ code: "SOURCE", message: `${name} can't be read: ${reason}`, cause });
}

const STREAM = "The stream of the image";
type Stream = AsyncIterable<unknown> | Iterable<unknown>;

/** What a stream gives, with a way to leave it while a piece is awaited: a generator's own `return` waits for that piece. */
interface Pieces {
  next(): Promise<IteratorResult<unknown, unknown>>;
  leave(): Promise<unknown>;
}

function piecesOf(stream: Stream): Pieces {
  try {
    if (stream instanceof ReadableStream) {
      const reader = stream.getReader();
      return { next: () => reader.read(), leave: () => reader.cancel() };
    }
    const pieces = Symbol.asyncIterator in stream ? stream[Symbol.asyncIterator]() : stream[Symbol.iterator]();
    return {
      next: async () => pieces.next(),
      leave: async () => (stream instanceof Readable ? stream.destroy() : pieces.return?.()),
    };
  } catch (error) {
    throw unreadable(STREAM, error);
  }
}

/** All that a stream gives. One that isn't wanted any more is left, and not waited for. */
async function takenIn(stream: Stream, limit: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const pieces = piecesOf(stream);
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(abortError(signal));
  });
  signal?.addEventListener("abort", abort);
  try {
    return await Promise.race([joined(pieces, limit, signal), aborted]);
  } catch (error) {
    pieces.leave().catch(() => {}); // why it was left is what matters
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** The pieces in one, copied as they come: who gives them may use their memory again. */
async function joined(pieces: Pieces, limit: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  let bytes = new Uint8Array(0);
  let length = 0;
  for (;;) {
    if (signal?.aborted) throw abortError(signal);
    const { done, value } = await pieces.next().catch((error: unknown) => {
      throw unreadable(STREAM, error);
    });
    if (done) return bytes.subarray(0, length);
    if (!types.isUint8Array(value)) throw new DockError({ code: "USAGE", message: `${STREAM} gives what isn't Uint8Arrays.` });
    const end = length + value.length;
    if (end > limit) {
      const message = `${STREAM} has more than ${limit} bytes (maxBytes). Give a file instead, which needn't fit into memory.`;
      throw new DockError({ code: "TOO_LARGE", message, details: { limit } });
    }
    if (end > bytes.length) {
      const before = bytes;
      bytes = new Uint8Array(Math.min(limit, Math.max(end, 2 * before.length)));
      bytes.set(before);
    }
    bytes.set(value, length);
    length = end;
  }
}

async function openFile(path: string | URL, signal: AbortSignal | undefined): Promise<OpenSource> {
  const name = quoted(String(path));
  // Without O_NONBLOCK a FIFO would be waited for, where no signal could end the wait.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw unreadable(name, error);
  });
  try {
    const file = new OpenFile(handle, name, await handle.stat({ bigint: true }));
    await file.hash(signal);
    return file;
  } catch (error) {
    await handle.close().catch(() => {}); // what went wrong before is what matters
    throw error instanceof DockError ? error : unreadable(name, error);
  }
}

/** A part of a file. */
interface Block {
  readonly index: number;
  /** At hand, or on their way. */
  bytes: Uint8Array | Promise<Uint8Array>;
}

class OpenFile implements OpenSource {
  readonly #handle: FileHandle;
  readonly #name: string;
  readonly #stats: BigIntStats;
  /** The block that was read from last, and the one after it. */
  #blocks: readonly Block[] = [];
  readonly size: number;
  sha256 = new Uint8Array(0);
  head = new Uint8Array(0);

  constructor(handle: FileHandle, name: string, stats: BigIntStats) {
    if (!stats.isFile()) {
      const message = `${name} isn't a regular file. What comes out of a pipe or a device can be given as a stream (on the command line as -).`;
      throw new DockError({ code: "USAGE", message });
    }
    this.#handle = handle;
    this.#name = name;
    this.#stats = stats;
    this.size = Number(stats.size);
    checkSize(this.size);
  }

  /** The first pass. To be called once, before anything else. */
  async hash(signal: AbortSignal | undefined): Promise<void> {
    const hash = createHash("sha256");
    const buffer = new Uint8Array(Math.min(BLOCK, this.size));
    for (let at = 0; at === 0 || at < this.size; at += BLOCK) {
      if (signal?.aborted) throw abortError(signal);
      const bytes = await this.#fill(buffer.subarray(0, this.size - at), at);
      if (at === 0) this.head = bytes.slice(0, HEAD_BYTES);
      hash.update(bytes);
    }
    this.sha256 = new Uint8Array(hash.digest());
    const problem = await this.changed();
    if (problem !== undefined) throw new DockError(problem);
  }

  read(offset: number, length: number): Uint8Array | Promise<Uint8Array> {
    if (offset >= this.size) return new Uint8Array(0);
    const index = Math.floor(offset / BLOCK);
    const block = this.#block(index);
    this.#blocks = (index + 1) * BLOCK < this.size ? [block, this.#block(index + 1)] : [block];
    const from = offset - index * BLOCK;
    const part = (bytes: Uint8Array): Uint8Array => bytes.subarray(from, from + length);
    return block.bytes instanceof Promise ? block.bytes.then(part) : part(block.bytes);
  }

  async changed(): Promise<Problem | undefined> {
    try {
      const { size, mtimeNs } = await this.#handle.stat({ bigint: true });
      return size === this.#stats.size && mtimeNs === this.#stats.mtimeNs ? undefined : this.#changedProblem();
    } catch (error) {
      return unreadable(this.#name, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close(); // which may be called again
  }

  #block(index: number): Block {
    const there = this.#blocks.find((block) => block.index === index);
    if (there !== undefined) return there;
    // Memory of its own, not used again: what was given out of another block may still wait to be sent.
    const memory = new Uint8Array(Math.min(BLOCK, this.size - index * BLOCK));
    const coming = this.#fill(memory, index * BLOCK);
    const block: Block = { index, bytes: coming };
    const arrived = (bytes: Uint8Array): Block => Object.assign(block, { bytes });
    coming.then(arrived, () => {}); // who reads from it is told of a failure
    return block;
  }

  /** Fills `memory` with what is in the file from `offset` on, and returns it. */
  async #fill(memory: Uint8Array, offset: number): Promise<Uint8Array> {
    for (let filled = 0; filled < memory.length; ) {
      const reading = this.#handle.read(memory, filled, memory.length - filled, offset + filled);
      const { bytesRead } = await reading.catch((error: unknown) => {
        throw unreadable(this.#name, error);
      });
      if (bytesRead === 0) throw new DockError(this.#changedProblem());
      filled += bytesRead;
    }
    return memory;
  }

  #changedProblem(): Problem {
    return { code: "CHANGED", message: `The file ${this.#name} changed while it was sent.` };
  }
}
