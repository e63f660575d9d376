/** A sender and a receiver get through a line that loses messages, and send again what was lost. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Assembly, type Range } from "./assembly.js";
import { UINT32_MAX } from "./limits.js";
import { LARGEST_PIECE, Sending } from "./sending.js";

const K = 1024;

/** A message on the way. */
type Frame =
  | ({ readonly kind: "data" } & Range)
  | { readonly kind: "end" }
  | { readonly kind: "credit"; readonly limit: number }
  | ({ readonly kind: "resend"; readonly limit: number } & Range);

/** A sender and a receiver, and between them a line that loses messages, late or early, but lets none overtake another. */
class Transfer {
  readonly #image: Uint8Array;
  readonly #window: number;
  readonly #sending: Sending;
  readonly #assembly = new Assembly(0);
  readonly #down: Frame[] = [];
  readonly #up: Frame[] = [];
  readonly #out: Uint8Array[] = [];
  #limit: number;
  #hasEnd = false;
  #endIsDue = true;
  /** Bytes that were sent, what was sent again included. */
  sent = 0;
  /** Bytes of these that were lost. */
  lost = 0;
  resends = 0;

  constructor(image: Uint8Array, window: number) {
    this.#image = image;
    this.#window = window;
    this.#limit = Math.min(window, image.length);
    this.#sending = new Sending(0, this.#limit, LARGEST_PIECE);
  }

  get isDone(): boolean {
    return this.#hasEnd && this.#assembly.expected === this.#image.length;
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#out);
  }

  /** One thing happens, of those that can. When nothing can, the receiver has waited long enough and asks again. */
  step(choice: number, isLost: boolean): void {
    const canSend = this.#sending.peek(this.#image.length) !== undefined || (this.#endIsDue && this.#isThrough);
    const can = [
      ...(canSend ? [() => this.#send()] : []),
      ...(this.#down.length > 0 ? [() => this.#arrive(this.#down, isLost)] : []),
      ...(this.#up.length > 0 ? [() => this.#arrive(this.#up, isLost)] : []),
    ];
    const next = can[choice % Math.max(can.length, 1)];
    if (next === undefined) this.#askAgain();
    else next();
  }

  get #isThrough(): boolean {
    return this.#sending.isThrough(this.#image.length);
  }

  #send(): void {
    const range = this.#sending.peek(this.#image.length);
    if (range === undefined) {
      this.#endIsDue = false;
      this.#down.push({ kind: "end" });
      return;
    }
    expect(range.to).toBeLessThanOrEqual(this.#sending.limit);
    expect(range.to).toBeLessThanOrEqual(this.#limit);
    this.#sending.sent(range);
    this.sent += range.to - range.from;
    this.#down.push({ kind: "data", ...range });
  }

  #arrive(line: Frame[], isLost: boolean): void {
    const frame = line.shift();
    if (isLost && frame?.kind === "data") this.lost += frame.to - frame.from;
    if (frame === undefined || isLost) return;
    switch (frame.kind) {
      case "data":
        return this.#take(frame);
      case "end":
        this.#hasEnd = true;
        if (this.#assembly.highest < this.#image.length) this.#ask({ from: this.#assembly.highest, to: this.#image.length });
        return;
      case "credit":
        return this.#sending.grant(frame.limit);
      case "resend":
        expect(this.#sending.resend(frame, frame.limit)).toBe("accepted");
        this.#endIsDue = true;
    }
  }

  #take({ from, to }: Range): void {
    const taken = this.#assembly.take(from, this.#image.subarray(from, to));
    expect(taken.kind).not.toBe("crumbs");
    if (taken.kind === "early" && taken.gap !== undefined) this.#ask(taken.gap);
    if (taken.kind === "next") this.#out.push(...taken.pieces);
    const limit = Math.min(this.#assembly.expected + this.#window, this.#image.length);
    if (limit <= this.#limit) return;
    this.#limit = limit;
    this.#up.push({ kind: "credit", limit });
  }

  #ask(range: Range): void {
    this.resends++;
    this.#up.push({ kind: "resend", ...range, limit: this.#limit });
  }

  #askAgain(): void {
    for (const gap of this.#assembly.gaps()) this.#ask(gap);
    this.#ask({ from: this.#assembly.highest, to: UINT32_MAX });
  }
}

/** Bytes that look like none of their parts. */
function picture(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24);
}

describe("a sender and a receiver", () => {
  const transfer = fc.record({ size: fc.nat(150_000), window: fc.integer({ min: 8 * K, max: 64 * K }) });

  test("get through whatever part of the messages is lost, up to half of them, and never beyond the credit", () => {
    fc.assert(
      fc.property(transfer, fc.integer({ min: 1, max: 50 }), fc.gen(), ({ size, window }, percent, gen) => {
        const image = picture(size);
        const transfer = new Transfer(image, window);
        for (let steps = 0; !transfer.isDone; steps++) {
          expect(steps).toBeLessThan(20_000);
          transfer.step(
            gen(() => fc.nat(5)),
            gen(() => fc.nat(99)) < percent,
          );
        }
        expect(Buffer.compare(transfer.bytes, image)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test("send no byte twice where nothing is lost, however late things come", () => {
    fc.assert(
      fc.property(transfer, fc.gen(), ({ size, window }, gen) => {
        const image = picture(size);
        const transfer = new Transfer(image, window);
        while (!transfer.isDone)
          transfer.step(
            gen(() => fc.nat(5)),
            false,
          );
        expect(transfer.sent).toBe(size);
        expect(transfer.resends).toBe(0);
        expect(Buffer.compare(transfer.bytes, image)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test.each([1, 5, 20])("where %i messages in 100 are lost send again what was lost, and hardly anything else", (percent) => {
    const image = picture(2_000_000);
    const transfer = new Transfer(image, 48 * K);
    for (let steps = 0; !transfer.isDone; steps++) {
      const random = Math.imul(steps + 1, 0x9e3779b1) >>> 8;
      transfer.step(random >>> 10, random % 100 < percent);
    }
    expect(transfer.lost).toBeGreaterThan(0);
    expect(transfer.sent).toBeGreaterThanOrEqual(image.length + transfer.lost);
    expect(transfer.sent).toBeLessThan(image.length * 1.01 + transfer.lost);
  });
});
