/** Closing a dock, and opening it again. */
import { expect, test } from "vitest";
import type { Dock } from "../../src/index.js";
import { allOf, CALLS, codesOf, WRITES } from "./calls.js";
import { expectAnswers } from "./reading.js";
import { largeImage, type Subject, smallImage } from "./subject.js";

/** How often a dock is opened again: what goes wrong there does so now and then. */
const TIMES = 20;

export function ending(subject: Subject): void {
  test("leaving the block of `await using` closes it", async () => {
    let left: Dock;
    {
      await using dock = await subject.open();
      left = dock;
    }
    expect(await left.closed).toBeUndefined();
    expect(await codesOf(CALLS, left)).toEqual(allOf(CALLS, "CLOSED"));
  });

  test("each call after close is CLOSED", async () => {
    await using dock = await subject.open();
    await dock.close();
    expect(await codesOf(CALLS, dock)).toEqual(allOf(CALLS, "CLOSED"));
  });

  test("each call that writes is CLOSED after close as well, where the dock could do it", async () => {
    await using dock = await subject.open();
    await dock.close();
    const calls = Object.entries(WRITES).flatMap(([feature, calls]) => (dock.features.includes(feature) ? [calls] : []));
    for (const writes of calls) expect(await codesOf(writes, dock)).toEqual(allOf(writes, "CLOSED"));
  });

  test("what is under way at close is CLOSED", async () => {
    await using dock = await subject.open();
    const codes = codesOf(CALLS, dock);
    await dock.close();
    expect(await codes).toEqual(allOf(CALLS, "CLOSED"));
  });

  test("a stream that is being read at close is CLOSED", async (context) => {
    await using dock = await subject.open();
    const { tag } = await largeImage(subject, context, dock);
    const read = async (): Promise<void> => {
      for await (const _ of dock.images.stream(tag)) await dock.close();
    };
    await expect(read()).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("closing twice, also at once, is fine", async () => {
    await using dock = await subject.open();
    await Promise.all([dock.close(), dock.close()]);
    await dock.close();
    expect(await dock.closed).toBeUndefined();
  });

  test("`closed` waits for the end, and is undefined after close", async () => {
    await using dock = await subject.open();
    let ended = false;
    const closed = dock.closed.finally(() => {
      ended = true;
    });
    await expectAnswers(dock);
    expect(ended).toBe(false);
    await dock.close();
    expect(await closed).toBeUndefined();
  });

  test("what the dock said of itself can still be read after close", async () => {
    await using dock = await subject.open();
    const { id, name, features, stores, limits } = dock;
    await dock.close();
    expect(dock).toMatchObject({ id, name, features, stores, limits });
  });

  test("it can be opened again at once after close, as the same dock", async () => {
    const ids = new Set<string>();
    for (let i = 0; i < TIMES; i++) {
      await using dock = await subject.open();
      // Closing comes while the line is at rest, or while the last bytes of the handshake are still being read.
      if (i % 2 === 0) await expectAnswers(dock);
      else await new Promise(setImmediate);
      ids.add(dock.id);
    }
    expect(ids.size).toBe(1);
  });

  test("it can be opened again at once after it was closed in the middle of a stream", async (context) => {
    for (let i = 0; i < TIMES; i++) {
      await using dock = await subject.open();
      const { tag } = await largeImage(subject, context, dock);
      for await (const _ of dock.images.stream(tag)) {
        await dock.close();
        break;
      }
    }
    await using dock = await subject.open();
    await expectAnswers(dock);
  });

  test("a token is good in the next session of the same boot", async (context) => {
    await using before = await subject.open();
    const { bootId } = await before.info();
    const { tag } = await smallImage(subject, context, before);
    const token = await before.images.getToken(tag);
    const image = await before.images.get(tag);
    await before.close();
    await using dock = await subject.open();
    if ((await dock.info()).bootId !== bootId) return context.skip("this dock restarts when its port is opened");
    expect(await dock.images.get(token)).toEqual(image);
  });
}
