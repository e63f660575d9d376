/** A line in memory: two streams, each of which gets what is written to the other. */
import { Duplex } from "node:stream";
import type { Transport } from "../transport/transport.js";
import type { Random } from "./random.js";

/** What a line does to the bytes that one end sends. It gives the pieces in which they arrive. */
export type Carry = (bytes: Buffer) => readonly Uint8Array[];

export interface PairOptions {
  /** For what the dock sends; whole unless told. */
  readonly toHost?: Carry;
  /** For what the host sends. */
  readonly toDock?: Carry;
  /** Whether the line holds the sender back (SPEC §5.3); it doesn't unless told. */
  readonly holdsBack?: Transport["holdsBack"];
  /** What is plugged in there; nobody knows unless told. */
  readonly device?: string;
}

export interface Pair {
  /** The host's end, to be given to a session. */
  readonly host: Transport;
  readonly dock: Duplex;
}

/** Bytes that one end can have written before the other has read them, as in a kernel's buffer. */
const BUFFER = 64 * 1024;

export function duplexPair({ toHost = whole, toDock = whole, holdsBack = false, ...known }: PairOptions = {}): Pair {
  const host = new End(toDock);
  const dock = new End(toHost);
  host.join(dock);
  dock.join(host);
  const close = async (): Promise<void> => {
    if (host.destroyed) return;
    await new Promise<void>((resolve) => {
      host.once("close", () => resolve());
      host.destroy();
    });
  };
  return { host: { kind: "serial", name: "a line in memory", ...known, stream: host, holdsBack, close }, dock };
}

/** Cuts bytes at random places: now and then into single bytes, mostly into longer pieces. */
export function chopping(random: Random): Carry {
  return (bytes) => {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = at + random.between(1, random.between(1, 4) === 1 ? 3 : 4_096);
      pieces.push(bytes.subarray(at, end));
      at = end;
    }
    return pieces;
  };
}

function whole(bytes: Buffer): readonly Uint8Array[] {
  return [bytes];
}

class End extends Duplex {
  readonly #carry: Carry;
  #other: End | undefined;
  #ended = false;
  #room: () => void = () => {};

  constructor(carry: Carry) {
    super({ readableHighWaterMark: BUFFER, writableHighWaterMark: BUFFER });
    this.#carry = carry;
  }

  join(other: End): void {
    this.#other = other;
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, written: () => void): void {
    process.nextTick(() => this.#other?.arrive(this.#carry(bytes), written));
  }

  override _read(): void {
    const room = this.#room;
    this.#room = () => {};
    room();
  }

  override _final(done: () => void): void {
    process.nextTick(() => this.#other?.hangUp());
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    process.nextTick(() => this.#other?.hangUp());
    this.#room();
    done(error);
  }

  /** Takes what the other end has written, and says when there is room for more. */
  arrive(pieces: readonly Uint8Array[], written: () => void): void {
    if (this.destroyed || this.#ended) return written();
    let room = true;
    for (const piece of pieces) if (piece.length > 0) room = this.push(piece);
    if (room) written();
    else this.#room = written;
  }

  hangUp(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (!this.destroyed) this.push(null);
  }
}
