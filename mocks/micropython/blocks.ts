/** Memory outside of Python's heap, for the bytes of images. */

/** Of MicroPython's module, what allocates. */
interface Allocator {
  _malloc(bytes: number): number;
  _free(address: number): void;
}

/** Bytes that are kept of blocks that were released. */
const MOST_RELEASED = 64 * 1024 * 1024;

/**
 * Blocks in the memory that Python and this process share. Python knows a block by its address alone, so that somebody may still read one
 * that was released, as a stream does whose image is replaced: it stays as it is until 64 MiB more have been released.
 */
export class Blocks {
  readonly #allocator: Allocator;
  readonly #released: { readonly address: number; readonly size: number }[] = [];
  #releasedBytes = 0;

  constructor(allocator: Allocator) {
    this.#allocator = allocator;
  }

  allocate(size: number): number {
    return this.#allocator._malloc(size);
  }

  release(address: number, size: number): void {
    this.#released.push({ address, size });
    this.#releasedBytes += size;
    while (this.#releasedBytes > MOST_RELEASED) {
      const oldest = this.#released.shift();
      if (oldest === undefined) return;
      this.#releasedBytes -= oldest.size;
      this.#allocator._free(oldest.address);
    }
  }
}
