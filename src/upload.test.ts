/** An upload that goes well: the request, data within the credit, the result (SPEC §5.2). */
import { describe, expect, test } from "vitest";
import { USUAL_LIMITS as limits } from "../protocol/index.js";
import { ImageStore } from "./image-store.js";
import { PIECE, picture, sha256Of } from "./testing/picture.js";
import { END, image } from "./testing/reading.js";
import { Receiving, uploading } from "./testing/receiving.js";
import type { Script } from "./testing/scripted-dock.js";
import { fileOf } from "./testing/sources.js";
import { watch } from "./testing/watch.js";
import { openWritable, REMOVED } from "./testing/writable.js";
import type { UploadProgress } from "./upload.js";

const png = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), picture(300)]);

describe("an upload", () => {
  test("says what it is, sends nothing more before the dock has said where to begin, then everything, and gives what was put", async () => {
    const { clock, dock, put, receiving } = await uploading();
    const params = { tag: "logo", type: "none", size: END, sha256: sha256Of(image), store: "runtime" };
    expect(receiving.request.params).toEqual(params);
    expect(dock.said("hostData")).toEqual([]);
    receiving.at(0, END);
    await clock.settle();
    expect(receiving.bytes.equals(image)).toBe(true);
    expect(receiving.count).toBe(END);
    expect(put.code).toBe("pending");
    receiving.done();
    await clock.settle();
    expect(put.value).toEqual({ type: "none", size: END, store: "runtime", sha256: sha256Of(image).toString("hex") });
    expect(clock.waiting).toBe(0);
  });

  test("finds out the type by itself", async () => {
    const { receiving } = await uploading(png, { type: undefined });
    expect(receiving.request.params.type).toBe("png");
  });

  test("of a file is sent like one of bytes", async () => {
    const taking: Script = (message, dock) => {
      if (message.type === "request") new Receiving(dock).at(0, END);
      else if (message.type === "hostData" && message.offset + message.bytes.length === END) new Receiving(dock).done();
    };
    const { ended, put, receiving } = await uploading({ file: await fileOf(image) }, { script: taking });
    await ended;
    expect(receiving.bytes.equals(image)).toBe(true);
    expect(put.code).toBe("done");
  });

  test("of nothing is a request and a result", async () => {
    const { clock, put, receiving } = await uploading(new Uint8Array(0));
    expect(receiving.request.params.size).toBe(0);
    receiving.at(0, 0);
    await clock.settle();
    receiving.done();
    await clock.settle();
    expect(put.code).toBe("done");
    expect(receiving.ranges).toEqual([]);
  });

  test("sends nothing when the dock has it already: the result comes at once", async () => {
    const { clock, put, receiving } = await uploading();
    receiving.done({ ...REMOVED, existed: true });
    await clock.settle();
    expect(put.code).toBe("done");
    expect(receiving.ranges).toEqual([]);
    expect(clock.waiting).toBe(0);
  });

  test("begins where the dock says, with what is missing", async () => {
    const { clock, receiving } = await uploading();
    receiving.at(3 * PIECE + 5, END);
    await clock.settle();
    expect(receiving.ranges[0]?.[0]).toBe(3 * PIECE + 5);
    expect(receiving.bytes.subarray(3 * PIECE + 5).equals(image.subarray(3 * PIECE + 5))).toBe(true);
  });

  test("sends nothing when nothing is missing", async () => {
    const { clock, put, receiving } = await uploading();
    receiving.at(END, END);
    await clock.settle();
    expect(receiving.ranges).toEqual([]);
    receiving.done();
    await clock.settle();
    expect(put.code).toBe("done");
  });

  test("tells how far it has come, what the dock had already included", async () => {
    const told: UploadProgress[] = [];
    const { clock, receiving } = await uploading(image, { onProgress: (progress) => told.push(progress) });
    receiving.at(PIECE, 3 * PIECE);
    await clock.settle();
    expect(told).toEqual([2, 3].map((n) => ({ sent: n * PIECE, size: END })));
  });

  test("whose caller's onProgress fails ends with that, and the dock is told", async () => {
    const oops = new Error("oops");
    const onProgress = (): void => {
      throw oops;
    };
    const { clock, dock, put, receiving } = await uploading(image, { onProgress });
    receiving.at(0, PIECE);
    await clock.settle();
    expect(put.error).toMatchObject({ code: "ABORTED", cause: oops });
    expect(dock.said("cancel")).toHaveLength(1);
  });

  test("counts what was sent", async () => {
    const { clock, receiving, session } = await uploading();
    receiving.at(0, END);
    await clock.settle();
    receiving.back(0, END);
    await clock.settle();
    expect(session.counters.uploaded).toBe(2 * END);
  });
});

describe("credit", () => {
  test("isn't passed by a byte", async () => {
    const { clock, receiving } = await uploading();
    receiving.at(0, PIECE + 1);
    await clock.settle();
    expect(receiving.ranges).toEqual([
      [0, PIECE],
      [PIECE, PIECE + 1],
    ]);
    await clock.advance(200);
    expect(receiving.count).toBe(PIECE + 1);
  });

  test("is gone on with when more comes", async () => {
    const { clock, receiving } = await uploading();
    receiving.at(0, PIECE);
    await clock.settle();
    receiving.credit(2 * PIECE);
    await clock.settle();
    receiving.credit(END);
    await clock.settle();
    expect(receiving.count).toBe(END);
    expect(receiving.bytes.equals(image)).toBe(true);
  });

  test("that is lower than before changes nothing", async () => {
    const { clock, put, receiving } = await uploading();
    receiving
      .at(0, 2 * PIECE)
      .credit(PIECE)
      .credit(0);
    await clock.settle();
    expect(receiving.count).toBe(2 * PIECE);
    receiving.resend(0, PIECE, 10);
    await clock.settle();
    expect(receiving.count).toBe(3 * PIECE);
    expect(put.code).toBe("pending");
  });

  test("beyond the end sends no more than there is", async () => {
    const { clock, receiving } = await uploading();
    receiving.at(0, 2 ** 32 - 1);
    await clock.settle();
    expect(receiving.count).toBe(END);
  });

  test("that comes before the dock has said where to begin sends nothing", async () => {
    const { clock, receiving } = await uploading();
    receiving.credit(END);
    await clock.settle();
    expect(receiving.ranges).toEqual([]);
  });

  test("is sent in messages that the dock takes", async () => {
    const { clock, dock, session } = await openWritable({ welcome: { limits: { ...limits, maxBody: 1_000 } } });
    void new ImageStore(session).put("logo", image, { store: "runtime", type: "none" }).catch(() => {});
    await clock.settle();
    const receiving = new Receiving(dock).at(0, END);
    await clock.settle();
    expect(receiving.bytes.equals(image)).toBe(true);
    expect(Math.max(...receiving.ranges.map(([from, to]) => to - from))).toBe(1_000 - 17);
  });
});

describe("several uploads", () => {
  test("no more than the dock has streams for are begun; the next one when one is through", async () => {
    const { clock, dock, session } = await openWritable({ welcome: { limits: { ...limits, streams: 2 } } });
    const images = new ImageStore(session);
    const puts = ["a", "b", "c"].map((tag) => watch(images.put(tag, image, { store: "runtime", type: "none" })));
    await clock.settle();
    expect(dock.said("request").map(({ params }) => params.tag)).toEqual(["a", "b"]);
    dock.result(dock.last("request").id, REMOVED);
    await clock.settle();
    expect(dock.said("request").map(({ params }) => params.tag)).toEqual(["a", "b", "c"]);
    expect(puts.map(({ code }) => code)).toEqual(["pending", "done", "pending"]);
  });

  test("take turns on the line", async () => {
    const large = picture(40 * PIECE);
    const script: Script = (message, it) => {
      if (message.type !== "request") return;
      it.send({ type: "dockResend", id: message.id, from: 0, to: 0, limit: large.length });
    };
    const { clock, dock, session } = await openWritable({ script });
    const images = new ImageStore(session);
    for (const tag of ["a", "b"]) void images.put(tag, large, { store: "runtime", type: "none" }).catch(() => {});
    for (let i = 0; i < 100; i++) await clock.settle();
    const order = dock.said("hostData").map(({ id }) => id);
    expect(new Set(order).size).toBe(2);
    expect(order.indexOf(order.at(-1) ?? 0)).toBeLessThan(order.length / 2);
  });
});

describe("memory", () => {
  test("a line that takes nothing isn't sent more than waits at once, whatever the credit", async () => {
    const large = picture(2 ** 21);
    const { clock, line, receiving, session } = await uploading(large);
    line.dock.pause();
    receiving.at(0, 2 ** 32 - 1);
    for (let i = 0; i < 50; i++) await clock.settle();
    expect(session.counters.uploaded).toBeLessThan(512 * 1024);
    line.dock.resume();
    for (let i = 0; receiving.count < large.length && i < 2_000; i++) await clock.settle();
    expect(receiving.bytes.equals(large)).toBe(true);
  });
});
