/** The receiver of a stream: puts its bytes in order, and knows which are missing (SPEC §5.4). */

/** Bytes from `from` up to, and without, `to`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** What became of the bytes of one data message. */
export type Taken =
  /** They were next, and others that had come early may follow: to be handed on, in this order. */
  | { readonly kind: "next"; readonly pieces: readonly Uint8Array[]; readonly fresh: number }
  /** They came before others that are missing. Those in `gap` are to be asked for, now. */
  | { readonly kind: "early"; readonly gap: Range | undefined; readonly fresh: number }
  /** They had come before. */
  | { readonly kind: "duplicate" }
  /** There are too many pieces that came early: crumbs, which cost memory that their bytes don't show. */
  | { readonly kind: "crumbs" };

/** Pieces that are kept while something before them is missing. A window of full ones is far less. */
const MOST_EARLY = 2_048;
/** Ranges that are asked for again at once. */
const MOST_GAPS = 16;

interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export class Assembly {
  #expected: number;
  /** Pieces that came early, by offset, without overlaps. */
  readonly #early: Piece[] = [];

  /** @param from the offset of the first byte to come */
  constructor(from: number) {
    this.#expected = from;
  }

  /** The offset of the first byte that hasn't come. */
  get expected(): number {
    return this.#expected;
  }

  /** The offset after the last byte that has come. */
  get highest(): number {
    const last = this.#early.at(-1);
    return last === undefined ? this.#expected : endOf(last);
  }

  /** Whether bytes are missing before others that have come. */
  get isBroken(): boolean {
    return this.#early.length > 0;
  }

  /** What is missing before the last byte that has come, the lowest first; not more ranges than are asked for at once. */
  gaps(): Range[] {
    const gaps: Range[] = [];
    let end = this.#expected;
    for (const piece of this.#early) {
      if (piece.offset > end) gaps.push({ from: end, to: piece.offset });
      if (gaps.length === MOST_GAPS) break;
      end = endOf(piece);
    }
    return gaps;
  }

  /** Takes the bytes of a data message. It keeps them when they come early: they mustn't change. */
  take(offset: number, bytes: Uint8Array): Taken {
    if (offset < this.#expected) return { kind: "duplicate" };
    if (offset > this.#expected) return this.#keep(offset, bytes);
    return this.#handOn(bytes);
  }

  #handOn(bytes: Uint8Array): Taken {
    const pieces = [bytes];
    const before = this.#expected;
    let end = before + bytes.length;
    let kept = 0;
    let used = 0;
    for (const piece of this.#early) {
      if (piece.offset > end) break;
      used++;
      const rest = piece.bytes.subarray(end - piece.offset);
      // What overlaps had come already, so it isn't fresh; most often nothing does.
      kept += piece.bytes.length;
      if (rest.length === 0) continue;
      pieces.push(rest);
      end += rest.length;
    }
    this.#early.splice(0, used);
    this.#expected = end;
    return { kind: "next", pieces, fresh: end - before - kept };
  }

  #keep(offset: number, bytes: Uint8Array): Taken {
    const after = this.#early.findLastIndex((piece) => piece.offset <= offset);
    const before = this.#early[after];
    const from = before === undefined ? this.#expected : endOf(before);
    if (offset < from) return { kind: "duplicate" };
    if (this.#early.length === MOST_EARLY) return { kind: "crumbs" };
    const next = this.#early[after + 1];
    const fits = next === undefined ? bytes : bytes.subarray(0, next.offset - offset);
    this.#early.splice(after + 1, 0, { offset, bytes: fits });
    return { kind: "early", gap: offset > from ? { from, to: offset } : undefined, fresh: fits.length };
  }
}

function endOf(piece: Piece): number {
  return piece.offset + piece.bytes.length;
}
