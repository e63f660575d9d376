/** Credit follows the one who reads, so that an image costs a window of memory (SPEC §5.3). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FIRST_WINDOW } from "../protocol/index.js";
import { ImageStore } from "./image-store.js";
import { chopping } from "./testing/duplex-pair.js";
import { honestDock } from "./testing/honest-dock.js";
import { type OpenBench, openSession } from "./testing/open-session.js";
import { PIECE, picture, Serving, sha256Of } from "./testing/picture.js";
import { Random } from "./testing/random.js";
import { Reader } from "./testing/reader.js";
import { watch } from "./testing/watch.js";

const K = 1024;

describe("credit", () => {
  test("reaches no further than a window beyond what was taken, and no further than the image", () => {
    const patience = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 30 });
    return fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 300_000 }), patience, fc.nat(), async (size, patience, seed) => {
        const image = picture(size);
        const { clock, dock, session } = await openSession({ pair: { toHost: chopping(new Random(seed)) } });
        const reader = new Reader(new ImageStore(session).stream("default"));
        const first = reader.take();
        await clock.settle();
        const serving = new Serving(dock, image).head();
        let sent = 0;
        const check = (): void => {
          expect(dock.said("hostCredit").every(({ limit }) => limit <= size)).toBe(true);
          expect(serving.credit - reader.taken).toBeLessThanOrEqual(session.flow.window);
        };
        const sendAll = async (): Promise<void> => {
          const to = Math.min(serving.credit, size);
          serving.data(sent, to);
          sent = to;
          await clock.settle();
          check();
        };
        await sendAll();
        for (let round = 0; sent < size; round++) {
          for (let i = 0; i < (patience[round % patience.length] ?? 1); i++) {
            const taking = reader.take();
            await clock.settle();
            if (taking.code === "pending") break;
            check();
          }
          await sendAll();
        }
        expect(sent).toBe(size);
        expect(first.code).toBe(size === 0 ? "pending" : "done");
        dock.hangUp();
        await clock.settle();
      }),
      { numRuns: 20 },
    );
  });

  test("is granted as the consumer takes: nothing at first, more from a quarter of the window on", async () => {
    const { clock, dock, reader } = await served(FIRST_WINDOW - PIECE); // a whole window would let it grow
    expect(dock.said("hostCredit")).toEqual([]);
    reader.take();
    await clock.settle();
    expect(dock.said("hostCredit")).toEqual([]);
    reader.take();
    await clock.settle();
    expect(dock.said("hostCredit")).toMatchObject([{ limit: FIRST_WINDOW + 2 * PIECE }]);
  });

  test("isn't granted to a consumer that stops: it gets one window", async () => {
    const { clock, dock } = await served(FIRST_WINDOW);
    await clock.advance(120_000);
    expect(dock.said("hostCredit")).toEqual([]);
    expect(dock.said("hostResend")).toEqual([]);
    expect(dock.said("cancel")).toEqual([]);
  });

  test("that isn't used up for want of a consumer is no reason for TIMEOUT; reading goes on afterwards", async () => {
    const image = picture(200_000);
    const { clock, session } = await openSession({ ...honestDock({ images: { default: image } }) });
    const reader = new Reader(new ImageStore(session).stream("default"));
    const chunks: Uint8Array[] = [];
    for (;;) {
      await clock.advance(30_000);
      const taking = reader.take();
      await clock.settle();
      if (taking.value === undefined) break;
      chunks.push(taking.value);
    }
    expect(Buffer.concat(chunks).equals(image)).toBe(true);
  });

  test("of two streams together is no more than the window on the way", async () => {
    const { clock, dock, session } = await openSession();
    const images = new ImageStore(session);
    const readers = ["a", "b"].map((tag) => new Reader(images.stream(tag)));
    const image = picture(300_000);
    const pending = readers.map((reader) => reader.take());
    await clock.settle();
    const first = new Serving(dock, image);
    expect(first.credit).toBe(FIRST_WINDOW);
    expect(dock.said("request")).toHaveLength(1);
    first.head().data(0, 24 * K);
    await clock.settle();
    const second = new Serving(dock, image);
    expect(dock.said("request")).toHaveLength(2);
    second.head();
    await clock.settle();
    const sent = new Map([
      [first, 24 * K],
      [second, 0],
    ]);
    for (let round = 0; round < 200; round++) {
      const onTheWay = [...sent].reduce((sum, [serving, sent]) => sum + Math.min(serving.credit, image.length) - sent, 0);
      expect(onTheWay).toBeLessThanOrEqual(session.flow.window);
      const [serving, at] = [...sent][round % 2] ?? [first, 0];
      const to = Math.min(at + PIECE, serving.credit, image.length);
      serving.data(at, to);
      sent.set(serving, to);
      for (const reader of readers) reader.take();
      await clock.settle();
    }
    expect([...sent.values()]).toEqual([image.length, image.length]);
    expect(pending.map(({ code }) => code)).toEqual(["done", "done"]);
    expect(readers.map(({ taken }) => taken)).toEqual([image.length, image.length]);
  });

  test("of a small image gives back what it doesn't need as soon as its size is known", async () => {
    const { clock, dock, session } = await openSession();
    const images = new ImageStore(session);
    void watch(images.get("small"));
    void watch(images.get("other"));
    await clock.settle();
    expect(dock.said("request")).toHaveLength(1);
    new Serving(dock, picture(100)).head();
    await clock.settle();
    expect(dock.said("request").map(({ params }) => params.credit)).toEqual([FIRST_WINDOW, FIRST_WINDOW - 100]);
  });

  test("grows on a line that holds back, while nothing is lost, and so does the speed", async () => {
    const image = picture(2_000_000);
    const { clock, dock, session } = await openSession({
      ...honestDock({ images: { default: image } }),
      pair: { holdsBack: true },
    });
    const { data } = await clock.run(new ImageStore(session).get("default"));
    expect(sha256Of(data)).toEqual(sha256Of(image));
    expect(session.flow.window).toBe(512 * K);
    const limits = dock.said("hostCredit").map(({ limit }) => limit);
    expect(Math.max(...limits.map((limit, i) => limit - (limits[i - 1] ?? 0)))).toBeGreaterThan(FIRST_WINDOW);
  });

  /** A stream of which so much has come, and nothing was taken. */
  async function served(bytes: number): Promise<OpenBench & { reader: Reader }> {
    const bench = await openSession();
    const stream = new ImageStore(bench.session).stream("default");
    const info = watch(stream.info());
    await bench.clock.settle();
    new Serving(bench.dock, picture(400_000)).head().data(0, bytes);
    await bench.clock.settle();
    expect(info.code).toBe("done");
    return { ...bench, reader: new Reader(stream) };
  }
});
