/** Someone who reads an image, at once or piece by piece. */
import type { ImageStream } from "../image-store.js";
import { type Watched, watch } from "./watch.js";

/** Reads everything. */
export async function readAll(stream: ImageStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Takes a piece when the test says so. */
export class Reader {
  readonly #pieces: AsyncIterator<Uint8Array, void>;
  /** Bytes taken. */
  taken = 0;

  constructor(stream: ImageStream) {
    this.#pieces = stream[Symbol.asyncIterator]();
  }

  /** The next piece, or nothing at the end. */
  take(): Watched<Uint8Array | undefined> {
    return watch(this.#take());
  }

  /** Leaves the loop, as `break` does. */
  leave(): Watched<unknown> {
    return watch(Promise.resolve(this.#pieces.return?.()));
  }

  async #take(): Promise<Uint8Array | undefined> {
    const { value } = await this.#pieces.next();
    this.taken += value?.length ?? 0;
    return value ?? undefined;
  }
}
