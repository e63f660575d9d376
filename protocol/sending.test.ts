/** A sender keeps to its credit, and sends again what it is asked for before it goes on. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Range } from "./assembly.js";
import { UINT32_MAX } from "./limits.js";
import { LARGEST_PIECE, Sending } from "./sending.js";

const K = 1024;
/** Larger than all that is sent here. */
const HUGE = 2 ** 30;

/** Sends what may be sent, up to `most` messages, if there is an end to it. */
function send(sending: Sending, size: number, most = Number.POSITIVE_INFINITY): Range[] {
  const sent: Range[] = [];
  for (let range = sending.peek(size); range !== undefined && sent.length < most; range = sending.peek(size)) {
    if (sent.length === 10_000) throw new Error("there is no end to what may be sent");
    sending.sent(range);
    sent.push(range);
  }
  return sent;
}

/** How long the next message is. */
function pieceOf(sending: Sending): number {
  const { from, to } = sending.peek(HUGE) ?? { from: 0, to: 0 };
  return to - from;
}

/** A stream of which the first `pieces` messages were sent. */
function begun(pieces: number): Sending {
  const sending = new Sending(0, HUGE, LARGEST_PIECE);
  send(sending, HUGE, pieces);
  return sending;
}

describe("where nothing is lost", () => {
  test("each byte is sent once, in order, in the largest messages, and never beyond the limit", () => {
    const grants = fc.array(fc.nat(300_000), { maxLength: 20 });
    fc.assert(
      fc.property(
        fc.nat(200_000),
        fc.nat(200_000),
        grants,
        fc.constantFrom(495, 8_192, 65_519),
        (size, begin, grants, largest) => {
          const from = Math.min(begin, size);
          const sending = new Sending(from, from, largest);
          let at = from;
          let limit = from;
          for (const grant of [...grants, size]) {
            sending.grant(grant);
            limit = Math.max(limit, grant);
            for (const range of send(sending, size)) {
              expect(range.from).toBe(at);
              expect(range.to).toBe(Math.min(at + Math.min(largest, LARGEST_PIECE), limit, size));
              at = range.to;
            }
            expect(at).toBe(Math.min(limit, size));
            expect(sending.reached).toBe(at);
          }
          expect(sending.isThrough(size)).toBe(true);
        },
      ),
    );
  });

  test("a lower limit than before changes nothing", () => {
    const sending = new Sending(0, 100, LARGEST_PIECE);
    sending.grant(50);
    expect(sending.limit).toBe(100);
    expect(send(sending, HUGE)).toEqual([{ from: 0, to: 100 }]);
  });

  test("a message of which only a part could be sent is gone on with after that part", () => {
    const sending = new Sending(0, 300, 100);
    sending.sent({ from: 0, to: 40 });
    expect(sending.peek(300)).toEqual({ from: 40, to: 140 });
    sending.resend({ from: 0, to: 30 }, 300);
    sending.sent({ from: 0, to: 10 });
    expect(send(sending, 300)).toEqual([
      { from: 10, to: 30 },
      { from: 40, to: 140 },
      { from: 140, to: 240 },
      { from: 240, to: 300 },
    ]);
  });
});

describe("what is asked for again", () => {
  test("is sent first, then it goes on where it was", () => {
    const sending = begun(4);
    expect(sending.resend({ from: 8_192, to: 10_000 }, HUGE)).toBe("accepted");
    expect(sending.resend({ from: 0, to: 100 }, HUGE)).toBe("accepted");
    expect(send(sending, HUGE, 3).map(({ from, to }) => [from, Math.min(to, 4 * LARGEST_PIECE + 1)])).toEqual([
      [8_192, 10_000],
      [0, 100],
      [4 * LARGEST_PIECE, 4 * LARGEST_PIECE + 1],
    ]);
  });

  test.each([
    ["beyond where it is", UINT32_MAX],
    ["where it is", 4 * LARGEST_PIECE],
  ])("up to %s means that it goes back", (_, to) => {
    const sending = begun(4);
    sending.resend({ from: LARGEST_PIECE, to }, HUGE);
    const sent = send(sending, 4 * LARGEST_PIECE);
    expect(sent[0]?.from).toBe(LARGEST_PIECE);
    expect(sent.reduce((sum, range) => sum + range.to - range.from, 0)).toBe(3 * LARGEST_PIECE);
    expect(sending.reached).toBe(4 * LARGEST_PIECE);
  });

  test("and lies where it goes back to isn't sent twice", () => {
    const sending = begun(4);
    sending.resend({ from: 20_000, to: 21_000 }, HUGE);
    sending.resend({ from: 100, to: 200 }, HUGE);
    sending.resend({ from: LARGEST_PIECE, to: UINT32_MAX }, HUGE);
    const sent = send(sending, 4 * LARGEST_PIECE);
    expect(sent.slice(0, 2).map(({ from }) => from)).toEqual([100, LARGEST_PIECE]);
    expect(sent.reduce((sum, range) => sum + range.to - range.from, 0)).toBe(100 + 3 * LARGEST_PIECE);
  });

  test("is sent again before the end counts as reached", () => {
    const size = 2 * LARGEST_PIECE;
    const sending = new Sending(0, size, LARGEST_PIECE);
    send(sending, size);
    expect(sending.isThrough(size)).toBe(true);
    sending.resend({ from: 10, to: 20 }, size);
    expect(sending.isThrough(size)).toBe(false);
    expect(send(sending, size)).toEqual([{ from: 10, to: 20 }]);
    expect(sending.isThrough(size)).toBe(true);
  });

  test("brings its limit with it", () => {
    const sending = new Sending(0, 100, LARGEST_PIECE);
    send(sending, HUGE);
    sending.resend({ from: 0, to: 50 }, 150);
    expect(send(sending, HUGE)).toEqual([
      { from: 0, to: 50 },
      { from: 100, to: 150 },
    ]);
  });

  test("while it still waits to be sent again is sent again once", () => {
    const sending = begun(4);
    for (const range of [
      { from: 100, to: 200 },
      { from: 100, to: 200 },
      { from: 120, to: 150 },
    ])
      sending.resend(range, HUGE);
    expect(send(sending, HUGE, 2).map(({ from }) => from)).toEqual([100, 4 * LARGEST_PIECE]);
  });

  test("without any bytes in it is nothing, and no loss", () => {
    const sending = begun(4);
    expect(sending.resend({ from: 100, to: 100 }, HUGE)).toBe("accepted");
    expect(sending.peek(HUGE)).toEqual({ from: 4 * LARGEST_PIECE, to: 5 * LARGEST_PIECE });
  });

  test("from the end on is nothing, and no loss", () => {
    const size = 3 * LARGEST_PIECE;
    const sending = new Sending(0, HUGE, LARGEST_PIECE);
    send(sending, size);
    expect(sending.resend({ from: size, to: UINT32_MAX }, HUGE)).toBe("accepted");
    expect(sending.peek(size)).toBeUndefined();
    expect(sending.isThrough(size)).toBe(true);
    expect(pieceOf(sending)).toBe(LARGEST_PIECE);
  });

  test.each([
    ["before its beginning", 999],
    ["beyond what was ever sent", 1_501],
  ])("from %s is refused, and changes nothing", (_, from) => {
    const sending = new Sending(1_000, 1_500, LARGEST_PIECE);
    send(sending, HUGE);
    expect(sending.resend({ from, to: UINT32_MAX }, 2_000)).toBe("outside");
    expect(sending.limit).toBe(1_500);
    expect(sending.peek(HUGE)).toBeUndefined();
  });

  test("after it went back may be all that was ever sent", () => {
    const sending = begun(4);
    sending.resend({ from: 0, to: UINT32_MAX }, HUGE);
    expect(sending.resend({ from: 4 * LARGEST_PIECE, to: UINT32_MAX }, HUGE)).toBe("accepted");
    expect(sending.peek(HUGE)?.from).toBe(0);
  });

  test("in more than 64 places isn't kept apart: it goes back", () => {
    const sending = begun(4);
    for (let i = 0; i < 64; i++) sending.resend({ from: 1_000 + 10 * i, to: 1_001 + 10 * i }, HUGE);
    sending.resend({ from: 1_000, to: 1_001 }, HUGE);
    sending.resend({ from: 10, to: 10 }, HUGE);
    sending.resend({ from: 1_640, to: 1_641 }, HUGE);
    const sent = send(sending, 4 * LARGEST_PIECE);
    expect(sent.slice(0, 65).map(({ from }) => from)).toEqual(Array.from({ length: 65 }, (_, i) => 1_000 + 10 * i));
    expect(sent[65]?.from).toBe(sent[64]?.to);
    expect(sent.at(-1)?.to).toBe(4 * LARGEST_PIECE);
  });
});

describe("messages", () => {
  test("become half as long with each loss, down to 1 KiB, and twice as long with each 64 KiB without one", () => {
    const sending = begun(64);
    const lengths = [pieceOf(sending)];
    for (let i = 0; i < 5; i++) {
      sending.resend({ from: i, to: i + 1 }, HUGE);
      send(sending, HUGE, 1);
      lengths.push(pieceOf(sending));
    }
    expect(lengths).toEqual([8, 4, 2, 1, 1, 1].map((kib) => kib * K));
    const grown: number[] = [];
    for (let i = 0; i < 4; i++) {
      for (let sent = 0; sent < 64 * K; sent += pieceOf(sending)) send(sending, HUGE, 1);
      grown.push(pieceOf(sending));
    }
    expect(grown).toEqual([2, 4, 8, 8].map((kib) => kib * K));
  });

  test("don't become longer before 64 KiB have passed since the last loss", () => {
    const sending = begun(7);
    sending.resend({ from: 0, to: 1 }, HUGE);
    send(sending, HUGE, 16);
    expect(pieceOf(sending)).toBe(4 * K);
    send(sending, HUGE, 1);
    expect(pieceOf(sending)).toBe(8 * K);
  });

  test("to a receiver that takes less than 1 KiB aren't made smaller still", () => {
    const sending = new Sending(0, HUGE, 495);
    send(sending, HUGE, 4);
    sending.resend({ from: 0, to: 10 }, HUGE);
    expect(sending.peek(HUGE)).toEqual({ from: 0, to: 10 });
    send(sending, HUGE, 1);
    expect(pieceOf(sending)).toBe(495);
  });
});
