/** What got lost on the way to the dock is sent again, and nothing else (SPEC §5.4). */
import { describe, expect, test } from "vitest";
import { PIECE } from "./testing/picture.js";
import { END, image } from "./testing/reading.js";
import { uploading } from "./testing/receiving.js";

describe("a range that the dock asks for", () => {
  test("is sent again alone, before what comes next", async () => {
    const { clock, receiving, session } = await uploading();
    receiving.at(0, 4 * PIECE);
    await clock.settle();
    receiving.resend(PIECE, 2 * PIECE, END);
    await clock.settle();
    const again = receiving.ranges.slice(4);
    expect(again[0]?.[0]).toBe(PIECE);
    const upTo = again.findIndex(([, to]) => to === 2 * PIECE);
    expect(again[upTo + 1]?.[0]).toBe(4 * PIECE);
    expect(receiving.count).toBe(END + PIECE);
    expect(receiving.bytes.equals(image)).toBe(true);
    expect(session.counters.resendsIn).toBe(2);
  });

  test("several are sent again in the order of asking", async () => {
    const { clock, receiving } = await uploading();
    receiving.at(0, 5 * PIECE);
    await clock.settle();
    receiving
      .resend(3 * PIECE, 3 * PIECE + 10, 0)
      .resend(PIECE, PIECE + 10, 0)
      .resend(0, 10, 0);
    await clock.settle();
    expect(receiving.ranges.slice(5)).toEqual([
      [3 * PIECE, 3 * PIECE + 10],
      [PIECE, PIECE + 10],
      [0, 10],
    ]);
  });

  test("that goes to where it is or beyond begins everything anew from there", async () => {
    const { clock, receiving } = await uploading();
    receiving.at(0, 4 * PIECE);
    await clock.settle();
    receiving.back(PIECE, 4 * PIECE);
    await clock.settle();
    expect(receiving.ranges[4]?.[0]).toBe(PIECE);
    expect(receiving.count).toBe(7 * PIECE);
  });

  test("makes the messages smaller, down to 1,024 bytes", async () => {
    const { clock, receiving } = await uploading();
    receiving.at(0, END);
    await clock.settle();
    for (let i = 0; i < 8; i++) receiving.resend(0, PIECE, END);
    await clock.settle();
    const [from = 0, to = 0] = receiving.ranges.at(-1) ?? [];
    expect(to - from).toBe(1_024);
  });
});

describe("silence", () => {
  test("brings the same request again after the retry time, then each time twice as long", async () => {
    const { clock, dock, put } = await uploading();
    await clock.advance(8_000);
    expect(dock.timesOf("request")).toEqual([0, 500, 1_500, 3_500, 7_500]);
    expect(new Set(dock.heard.slice(1).map(({ frame }) => frame)).size).toBe(1);
    expect(put.code).toBe("pending");
  });

  test("after data brings the request again as well, and no data by itself", async () => {
    const { clock, dock, receiving, session } = await uploading();
    receiving.at(0, 2 * PIECE);
    await clock.settle();
    await clock.advance(600);
    expect(dock.timesOf("request")).toEqual([0, 500]);
    expect(receiving.count).toBe(2 * PIECE);
    expect(session.counters.retries).toBe(1);
  });

  test("is broken by pending, which puts off the request", async () => {
    const { clock, dock, receiving } = await uploading();
    await clock.advance(400);
    receiving.pending();
    await clock.advance(499);
    expect(dock.timesOf("request")).toEqual([0]);
    await clock.advance(1);
    expect(dock.timesOf("request")).toEqual([0, 900]);
  });

  test("then an answer to the repeated request: what was sent before it, and isn't there, is sent again", async () => {
    const { clock, receiving } = await uploading();
    receiving.at(0, 4 * PIECE);
    await clock.settle();
    await clock.advance(500);
    receiving.at(2 * PIECE + 7, 4 * PIECE);
    await clock.settle();
    const again = receiving.ranges.slice(4);
    expect(again[0]?.[0]).toBe(2 * PIECE + 7);
    expect(again.at(-1)?.[1]).toBe(4 * PIECE);
    expect(receiving.count).toBe(4 * PIECE + 2 * PIECE - 7);
  });

  test("what was sent after the repetition isn't sent again: it is still on its way", async () => {
    const { clock, receiving } = await uploading();
    receiving.at(0, 2 * PIECE);
    await clock.settle();
    await clock.advance(500);
    receiving.credit(4 * PIECE);
    await clock.settle();
    receiving.at(PIECE, 4 * PIECE);
    await clock.settle();
    const again = receiving.ranges.slice(4);
    expect(again[0]?.[0]).toBe(PIECE);
    expect(again.at(-1)?.[1]).toBe(2 * PIECE);
    expect(receiving.count).toBe(5 * PIECE);
  });

  test("gaps that the dock names besides are sent first, as it asks", async () => {
    const { clock, receiving } = await uploading();
    receiving.at(0, 4 * PIECE);
    await clock.settle();
    await clock.advance(500);
    receiving.resend(PIECE, 2 * PIECE, 0).at(3 * PIECE, 4 * PIECE);
    await clock.settle();
    const again = receiving.ranges.slice(4);
    expect(again[0]?.[0]).toBe(PIECE);
    expect(again.at(-1)?.[1]).toBe(4 * PIECE);
    expect(receiving.count).toBe(6 * PIECE);
  });

  test("the answer that comes twice, since the request did, sends nothing twice", async () => {
    const { clock, receiving } = await uploading();
    await clock.advance(600);
    receiving.at(0, 4 * PIECE).at(0, 4 * PIECE);
    await clock.settle();
    expect(receiving.count).toBe(4 * PIECE);
  });

  test("an answer that all is there sends nothing again", async () => {
    const { clock, receiving } = await uploading();
    receiving.at(0, 2 * PIECE);
    await clock.settle();
    await clock.advance(500);
    receiving.at(2 * PIECE, 2 * PIECE);
    await clock.settle();
    expect(receiving.count).toBe(2 * PIECE);
    receiving.credit(END);
    await clock.settle();
    expect(receiving.count).toBe(END);
  });

  test("after the last byte, when only the result was lost, brings the result", async () => {
    const { clock, put, receiving } = await uploading();
    receiving.at(0, END);
    await clock.settle();
    await clock.advance(600);
    receiving.done();
    await clock.settle();
    expect(put.code).toBe("done");
    expect(receiving.count).toBe(END);
    expect(clock.waiting).toBe(0);
  });

  test("then an answer from further on is a step forward, also where all credit was given at once", async () => {
    const { clock, put, receiving } = await uploading(image, { timeout: 10_000 });
    for (let at = 0; at < END; at += PIECE) {
      receiving.at(at, END);
      await clock.advance(9_000);
    }
    expect(put.code).toBe("pending");
    receiving.at(5 * PIECE, END);
    await clock.advance(1_000);
    receiving.failure("CANCELLED");
    await clock.settle();
    expect(put.code).toBe("TIMEOUT");
  });
});
