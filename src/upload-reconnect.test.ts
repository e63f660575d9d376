/** An upload whose link is lost goes on over the next one (SPEC §3.4, §5.2). */
import { describe, expect, test } from "vitest";
import { USUAL_LIMITS } from "../protocol/index.js";
import type { Outcome } from "./errors.js";
import { ImageStore } from "./image-store.js";
import { KvStore } from "./kv-store.js";
import type { OpenSource } from "./source.js";
import { FoundAgain, OUTAGE } from "./testing/found-again.js";
import { PIECE, sha256Of } from "./testing/picture.js";
import { END, image } from "./testing/reading.js";
import { Receiving } from "./testing/receiving.js";
import type { Script } from "./testing/scripted-dock.js";
import { type Watched, watch } from "./testing/watch.js";
import { REMOVED } from "./testing/writable.js";
import { Upload } from "./upload.js";

const options = { store: "runtime", type: "none" } as const;

interface Begun {
  readonly bench: FoundAgain;
  readonly put: Watched<unknown>;
  /** The dock's side of it, over the line that there is. */
  readonly receiving: () => Receiving;
}

/** An upload of which the dock has been sent as much as it gave credit for, if it did. */
async function begun(credit?: number, more: { readonly timeout?: number; readonly signal?: AbortSignal } = {}): Promise<Begun> {
  const bench = await FoundAgain.open();
  const put = watch(new ImageStore(bench.session).put("logo", image, { ...options, ...more }));
  await bench.clock.settle();
  const receiving = (): Receiving => new Receiving(bench.dock);
  if (credit !== undefined) receiving().at(0, credit);
  await bench.clock.settle();
  return { bench, put, receiving };
}

describe("an upload whose dock is found again", () => {
  test.each<[string, number | undefined]>([
    ["before the dock has said where to begin", undefined],
    ["in the middle", 2 * PIECE],
    ["after the last byte", END],
  ])("is asked for again under its id when the dock remembers, cut %s", async (_, credit) => {
    const { bench, put, receiving } = await begun(credit);
    const { request } = receiving();
    await bench.cut();
    await bench.backRemembering();
    expect(bench.dock.said("request")).toEqual([request]);
    expect(bench.dock.said("hostData")).toEqual([]);
    receiving().at(PIECE, END);
    await bench.clock.settle();
    expect(receiving().ranges[0]?.[0]).toBe(PIECE);
    expect(receiving().bytes.subarray(PIECE).equals(image.subarray(PIECE))).toBe(true);
    receiving().done();
    await bench.clock.settle();
    expect(put.code).toBe("done");
    expect(bench.clock.waiting).toBe(0);
  });

  test("takes the result from memory when it was there already", async () => {
    const { bench, put, receiving } = await begun(END);
    await bench.cut();
    await bench.backRemembering();
    receiving().done();
    await bench.clock.settle();
    expect(put.code).toBe("done");
    expect(bench.dock.said("hostData")).toEqual([]);
    expect(bench.clock.waiting).toBe(0);
  });

  test.each<[string, number | undefined]>([
    ["before the dock has said where to begin", undefined],
    ["in the middle", 2 * PIECE],
    ["after the last byte", END],
  ])("is put again under a new id when the dock has forgotten, cut %s", async (_, credit) => {
    const { bench, put, receiving } = await begun(credit);
    const { id, params } = receiving().request;
    await bench.cut();
    await bench.back();
    expect(bench.dock.said("request")).toMatchObject([{ op: "image.put", params }]);
    expect(receiving().id).not.toBe(id);
    receiving().at(0, END);
    await bench.clock.settle();
    expect(receiving().bytes.equals(image)).toBe(true);
    receiving().done();
    await bench.clock.settle();
    expect(put.code).toBe("done");
    expect(bench.clock.waiting).toBe(0);
  });

  test("and was all there before the dock forgot, is in doubt until the dock asks for its bytes", async () => {
    const { bench, put, receiving } = await begun(END, { timeout: 5_000 });
    await bench.cut();
    await bench.back();
    bench.dock.failure(receiving().id, "BUSY"); // which says nothing of what was before
    await bench.clock.settle();
    expect(put.code).toBe("OUTCOME_UNKNOWN");
    const again = await begun(END, { timeout: 5_000 });
    await again.bench.cut();
    await again.bench.back();
    again.receiving().at(0, PIECE); // so it hadn't been there
    await again.bench.clock.advance(20_000);
    expect(again.put.code).toBe("TIMEOUT");
    expect(receiving().ranges).toEqual([]);
  });

  test("counts as a write again when the dock has forgotten: no more than 63 others are sent after it", async () => {
    const { bench } = await begun();
    await bench.cut();
    const limits = { ...USUAL_LIMITS, requests: 1_024, window: 2 ** 20 };
    await bench.back({
      welcome: { limits },
      script: (message, dock) => {
        if (message.type === "request" && message.op === "kv.delete") dock.result(message.id, REMOVED);
      },
    });
    for (let i = 0; i < 100; i++) void new KvStore(bench.session).delete(`key ${i}`, { store: "runtime" }).catch(() => {});
    await bench.clock.settle();
    expect(bench.dock.said("request")).toHaveLength(64);
  });

  test("goes on over a cut after each piece, from where the dock says", async () => {
    const { bench, put, receiving } = await begun(PIECE);
    for (let n = 1; n < 5; n++) {
      await bench.cut();
      await (n % 2 === 0 ? bench.back() : bench.backRemembering());
      receiving().at(n * PIECE, (n + 1) * PIECE);
      await bench.clock.settle();
      expect(receiving().ranges).toEqual([[n * PIECE, (n + 1) * PIECE]]);
    }
    receiving().credit(END);
    await bench.clock.settle();
    receiving().done();
    await bench.clock.settle();
    expect(put.code).toBe("done");
    expect(bench.session.counters.uploaded).toBe(END);
    expect(bench.clock.waiting).toBe(0);
  });

  test("has its usual time again from a dock that has forgotten, although it had come further before", async () => {
    const { bench, put, receiving } = await begun(5 * PIECE);
    await bench.cut();
    await bench.back();
    for (let at = 0; at < 5; at++) {
      receiving()
        .at(0, 0)
        .credit((at + 1) * PIECE);
      await bench.clock.advance(9_000);
    }
    expect(put.code).toBe("pending");
    receiving().credit(END).done();
    await bench.clock.settle();
    expect(put.code).toBe("done");
  });

  test("that takes the dock down each time at the same place fails in the end", async () => {
    const deadly: Script = (message, dock) => {
      if (message.type === "request") dock.send({ type: "dockResend", id: message.id, from: 0, to: 0, limit: 3 * PIECE });
      if (message.type === "hostData" && message.offset === 2 * PIECE) dock.hangUp();
    };
    const bench = await FoundAgain.open({ script: deadly });
    for (let i = 0; i < 40; i++) bench.plug();
    const put = watch(new ImageStore(bench.session).put("logo", image, options));
    await bench.clock.advance(60_000);
    expect(put.code).toBe("LINK_LOST");
    expect(bench.docks.length).toBeLessThan(20);
  });

  test("waits for its turn when the dock has fewer places now", async () => {
    const bench = await FoundAgain.open();
    const images = new ImageStore(bench.session);
    const puts = ["a", "b", "c"].map((tag) => watch(images.put(tag, image, options)));
    await bench.clock.settle();
    const before = bench.dock.said("request");
    await bench.cut();
    await bench.backRemembering({ welcome: { limits: { ...USUAL_LIMITS, streams: 1 } } });
    for (const request of before) {
      expect(bench.dock.last("request")).toEqual(request);
      new Receiving(bench.dock).done();
      await bench.clock.settle();
    }
    expect(puts.map(({ code }) => code)).toEqual(["done", "done", "done"]);
    expect(bench.clock.waiting).toBe(0);
  });
});

describe("while the line is down", () => {
  test("an upload sends and counts nothing, and repeats no request", async () => {
    const { bench } = await begun(PIECE);
    new Receiving(bench.dock).credit(2 * PIECE);
    bench.dock.hangUp();
    await bench.clock.settle();
    const { uploaded, retries } = bench.session.counters;
    await bench.clock.advance(20_000);
    expect(bench.session.counters).toMatchObject({ uploaded, retries });
  });

  test("what was being read isn't sent to nobody", async () => {
    const bench = await FoundAgain.open();
    let arrive = (): void => {};
    const source: OpenSource = {
      size: END,
      sha256: sha256Of(image),
      head: image,
      read: (at, length) => {
        const bytes = image.subarray(at, at + length);
        if (bench.session.counters.uploaded > 0) return bytes;
        return new Promise((resolve) => {
          arrive = () => resolve(bytes);
          bench.session.counters.uploaded = 1;
        });
      },
      changed: async () => undefined,
      async [Symbol.asyncDispose]() {},
    };
    const params = { tag: "logo", size: END, sha256: source.sha256, ...options };
    const settled = watch(
      new Promise<Outcome<unknown>>((resolve) => new Upload(bench.session, params, source, {}, resolve).begin()),
    );
    await bench.clock.settle();
    new Receiving(bench.dock).at(0, END);
    await bench.clock.settle();
    await bench.cut();
    arrive();
    await bench.clock.settle();
    expect(bench.session.counters.uploaded).toBe(1);
    await bench.backRemembering();
    const receiving = new Receiving(bench.dock).at(0, END);
    await bench.clock.settle();
    expect(receiving.bytes.equals(image)).toBe(true);
    receiving.done();
    await bench.clock.settle();
    expect(settled.value).toMatchObject({ kind: "done" });
  });

  test("an upload ends in the time that its caller gave", async () => {
    const { bench, put } = await begun(2 * PIECE, { timeout: 3_000 });
    await bench.clock.advance(1_000);
    await bench.cut();
    await bench.clock.advance(1_999);
    expect(put.code).toBe("pending");
    await bench.clock.advance(1);
    expect(put.code).toBe("TIMEOUT");
    await bench.back();
    expect(bench.dock.said("request")).toEqual([]);
    await bench.clock.advance(20_000);
    expect(bench.clock.waiting).toBe(0);
  });

  test("an upload is ABORTED at once, and not put again", async () => {
    const abort = new AbortController();
    const { bench, put } = await begun(2 * PIECE, { signal: abort.signal });
    await bench.cut();
    abort.abort();
    await bench.clock.settle();
    expect(put.code).toBe("ABORTED");
    await bench.back();
    expect(bench.dock.said("request")).toEqual([]);
  });

  test.each<[string, number | undefined, string]>([
    ["wasn't answered", undefined, "OUTCOME_UNKNOWN"],
    ["lacks bytes", 2 * PIECE, "LINK_LOST"],
    ["has all its bytes", END, "OUTCOME_UNKNOWN"],
  ])("for too long, an upload that %s is %s", async (_, credit, code) => {
    const { bench, put } = await begun(credit);
    await bench.cut();
    await bench.clock.advance(OUTAGE);
    expect(put.code).toBe(code);
    expect(bench.clock.waiting).toBe(0);
  });
});

test("an upload of a transaction gives back nothing over the next line, of which it had nothing", async () => {
  const bench = await FoundAgain.open({ welcome: { limits: { ...USUAL_LIMITS, streams: 1 } } });
  const source = { size: END, sha256: sha256Of(image), head: image, read: () => image, changed: async () => undefined };
  const params = { tag: "logo", size: END, sha256: source.sha256, txn: 7, ...options };
  const settled = watch(
    new Promise<Outcome<unknown>>((resolve) =>
      new Upload(bench.session, params, { ...source, async [Symbol.asyncDispose]() {} }, {}, resolve).begin(),
    ),
  );
  await bench.clock.settle();
  await bench.cut();
  await bench.backRemembering({ welcome: { limits: { ...USUAL_LIMITS, streams: 1 } } });
  expect(settled.value).toMatchObject({ kind: "failed", problem: { code: "LINK_LOST" } });
  const images = new ImageStore(bench.session);
  for (const tag of ["a", "b", "c"]) void images.put(tag, image, options).catch(() => {});
  await bench.clock.settle();
  expect(bench.dock.said("request")).toHaveLength(1);
});
