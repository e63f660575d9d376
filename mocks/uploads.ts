/** What uploads hold on a dock before and after they are images: the room they need, and what came of those that broke off. */
import type { Layer } from "../protocol/index.js";

/** Room that uploads under way have been promised. */
export class Reservations {
  readonly #held = new Set<{ readonly store: Layer; readonly bytes: number }>();

  /** Bytes that are promised in a layer. */
  in(store: Layer): number {
    return [...this.#held].reduce((sum, it) => sum + (it.store === store ? it.bytes : 0), 0);
  }

  /** Promises room, until the function that comes back is called. */
  hold(store: Layer, bytes: number): () => void {
    const reservation = { store, bytes };
    this.#held.add(reservation);
    return () => {
      this.#held.delete(reservation);
    };
  }

  clear(): void {
    this.#held.clear();
  }
}

/** Contents that are kept for resuming, and the bytes that they take together. */
const MOST_PARTS = 4;
const MOST_BYTES = 32_000_000;

/** The beginnings of contents whose upload broke off (SPEC §5.2), the newest as far as there is room. */
export class PartialUploads {
  /** The oldest first. */
  readonly #parts = new Map<string, Uint8Array>();

  /** Keeps the first bytes of a content of `size` bytes in all. */
  keep(sha256: Uint8Array, size: number, bytes: Uint8Array): void {
    const content = nameOf(sha256, size);
    if (bytes.length <= (this.#parts.get(content)?.length ?? 0)) return;
    this.#parts.delete(content);
    this.#parts.set(content, new Uint8Array(bytes)); // a copy: the upload's memory has room for all of it
    for (const oldest of this.#parts.keys()) {
      if (this.#parts.size <= MOST_PARTS && this.#bytes() <= MOST_BYTES) return;
      this.#parts.delete(oldest);
    }
  }

  /** Hands out what there is of a content, and keeps it no longer. */
  take(sha256: Uint8Array, size: number): Uint8Array | undefined {
    const content = nameOf(sha256, size);
    const bytes = this.#parts.get(content);
    this.#parts.delete(content);
    return bytes;
  }

  clear(): void {
    this.#parts.clear();
  }

  #bytes(): number {
    return [...this.#parts.values()].reduce((sum, { length }) => sum + length, 0);
  }
}

function nameOf(sha256: Uint8Array, size: number): string {
  return `${Buffer.from(sha256).toString("hex")} ${size}`;
}
