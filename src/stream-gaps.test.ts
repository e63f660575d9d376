/** What gets lost of a stream is sent again, once; what came twice is ignored. */
import { describe, expect, test } from "vitest";
import { FIRST_WINDOW } from "../protocol/index.js";
import { PIECE, picture } from "./testing/picture.js";
import { END, image, reading } from "./testing/reading.js";

describe("lost data", () => {
  test("is asked for once, from the offset that is expected, however much of what follows comes", async () => {
    const { clock, dock, read, serving, session } = await reading();
    serving
      .head()
      .data(0, PIECE)
      .data(2 * PIECE, END)
      .result();
    await clock.settle();
    expect(dock.said("hostResend")).toEqual([{ type: "hostResend", id: serving.id, from: PIECE, limit: END }]);
    expect(session.counters).toMatchObject({ gaps: 1, resends: 1 });
    serving.data(PIECE, END).result();
    await clock.settle();
    expect(read.value.equals(image)).toBe(true);
    expect(dock.said("hostResend")).toHaveLength(1);
    expect(clock.waiting).toBe(0);
  });

  test("is asked for with the credit of before, and no more credit is granted for what wasn't taken in", async () => {
    const long = picture(200_000);
    const { clock, dock, serving } = await reading(long);
    serving
      .head()
      .data(0, PIECE)
      .data(2 * PIECE, FIRST_WINDOW);
    await clock.settle();
    expect(dock.said("hostResend")).toMatchObject([{ from: PIECE, limit: FIRST_WINDOW }]);
    expect(dock.said("hostCredit")).toEqual([]);
  });

  test("twice in a stream is asked for twice", async () => {
    const { clock, dock, read, serving } = await reading();
    serving.head().data(PIECE, 3 * PIECE);
    await clock.settle();
    serving.data(0, 2 * PIECE).data(3 * PIECE, END);
    await clock.settle();
    expect(dock.said("hostResend").map(({ from }) => from)).toEqual([0, 2 * PIECE]);
    serving.data(2 * PIECE, END).result();
    await clock.settle();
    expect(read.value.equals(image)).toBe(true);
  });

  test("at the end shows when the result comes", async () => {
    const { clock, dock, read, serving } = await reading();
    serving
      .head()
      .data(0, 4 * PIECE)
      .result();
    await clock.settle();
    expect(dock.said("hostResend")).toMatchObject([{ from: 4 * PIECE, limit: END }]);
    serving.data(4 * PIECE, END).result();
    await clock.settle();
    expect(read.value.equals(image)).toBe(true);
  });

  test("whose resend is lost as well is asked for again after the stall time, then each time twice as long", async () => {
    const { clock, dock, read, serving } = await reading();
    serving.head().data(PIECE, END);
    await clock.advance(7_500);
    expect(dock.said("hostResend").every(({ from }) => from === 0)).toBe(true);
    expect(dock.timesOf("hostResend")).toEqual([0, 500, 1_500, 3_500, 7_500]);
    serving.data(0, END).result();
    await clock.settle();
    expect(read.value.equals(image)).toBe(true);
  });

  test("lets the window fall back to where it began", async () => {
    const long = picture(1_000_000);
    const { clock, serving, session } = await reading(long, { holdsBack: true });
    serving.head();
    let sent = 0;
    for (let i = 0; i < 4; i++) {
      const to = Math.min(serving.credit, long.length);
      serving.data(sent, to);
      sent = to;
      await clock.settle();
    }
    expect(session.flow.window).toBeGreaterThan(FIRST_WINDOW);
    serving.data(sent + PIECE, sent + 2 * PIECE);
    await clock.settle();
    expect(session.flow.window).toBe(FIRST_WINDOW);
  });
});

describe("other losses heal as well", () => {
  test("all that was under way and no more: a resend after the stall time", async () => {
    const { clock, dock, read, serving } = await reading();
    serving.head().data(0, PIECE);
    await clock.advance(499);
    expect(dock.said("hostResend")).toEqual([]);
    await clock.advance(1);
    expect(dock.said("hostResend")).toMatchObject([{ from: PIECE, limit: END }]);
    serving.data(PIECE, END).result();
    await clock.settle();
    expect(read.value.equals(image)).toBe(true);
  });

  test("the result: a resend from the end", async () => {
    const { clock, dock, read, serving } = await reading();
    serving.head().data(0, END);
    await clock.advance(500);
    expect(dock.said("hostResend")).toMatchObject([{ from: END, limit: END }]);
    serving.result();
    await clock.settle();
    expect(read.value.equals(image)).toBe(true);
  });

  test("the head: the same request again, since data says nothing without it", async () => {
    const { clock, dock, read, serving, session } = await reading();
    serving.data(0, END).result();
    await clock.advance(500);
    expect(read.code).toBe("pending");
    const [first, second] = dock.heard.filter(({ message }) => message.type === "request");
    expect(second?.frame).toBe(first?.frame);
    expect(session.counters.retries).toBe(1);
    serving.head().result();
    await clock.settle();
    expect(dock.said("hostResend")).toMatchObject([{ from: 0, limit: END }]);
    serving.data(0, END).result();
    await clock.settle();
    expect(read.value.equals(image)).toBe(true);
  });

  test("the request: the same again after 500, 1,000, 2,000 ms", async () => {
    const { clock, dock } = await reading();
    await clock.advance(4_000);
    expect(dock.timesOf("request")).toEqual([0, 500, 1_500, 3_500]);
    expect(new Set(dock.heard.slice(1).map(({ frame }) => frame)).size).toBe(1);
  });

  test("a grant of credit: it is said again with the resend of the stall time", async () => {
    const long = picture(90_000);
    const { clock, dock, read, serving } = await reading(long);
    serving.head().data(0, FIRST_WINDOW);
    await clock.settle();
    const granted = dock.last("hostCredit").limit;
    expect(granted).toBeGreaterThan(FIRST_WINDOW);
    await clock.advance(500);
    expect(dock.said("hostResend")).toMatchObject([{ from: FIRST_WINDOW, limit: granted }]);
    serving.data(FIRST_WINDOW, long.length).result();
    await clock.settle();
    expect(read.value.equals(long)).toBe(true);
  });

  test("a repeated head and repeated data change nothing", async () => {
    const { clock, dock, read, serving, session } = await reading();
    serving
      .head()
      .head()
      .data(0, 2 * PIECE)
      .data(0, 2 * PIECE)
      .head()
      .data(PIECE, END)
      .result();
    await clock.settle();
    expect(read.value.equals(image)).toBe(true);
    expect(session.counters).toMatchObject({ duplicates: 3, gaps: 0, resends: 0 });
    expect(dock.said("hostResend")).toEqual([]);
  });

  test("data that was cut otherwise the second time is a duplicate up to its end, then a gap", async () => {
    const { clock, dock, read, serving } = await reading();
    serving.head().data(0, PIECE);
    dock.send({ type: "dockData", id: serving.id, offset: 100, bytes: image.subarray(100, 100 + PIECE) });
    serving.data(100 + PIECE, END);
    await clock.settle();
    expect(dock.said("hostResend")).toMatchObject([{ from: PIECE }]);
    serving.data(PIECE, END).result();
    await clock.settle();
    expect(read.value.equals(image)).toBe(true);
  });
});
