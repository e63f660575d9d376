/** A stream that the dock has lost is asked for anew; what was read is checked as a whole. */
import { describe, expect, test } from "vitest";
import { headOf, PIECE, picture, Serving, sha256Of } from "./testing/picture.js";
import { END, image, reading } from "./testing/reading.js";

describe("a dock that no longer has the stream", () => {
  test("is asked for the rest of the same image", async () => {
    const { clock, dock, read, serving } = await reading();
    serving.head().data(0, 2 * PIECE);
    await clock.settle();
    dock.failure(serving.id, "STALE");
    await clock.settle();
    const rest = new Serving(dock, image);
    expect(rest.id).not.toBe(serving.id);
    expect(rest.request.params).toMatchObject({ tag: "default", from: 2 * PIECE });
    expect(rest.request.params.ifSha256).toEqual(sha256Of(image));
    rest
      .head()
      .data(2 * PIECE, END)
      .result(2 * PIECE);
    await clock.settle();
    expect(read.value.equals(image)).toBe(true);
    expect(clock.waiting).toBe(0);
  });

  test("and loses something again is asked for that at once, as before", async () => {
    const { clock, dock, read, serving } = await reading();
    serving
      .head()
      .data(0, PIECE)
      .data(2 * PIECE, 3 * PIECE);
    await clock.settle();
    expect(dock.said("hostResend")).toHaveLength(1);
    dock.failure(serving.id, "STALE");
    await clock.settle();
    const rest = new Serving(dock, image).head().data(2 * PIECE, 3 * PIECE);
    await clock.settle();
    expect(dock.said("hostResend")).toMatchObject([{ id: serving.id }, { id: rest.id, from: PIECE, to: 2 * PIECE }]);
    rest
      .data(PIECE, 2 * PIECE)
      .data(3 * PIECE, END)
      .result(PIECE);
    await clock.settle();
    expect(read.value.equals(image)).toBe(true);
  });

  test("ends the read with STALE when the image can't be told to be the same", async () => {
    const { clock, dock, read, serving } = await reading();
    const { sha256: _, ...meta } = headOf(image);
    dock.send({ type: "head", id: serving.id, meta });
    serving.data(0, PIECE);
    await clock.settle();
    dock.failure(serving.id, "STALE");
    await clock.settle();
    expect(read.code).toBe("STALE");
  });

  test("ends the read with STALE when it began in the middle: what came before could no longer be checked", async () => {
    const { clock, dock, read, serving } = await reading(image, { from: PIECE });
    serving.head().data(PIECE, 2 * PIECE);
    await clock.settle();
    dock.failure(serving.id, "STALE");
    await clock.settle();
    expect(read.code).toBe("STALE");
    expect(dock.said("request")).toHaveLength(1);
  });

  test("ends the read with CHANGED when the image is another by now", async () => {
    const { clock, dock, read, serving } = await reading();
    serving.head().data(0, PIECE);
    dock.failure(serving.id, "STALE");
    await clock.settle();
    dock.failure(dock.last("request").id, "CHANGED");
    await clock.settle();
    expect(read.code).toBe("CHANGED");
  });

  test("is asked three times, then it is STALE", async () => {
    const { clock, dock, read, serving } = await reading();
    serving.head();
    for (let i = 0; i < 4; i++) {
      await clock.settle();
      expect(read.code).toBe("pending");
      const again = new Serving(dock, image);
      again.head();
      await clock.settle();
      dock.failure(again.id, "STALE");
    }
    await clock.settle();
    expect(read.code).toBe("STALE");
    expect(dock.said("request")).toHaveLength(4);
  });

  test("is asked three times again whenever it has sent something new", async () => {
    const { clock, dock, read, serving } = await reading();
    serving.head();
    for (let at = 0; at < 5 * PIECE; at += PIECE) {
      new Serving(dock, image).head().data(at, at + PIECE);
      await clock.settle();
      for (let i = 0; i < 3; i++) {
        new Serving(dock, image).head().failure("STALE");
        await clock.settle();
      }
      expect(read.code).toBe("pending");
    }
    const last = new Serving(dock, image).head();
    await clock.settle();
    last.failure("STALE");
    await clock.settle();
    expect(read.code).toBe("STALE");
    expect(dock.said("request")).toHaveLength(1 + 5 * 3);
  });

  test("can't pass off another image as the rest", async () => {
    const { clock, dock, read, serving } = await reading();
    serving.head().data(0, PIECE);
    dock.failure(serving.id, "STALE");
    await clock.settle();
    new Serving(dock, picture(END, 2)).head();
    await clock.settle();
    expect(read.code).toBe("PROTOCOL");
  });

  test("doesn't hide that what came before was wrong: the whole is checked, not only the rest", async () => {
    const { clock, dock, read, serving } = await reading();
    const wrong = Buffer.from(image).fill(0xee, 10, 20);
    serving.head();
    new Serving(dock, wrong).data(0, 2 * PIECE);
    dock.failure(serving.id, "STALE");
    await clock.settle();
    new Serving(dock, image)
      .head()
      .data(2 * PIECE, END)
      .result(2 * PIECE);
    await clock.settle();
    expect(read.code).toBe("INTEGRITY");
  });
});

describe("the SHA-256", () => {
  test("of the result is that of what came, or the read fails with INTEGRITY and the stream is cancelled", async () => {
    const { clock, dock, read, serving } = await reading();
    serving.head();
    new Serving(dock, Buffer.from(image).fill(0xee, 100, 101)).data(0, END);
    serving.result();
    await clock.settle();
    expect(read.code).toBe("INTEGRITY");
    expect(dock.said("cancel")).toHaveLength(1);
  });

  test("of the head is that of the whole, even when the result says otherwise", async () => {
    const { clock, dock, read, serving } = await reading();
    const other = Buffer.from(image).fill(0xee, 100, 101);
    serving.head();
    new Serving(dock, other).data(0, END).result();
    await clock.settle();
    expect(read.code).toBe("INTEGRITY");
  });

  test("that the caller gave is that of the whole, even when the dock ignores it", async () => {
    const { clock, dock, read } = await reading(image, { ifSha256: sha256Of(image).toString("hex") });
    new Serving(dock, picture(END, 2)).head().data(0, END).result();
    await clock.settle();
    expect(["CHANGED", "INTEGRITY", "PROTOCOL"]).toContain(read.code);
  });

  test("is that from the offset on, when there is one", async () => {
    const { clock, read, serving } = await reading(image, { from: PIECE });
    serving.head().data(PIECE, END).result(PIECE);
    await clock.settle();
    expect(read.value.equals(image.subarray(PIECE))).toBe(true);
  });

  test("of the whole isn't taken for that from the offset on", async () => {
    const { clock, read, serving } = await reading(image, { from: PIECE });
    serving.head().data(PIECE, END).result(0);
    await clock.settle();
    expect(read.code).toBe("INTEGRITY");
  });
});
