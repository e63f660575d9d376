/** Streams that end before their last byte: nothing comes any more, or nobody wants it. */
import { describe, expect, test } from "vitest";
import { FIRST_WINDOW, USUAL_LIMITS } from "../protocol/index.js";
import { ImageStore } from "./image-store.js";
import { openSession } from "./testing/open-session.js";
import { PIECE, picture, Serving } from "./testing/picture.js";
import { Reader } from "./testing/reader.js";
import { END, image, reading } from "./testing/reading.js";
import { watch } from "./testing/watch.js";

describe("a stream in which nothing new comes", () => {
  test("is TIMEOUT 10 s after the last new byte, and is cancelled", async () => {
    const { clock, dock, read, serving } = await reading();
    serving.head();
    for (let i = 0; i < 3; i++) {
      await clock.advance(9_000);
      serving.data(i * PIECE, (i + 1) * PIECE);
      await clock.settle();
    }
    await clock.advance(9_999);
    expect(read.code).toBe("pending");
    await clock.advance(1);
    expect(read.code).toBe("TIMEOUT");
    expect(dock.said("cancel")).toHaveLength(1);
  });

  test("isn't kept alive by data that isn't new, nor by pending", async () => {
    const { clock, dock, read, serving } = await reading();
    serving
      .head()
      .data(0, PIECE)
      .data(2 * PIECE, 3 * PIECE);
    for (let i = 0; i < 100; i++) {
      await clock.advance(100);
      dock.send({ type: "pending", id: serving.id });
      serving.data(0, PIECE).data(2 * PIECE, 3 * PIECE);
    }
    await clock.settle();
    expect(read.code).toBe("TIMEOUT");
  });

  test("at all is TIMEOUT after the time that was given", async () => {
    const { clock, read } = await reading(image, { timeout: 1_500 });
    await clock.advance(1_499);
    expect(read.code).toBe("pending");
    await clock.advance(1);
    expect(read.code).toBe("TIMEOUT");
  });

  test("is TIMEOUT after a time that the caller has set, however much comes that isn't new", async () => {
    const { clock, read, serving } = await reading(image, { timeout: 2_000 });
    serving.head().data(0, PIECE);
    await clock.settle();
    for (let i = 0; i < 20; i++) {
      serving.data(0, PIECE);
      await clock.advance(100);
    }
    expect(read.code).toBe("TIMEOUT");
  });

  test("is waited for longer, when nobody has set a time, while the line is busy with what isn't new", async () => {
    const { clock, read, serving } = await reading();
    serving.head().data(0, PIECE);
    for (let i = 0; i < 8; i++) {
      await clock.advance(2_000);
      serving.data(0, PIECE);
    }
    await clock.settle();
    expect(read.code).toBe("pending");
    serving.data(PIECE, END).result();
    await clock.settle();
    expect(read.code).toBe("done");
  });

  test("while it waits for a place waits as long as the others move on, and says so when they don't", async () => {
    const { clock, dock, session } = await openSession({ welcome: { limits: { ...USUAL_LIMITS, streams: 1 } } });
    const images = new ImageStore(session);
    const first = watch(images.get("first"));
    const second = watch(images.get("second"));
    await clock.settle();
    const large = picture(20 * PIECE);
    const serving = new Serving(dock, large).head();
    for (let i = 0; i < 19; i++) {
      serving.data(i * PIECE, (i + 1) * PIECE);
      await clock.advance(3_000);
      expect([first.code, second.code]).toEqual(["pending", "pending"]);
    }
    await clock.advance(30_000);
    expect([first.code, second.code]).toEqual(["TIMEOUT", "TIMEOUT"]);
    expect(second.error.message).toContain("for other calls");
    expect(dock.said("request").every(({ params }) => params.tag === "first")).toBe(true);
  });

  test("is put off in its repetition by pending", async () => {
    const { clock, dock, serving } = await reading();
    for (let i = 0; i < 10; i++) {
      await clock.advance(200);
      dock.send({ type: "pending", id: serving.id });
    }
    expect(dock.said("request")).toHaveLength(1);
  });
});

describe("a read that isn't wanted any more", () => {
  test("is ABORTED by its signal in the middle, at once, and cancelled; what still comes is ignored", async () => {
    const abort = new AbortController();
    const { clock, dock, read, serving } = await reading(image, { signal: abort.signal });
    serving.head().data(0, PIECE);
    await clock.settle();
    abort.abort();
    await clock.settle();
    expect(read.code).toBe("ABORTED");
    expect(dock.said("cancel")).toEqual([{ type: "cancel", id: serving.id }]);
    serving.data(PIECE, END).result();
    await clock.settle();
    expect(clock.waiting).toBe(0);
  });

  test("that was begun with an aborted signal isn't asked", async () => {
    const { clock, dock, session } = await openSession();
    const read = watch(new ImageStore(session).get("default", { signal: AbortSignal.abort() }));
    await clock.settle();
    expect(read.code).toBe("ABORTED");
    expect(dock.said("request")).toEqual([]);
  });

  test("is cancelled by leaving the loop, and its credit is free again for the next once the dock confirms", async () => {
    const { clock, dock, session } = await openSession();
    const images = new ImageStore(session);
    const reader = new Reader(images.stream("default"));
    const first = reader.take();
    await clock.settle();
    const serving = new Serving(dock, picture(200_000)).head().data(0, PIECE);
    await clock.settle();
    expect(first.code).toBe("done");
    const left = reader.leave();
    await clock.settle();
    expect(left.code).toBe("done");
    expect(dock.said("cancel")).toEqual([{ type: "cancel", id: serving.id }]);
    void watch(images.get("next"));
    await clock.settle();
    expect(dock.said("request")).toHaveLength(1);
    dock.failure(serving.id, "CANCELLED");
    await clock.settle();
    expect(dock.last("request").params).toMatchObject({ tag: "next", credit: FIRST_WINDOW });
  });

  test("is cancelled when who takes the bytes fails, with their own error", async () => {
    const { clock, dock, session } = await openSession();
    async function failing(): Promise<string> {
      try {
        for await (const _ of new ImageStore(session).stream("default")) throw new Error("the disk is full");
      } catch (error) {
        return String(error);
      }
      return "nothing";
    }
    const failed = watch(failing());
    await clock.settle();
    new Serving(dock, image).head().data(0, PIECE);
    await clock.settle();
    expect(failed.value).toBe("Error: the disk is full");
    expect(dock.said("cancel")).toHaveLength(1);
  });

  test("is cancelled by `cancel` after its info", async () => {
    const { clock, dock, session } = await openSession();
    const stream = new ImageStore(session).stream("default");
    const info = watch(stream.info());
    await clock.settle();
    new Serving(dock, image).head();
    await clock.settle();
    expect(info.value.size).toBe(END);
    const cancelled = watch(stream.cancel());
    await clock.settle();
    expect(cancelled.code).toBe("done");
    expect(dock.said("cancel")).toHaveLength(1);
  });
});
