/** Calls that live through the loss of a link, and reads that go on over the next one (SPEC §3.4, §5.1). */
import { describe, expect, test } from "vitest";
import { FIRST_WINDOW, USUAL_LIMITS } from "../protocol/index.js";
import { type Image, ImageStore } from "./image-store.js";
import { KvStore } from "./kv-store.js";
import { FoundAgain } from "./testing/found-again.js";
import { honestDock } from "./testing/honest-dock.js";
import { PIECE, picture, Serving, sha256Of } from "./testing/picture.js";
import { image } from "./testing/reading.js";
import type { Script } from "./testing/scripted-dock.js";
import { type Watched, watch } from "./testing/watch.js";

const NONE = { found: false };
const answering: Script = (message, dock) => {
  if (message.type === "request") dock.result(message.id, NONE);
};

describe("a call", () => {
  test("that is made while it is down waits, and nothing is lost of it", async () => {
    const bench = await FoundAgain.open({ script: answering });
    await bench.cut();
    const reads = Array.from({ length: 100 }, (_, i) => watch(new KvStore(bench.session).get(`key ${i}`)));
    await bench.clock.advance(15_000);
    await bench.back();
    await bench.clock.settle();
    expect(reads.map(({ code }) => code)).toEqual(reads.map(() => "done"));
    expect(bench.dock.said("request")).toHaveLength(100);
    expect(bench.clock.waiting).toBe(0);
  });

  test("that was under way is asked again under a new id, when it only reads", async () => {
    const bench = await FoundAgain.open();
    const read = watch(new KvStore(bench.session).get("zone"));
    await bench.clock.settle();
    const before = bench.dock.last("request");
    await bench.cut();
    await bench.backRemembering({ script: answering });
    expect(read.code).toBe("done");
    expect(bench.dock.last("request")).toMatchObject({ op: "kv.get", params: before.params });
    expect(bench.dock.last("request").id).not.toBe(before.id);
  });

  test("ends in the time that its caller gave also while it is down", async () => {
    const bench = await FoundAgain.open();
    const calls = [
      watch<unknown>(new KvStore(bench.session).get("zone", { timeout: 3_000 })),
      watch<unknown>(new ImageStore(bench.session).get("default", { timeout: 3_000 })),
    ];
    await bench.clock.advance(1_000);
    await bench.cut();
    calls.push(watch(new KvStore(bench.session).get("late", { timeout: 2_000 })));
    await bench.clock.advance(1_999);
    expect(calls.map(({ code }) => code)).toEqual(["pending", "pending", "pending"]);
    await bench.clock.advance(1);
    expect(calls.map(({ code }) => code)).toEqual(["TIMEOUT", "TIMEOUT", "TIMEOUT"]);
  });

  test("has the time that its caller gave once, however often the dock is found again meanwhile", async () => {
    const bench = await FoundAgain.open();
    const read = watch(new KvStore(bench.session).get("zone", { timeout: 3_000 }));
    for (let i = 0; i < 2; i++) {
      await bench.clock.advance(1_000);
      await bench.cut();
      await bench.back();
    }
    await bench.clock.advance(2_999 - bench.clock.now());
    expect(read.code).toBe("pending");
    await bench.clock.advance(1);
    expect(read.code).toBe("TIMEOUT");
  });

  test("has its usual time, in which it is down isn't counted", async () => {
    const bench = await FoundAgain.open();
    const reads = [
      watch<unknown>(new KvStore(bench.session).get("zone")),
      watch<unknown>(new ImageStore(bench.session).get("default")),
    ];
    await bench.clock.advance(9_000);
    await bench.cut();
    await bench.clock.advance(20_000);
    await bench.back();
    await bench.clock.advance(900);
    expect(reads.map(({ code }) => code)).toEqual(["pending", "pending"]);
    await bench.clock.advance(10_000);
    expect(reads.map(({ code }) => code)).toEqual(["TIMEOUT", "TIMEOUT"]);
  });

  test("is ABORTED at once while it is down, and isn't asked any more", async () => {
    const bench = await FoundAgain.open();
    const abort = new AbortController();
    const { signal } = abort;
    const kv = new KvStore(bench.session);
    const reads: Watched<unknown>[] = [
      watch(kv.get("a", { signal })),
      watch(new ImageStore(bench.session).get("b", { signal })),
    ];
    await bench.clock.settle();
    await bench.cut();
    reads.push(watch(kv.get("c", { signal })), watch(kv.set("d", 1, { signal, store: "runtime" })));
    await bench.clock.settle();
    abort.abort();
    await bench.clock.settle();
    expect(reads.map(({ code }) => code)).toEqual(Array(4).fill("ABORTED"));
    await bench.back();
    expect(bench.dock.heard.map(({ message }) => message.type)).toEqual(["hello"]);
    expect(bench.clock.waiting).toBe(0);
  });

  test("goes on over several cuts in a row", async () => {
    const bench = await FoundAgain.open();
    const read = watch(new KvStore(bench.session).get("zone"));
    for (let i = 0; i < 5; i++) {
      await bench.clock.advance(700);
      await bench.cut();
      await bench.back();
    }
    expect(read.code).toBe("pending");
    await bench.cut();
    await bench.back({ script: answering });
    expect(read.code).toBe("done");
    expect(bench.session.counters.reconnects).toBe(6);
    expect(bench.clock.waiting).toBe(0);
  });

  test("that brings the line down each time fails in the end, and the session lives on", async () => {
    const deadly: Script = (message, dock) => {
      if (message.type !== "request") return;
      if (message.params.key === "deadly") dock.hangUp();
      else dock.result(message.id, NONE);
    };
    const bench = await FoundAgain.open({ script: deadly });
    for (let i = 0; i < 20; i++) bench.plug();
    const read = watch(new KvStore(bench.session).get("deadly"));
    await bench.clock.advance(60_000);
    expect(read.code).toBe("LINK_LOST");
    expect(await bench.clock.run(new KvStore(bench.session).get("harmless"))).toBeUndefined();
  });
});

describe("a read of an image", () => {
  const other = Buffer.from(image).reverse();

  async function half(bench: FoundAgain): Promise<Watched<Image>> {
    const read = watch(new ImageStore(bench.session).get("default"));
    await bench.clock.settle();
    new Serving(bench.dock, image).head().data(0, 2 * PIECE);
    await bench.clock.settle();
    await bench.cut();
    return read;
  }

  test.each(["remembers", "has forgotten"])(
    "goes on with the rest by its SHA-256, whether the dock %s or not",
    async (dock) => {
      const bench = await FoundAgain.open();
      const read = await half(bench);
      await bench.back({ ...honestDock({ images: { default: image } }), welcome: { resumed: dock === "remembers" } });
      expect(bench.dock.last("request").params).toMatchObject({ from: 2 * PIECE, ifSha256: sha256Of(image) });
      expect(Buffer.from(read.value.data).equals(image)).toBe(true);
      expect(bench.clock.waiting).toBe(0);
    },
  );

  test("is CHANGED when the image is another one now, and gives nothing of either", async () => {
    const bench = await FoundAgain.open();
    const read = await half(bench);
    await bench.back(honestDock({ images: { default: other } }));
    expect(read.code).toBe("CHANGED");
    expect(bench.clock.waiting).toBe(0);
  });

  test("goes on over a cut after each piece", async () => {
    const bench = await FoundAgain.open();
    const read = watch(new ImageStore(bench.session).get("default"));
    await bench.clock.settle();
    for (let at = 0; at < 5 * PIECE; at += PIECE) {
      new Serving(bench.dock, image).head().data(at, at + PIECE);
      await bench.clock.settle();
      await bench.cut();
      await bench.back();
    }
    new Serving(bench.dock, image)
      .head()
      .data(5 * PIECE, image.length)
      .result(5 * PIECE);
    await bench.clock.settle();
    expect(Buffer.from(read.value.data).equals(image)).toBe(true);
    expect(bench.clock.waiting).toBe(0);
  });

  test("is asked for the rest also when the dock has lost it after several cuts, over each of which it came further", async () => {
    const bench = await FoundAgain.open();
    const read = watch(new ImageStore(bench.session).get("default"));
    await bench.clock.settle();
    for (let at = 0; at < 4 * PIECE; at += PIECE) {
      new Serving(bench.dock, image).head().data(at, at + PIECE);
      await bench.clock.settle();
      await bench.cut();
      await bench.back();
    }
    new Serving(bench.dock, image).head().failure("STALE");
    await bench.clock.settle();
    new Serving(bench.dock, image)
      .head()
      .data(4 * PIECE, image.length)
      .result(4 * PIECE);
    await bench.clock.settle();
    expect(bench.dock.said("request")).toHaveLength(2);
    expect(Buffer.from(read.value.data).equals(image)).toBe(true);
  });

  test("whose consumer stands still lets no more come than the window, however often the link is lost", async () => {
    const large = picture(10 * FIRST_WINDOW);
    const bench = await FoundAgain.open(honestDock({ images: { default: large } }));
    const pieces = new ImageStore(bench.session).stream("default")[Symbol.asyncIterator]();
    const { value: first } = await bench.clock.run(pieces.next());
    expect(first).toHaveLength(PIECE);
    for (let i = 0; i < 5; i++) {
      await bench.cut();
      await bench.back();
    }
    const granted = bench.docks.flatMap((dock) => [
      ...dock.said("request").map(({ params }) => Number(params.credit)),
      ...dock.said("hostCredit").map(({ limit }) => limit),
    ]);
    expect(Math.max(...granted)).toBe(PIECE + 2 * FIRST_WINDOW); // it has grown once
    const next = (): ReturnType<typeof pieces.next> => bench.clock.run(pieces.next());
    const rest: Uint8Array[] = [];
    for (let piece = await next(); !piece.done; piece = await next()) rest.push(piece.value);
    expect(Buffer.concat(rest).equals(large.subarray(PIECE))).toBe(true);
  });

  test("waits for its turn again behind the others, when the dock has fewer places", async () => {
    const bench = await FoundAgain.open();
    const images = new ImageStore(bench.session);
    const reads = ["a", "b", "c"].map((tag) => watch(images.get(tag)));
    await bench.clock.settle();
    await bench.cut();
    const limits = { ...USUAL_LIMITS, streams: 1 };
    await bench.back({ ...honestDock({ images: { a: image, b: image, c: other } }), welcome: { limits } });
    for (let i = 0; i < 10; i++) await bench.clock.settle();
    expect(reads.map(({ code }) => code)).toEqual(["done", "done", "done"]);
  });
});
