/** Whatever a line does to the pieces of an image, what is put together is the image, and what is missing is known. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Assembly, type Range, type Taken } from "./assembly.js";

/** Ranges that are named at once. */
const MOST_GAPS = 16;
/** Pieces that are kept while something before them is missing. */
const MOST_EARLY = 2_048;

/** Bytes that look like none of their parts, up to 65,536 of them. */
function picture(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => ((i + 1) * 40_503) >>> 8);
}

/** Who receives an image, and looks after every message whether the assembly tells the truth about it. */
class Receiver {
  readonly assembly: Assembly;
  readonly #image: Uint8Array;
  readonly #from: number;
  readonly #out: Uint8Array[] = [];
  /** Which bytes the assembly has taken. */
  readonly #has: boolean[];
  fresh = 0;

  constructor(image: Uint8Array, from: number) {
    this.#image = image;
    this.#from = from;
    this.assembly = new Assembly(from);
    this.#has = Array.from(image, () => false);
  }

  /** What was handed on, as one. */
  get bytes(): Uint8Array {
    return Uint8Array.from(this.#out.flatMap((piece) => [...piece]));
  }

  take({ from, to }: Range): Taken {
    const before = this.assembly.expected;
    const taken = this.assembly.take(from, this.#image.subarray(from, to));
    if (taken.kind === "next") {
      this.#out.push(...taken.pieces);
      expect(taken.pieces.every((piece) => piece.length > 0)).toBe(true);
      const length = taken.pieces.reduce((sum, piece) => sum + piece.length, 0);
      expect(this.assembly.expected).toBe(before + length);
      expect(taken.fresh).toBe(this.#mark(before, before + length));
    } else expect(this.assembly.expected).toBe(before);
    if (taken.kind === "early") expect(taken.fresh).toBe(this.#mark(from, from + taken.fresh));
    this.fresh += "fresh" in taken ? taken.fresh : 0;
    this.#check();
    return taken;
  }

  /** Takes note of bytes, and gives how many of them are new. */
  #mark(from: number, to: number): number {
    const isNew = this.#has.slice(from, to).filter((has) => !has).length;
    this.#has.fill(true, from, to);
    return isNew;
  }

  #check(): void {
    const { expected, highest, isBroken } = this.assembly;
    const missing: Range[] = [];
    for (let at = this.#from; at < highest; at++) {
      if (this.#has[at]) continue;
      if (missing.at(-1)?.to === at) missing.splice(-1, 1, { from: missing.at(-1)?.from ?? at, to: at + 1 });
      else missing.push({ from: at, to: at + 1 });
    }
    expect(this.assembly.gaps()).toEqual(missing.slice(0, MOST_GAPS));
    expect(highest).toBe(Math.max(this.#from, this.#has.lastIndexOf(true) + 1));
    expect(expected).toBe(missing[0]?.from ?? highest);
    expect(isBroken).toBe(missing.length > 0);
  }
}

/** An image cut at some places, of which the bytes before the first are had already, and pieces of it in some order. */
const cutOnce = fc
  .record({
    size: fc.integer({ min: 1, max: 300 }),
    cuts: fc.array(fc.nat(300), { maxLength: 40 }),
    order: fc.array(fc.nat(), { maxLength: 80 }),
  })
  .map(({ size, cuts, order }) => {
    const edges = [...new Set([...cuts.map((cut) => cut % size), size])].sort((a, b) => a - b);
    const pieces = edges.slice(1).map((to, i) => ({ from: edges[i] ?? 0, to }));
    return { size, from: edges[0] ?? 0, pieces, order: order.map((which) => which % Math.max(pieces.length, 1)) };
  });

/** Messages of an image that was cut otherwise each time, so that they overlap as they like. */
const cutAnew = fc
  .record({
    size: fc.integer({ min: 1, max: 300 }),
    from: fc.nat(300),
    messages: fc.array(fc.record({ at: fc.nat(300), length: fc.integer({ min: 1, max: 60 }) }), { maxLength: 60 }),
  })
  .map(({ size, from, messages }) => {
    const ranges = messages.map(({ at, length }) => ({ from: at % size, to: Math.min((at % size) + length, size) }));
    return { size, from: Math.min(from, size), messages: ranges };
  });

describe("an image whose pieces come in any order, some never and some twice", () => {
  test("of each piece that came nothing is wanted again", () => {
    fc.assert(
      fc.property(cutOnce, ({ size, from, pieces, order }) => {
        const receiver = new Receiver(picture(size), from);
        const came = new Set<number>();
        for (const which of order) {
          const piece = pieces[which];
          if (piece === undefined) continue;
          const taken = receiver.take(piece);
          expect(taken.kind === "duplicate").toBe(came.has(which));
          came.add(which);
        }
        const had = [...came].reduce((sum, which) => sum + (pieces[which]?.to ?? 0) - (pieces[which]?.from ?? 0), 0);
        expect(receiver.fresh).toBe(had);
      }),
      { numRuns: 500 },
    );
  });

  test("is whole when what is named as missing has come, however it was cut, and each byte was new once", () => {
    fc.assert(
      fc.property(cutAnew, ({ size, from, messages }) => {
        const image = picture(size);
        const receiver = new Receiver(image, from);
        for (const message of messages) receiver.take(message);
        const { assembly } = receiver;
        for (let gaps = assembly.gaps(); gaps.length > 0; gaps = assembly.gaps()) for (const gap of gaps) receiver.take(gap);
        if (assembly.highest < size) receiver.take({ from: assembly.highest, to: size });
        expect(receiver.bytes).toEqual(image.subarray(from));
        expect(receiver.fresh).toBe(size - from);
      }),
      { numRuns: 500 },
    );
  });
});

describe("bytes that come early", () => {
  test("show at once what is missing before them, and only what others that came early haven't shown", () => {
    const receiver = new Receiver(picture(100), 0);
    expect(receiver.take({ from: 30, to: 40 })).toMatchObject({ kind: "early", gap: { from: 0, to: 30 }, fresh: 10 });
    expect(receiver.take({ from: 40, to: 50 })).toMatchObject({ kind: "early", gap: undefined, fresh: 10 });
    expect(receiver.take({ from: 60, to: 70 })).toMatchObject({ kind: "early", gap: { from: 50, to: 60 }, fresh: 10 });
    expect(receiver.assembly.gaps()).toEqual([
      { from: 0, to: 30 },
      { from: 50, to: 60 },
    ]);
  });

  test("of a gap that is sent again show what of it was lost again", () => {
    const receiver = new Receiver(picture(100), 0);
    receiver.take({ from: 40, to: 50 });
    expect(receiver.take({ from: 10, to: 20 })).toMatchObject({ kind: "early", gap: { from: 0, to: 10 } });
    expect(receiver.take({ from: 20, to: 40 })).toMatchObject({ kind: "early", gap: undefined });
    expect(receiver.take({ from: 0, to: 10 })).toMatchObject({ kind: "next", fresh: 10 });
    expect(receiver.assembly.expected).toBe(50);
  });

  test("are handed on in order, as they came, once what was missing is there", () => {
    const receiver = new Receiver(picture(100), 0);
    receiver.take({ from: 20, to: 30 });
    receiver.take({ from: 10, to: 20 });
    receiver.take({ from: 50, to: 60 });
    const taken = receiver.take({ from: 0, to: 10 });
    expect(taken.kind === "next" && taken.pieces.map((piece) => piece.length)).toEqual([10, 10, 10]);
    expect(receiver.bytes).toEqual(picture(30));
    expect(receiver.assembly.gaps()).toEqual([{ from: 30, to: 50 }]);
  });

  test("are kept once, however often they come", () => {
    const receiver = new Receiver(picture(100), 0);
    receiver.take({ from: 20, to: 30 });
    for (const again of [20, 25, 29]) expect(receiver.take({ from: again, to: 40 }).kind).toBe("duplicate");
    expect(receiver.fresh).toBe(10);
  });

  test("are cut where others begin that came before them", () => {
    const receiver = new Receiver(picture(100), 0);
    receiver.take({ from: 20, to: 30 });
    expect(receiver.take({ from: 10, to: 40 })).toMatchObject({ kind: "early", fresh: 10 });
    expect(receiver.assembly.highest).toBe(30);
  });
});

describe("what is missing", () => {
  test("is named from the beginning, not more than 16 ranges at once", () => {
    const receiver = new Receiver(picture(100), 0);
    for (let at = 1; at < 100; at += 2) receiver.take({ from: at, to: at + 1 });
    expect(receiver.assembly.gaps()).toEqual(Array.from({ length: 16 }, (_, i) => ({ from: 2 * i, to: 2 * i + 1 })));
  });

  test("isn't what wasn't sent yet", () => {
    const receiver = new Receiver(picture(100), 0);
    receiver.take({ from: 0, to: 50 });
    expect(receiver.assembly.gaps()).toEqual([]);
    expect(receiver.assembly.highest).toBe(50);
  });
});

describe("crumbs", () => {
  test("are kept up to 2,048, however far they reach; then they are refused, and change nothing", () => {
    const assembly = new Assembly(0);
    const image = picture(20_000);
    for (let i = 0; i < MOST_EARLY; i++)
      expect(assembly.take(2 * i + 1, image.subarray(2 * i + 1, 2 * i + 2)).kind).toBe("early");
    const { highest } = assembly;
    expect(assembly.take(highest + 1, image.subarray(0, 1)).kind).toBe("crumbs");
    expect(assembly.take(0, image.subarray(0, 1))).toMatchObject({ kind: "next", fresh: 1 });
    expect([assembly.expected, assembly.highest]).toEqual([2, highest]);
  });

  test("are no crumbs in order: nothing is kept of what comes when it is expected", () => {
    const assembly = new Assembly(0);
    const byte = Uint8Array.of(1);
    for (let at = 0; at < 2 * MOST_EARLY; at++) expect(assembly.take(at, byte).kind).toBe("next");
    expect(assembly.isBroken).toBe(false);
  });
});
