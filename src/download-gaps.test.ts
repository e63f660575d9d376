/** What gets lost of a stream is asked for again, and alone; what follows it is kept, what came twice is ignored. */
import { describe, expect, test } from "vitest";
import { FIRST_WINDOW, UINT32_MAX } from "../protocol/index.js";
import { PIECE, picture } from "./testing/picture.js";
import { END, image, reading } from "./testing/reading.js";

describe("lost data", () => {
  test("is asked for once and alone, however much of what follows comes: that is kept", async () => {
    const { clock, dock, read, serving, session } = await reading();
    serving
      .head()
      .data(0, PIECE)
      .data(2 * PIECE, END)
      .result();
    await clock.settle();
    expect(dock.said("hostResend")).toEqual([{ type: "hostResend", id: serving.id, from: PIECE, to: 2 * PIECE, limit: END }]);
    expect(session.counters).toMatchObject({ gaps: 1, resends: 1 });
    expect(read.code).toBe("pending");
    serving.data(PIECE, 2 * PIECE);
    await clock.settle();
    expect(read.value.equals(image)).toBe(true);
    expect(dock.said("hostResend")).toHaveLength(1);
    expect(session.counters.duplicates).toBe(0);
    expect(clock.waiting).toBe(0);
  });

  test("is asked for with the credit of before, and no more credit is granted for what can't be handed on", async () => {
    const long = picture(200_000);
    const { clock, dock, serving } = await reading(long);
    serving
      .head()
      .data(0, PIECE)
      .data(2 * PIECE, FIRST_WINDOW);
    await clock.settle();
    expect(dock.said("hostResend")).toMatchObject([{ from: PIECE, to: 2 * PIECE, limit: FIRST_WINDOW }]);
    expect(dock.said("hostCredit")).toEqual([]);
    serving.data(PIECE, 2 * PIECE);
    await clock.settle();
    expect(dock.last("hostCredit").limit).toBe(2 * FIRST_WINDOW);
  });

  test("in a second place is asked for at once, while the first is still missing", async () => {
    const { clock, dock, read, serving } = await reading();
    serving
      .head()
      .data(PIECE, 2 * PIECE)
      .data(3 * PIECE, END)
      .result();
    await clock.settle();
    expect(dock.said("hostResend")).toMatchObject([
      { from: 0, to: PIECE },
      { from: 2 * PIECE, to: 3 * PIECE },
    ]);
    serving.data(2 * PIECE, 3 * PIECE).data(0, PIECE);
    await clock.settle();
    expect(read.value.equals(image)).toBe(true);
    expect(dock.said("hostResend")).toHaveLength(2);
  });

  test("of what is sent again is asked for at once, and again alone", async () => {
    const { clock, dock, read, serving } = await reading();
    serving.head().data(3 * PIECE, END);
    await clock.settle();
    serving.data(PIECE, 2 * PIECE);
    await clock.settle();
    expect(dock.said("hostResend")).toMatchObject([
      { from: 0, to: 3 * PIECE },
      { from: 0, to: PIECE },
    ]);
    serving
      .data(2 * PIECE, 3 * PIECE)
      .data(0, PIECE)
      .result();
    await clock.settle();
    expect(read.value.equals(image)).toBe(true);
    expect(dock.said("hostResend")).toHaveLength(2);
  });

  test("twice in a stream is asked for twice", async () => {
    const { clock, dock, read, serving } = await reading();
    serving.head().data(PIECE, 2 * PIECE);
    await clock.settle();
    serving.data(0, PIECE).data(3 * PIECE, END);
    await clock.settle();
    expect(dock.said("hostResend")).toMatchObject([
      { from: 0, to: PIECE },
      { from: 2 * PIECE, to: 3 * PIECE },
    ]);
    serving.data(2 * PIECE, 3 * PIECE).result();
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
    expect(dock.said("hostResend")).toMatchObject([{ from: 4 * PIECE, to: END, limit: END }]);
    serving.data(4 * PIECE, END);
    await clock.settle();
    expect(read.value.equals(image)).toBe(true);
  });

  test("whose resend is lost as well is asked for again after 50 ms, then each time twice as long, up to 4 s", async () => {
    const { clock, dock, read, serving } = await reading();
    serving.head().data(PIECE, END);
    await clock.advance(8_000);
    expect(dock.said("hostResend").every(({ from, to }) => from === 0 && to === PIECE)).toBe(true);
    expect(dock.timesOf("hostResend")).toEqual([0, 50, 150, 350, 750, 1_550, 3_150, 6_350]);
    serving.data(0, PIECE).result();
    await clock.settle();
    expect(read.value.equals(image)).toBe(true);
  });

  test("is asked for again after four round trips where these are longer", async () => {
    const { clock, dock, serving, session } = await reading();
    session.flow.roundTrip = 40;
    serving.head().data(PIECE, END);
    await clock.advance(159);
    expect(dock.said("hostResend")).toHaveLength(1);
    await clock.advance(1);
    expect(dock.said("hostResend")).toHaveLength(2);
  });

  test("in several places is asked for again in all of them, and what would be next as well", async () => {
    const { clock, dock, read, serving } = await reading();
    serving
      .head()
      .data(PIECE, 2 * PIECE)
      .data(3 * PIECE, 4 * PIECE);
    await clock.advance(50);
    const gaps = [
      { from: 0, to: PIECE },
      { from: 2 * PIECE, to: 3 * PIECE },
    ];
    expect(dock.said("hostResend")).toMatchObject([...gaps, ...gaps, { from: 4 * PIECE, to: UINT32_MAX, limit: END }]);
    serving
      .data(0, PIECE)
      .data(2 * PIECE, 3 * PIECE)
      .data(4 * PIECE, END)
      .result();
    await clock.settle();
    expect(read.value.equals(image)).toBe(true);
  });

  test("isn't asked for together with what the dock has no credit for", async () => {
    const { clock, dock, serving } = await reading(picture(200_000));
    serving.head().data(PIECE, FIRST_WINDOW);
    await clock.advance(50);
    const gap = { from: 0, to: PIECE, limit: FIRST_WINDOW };
    expect(dock.said("hostResend")).toMatchObject([gap, gap]);
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
    expect(dock.said("hostResend")).toMatchObject([{ from: PIECE, to: UINT32_MAX, limit: END }]);
    serving.data(PIECE, END).result();
    await clock.settle();
    expect(read.value.equals(image)).toBe(true);
  });

  test("the result: a resend from the end", async () => {
    const { clock, dock, read, serving } = await reading();
    serving.head().data(0, END);
    await clock.advance(500);
    expect(dock.said("hostResend")).toMatchObject([{ from: END, to: UINT32_MAX, limit: END }]);
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
    expect(dock.said("hostResend")).toMatchObject([{ from: 0, to: END, limit: END }]);
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
    expect(dock.said("hostResend")).toMatchObject([{ from: FIRST_WINDOW, to: UINT32_MAX, limit: granted }]);
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
    expect(dock.said("hostResend")).toMatchObject([{ from: PIECE, to: 100 + PIECE }]);
    serving.data(PIECE, 100 + PIECE).result();
    await clock.settle();
    expect(read.value.equals(image)).toBe(true);
  });
});
