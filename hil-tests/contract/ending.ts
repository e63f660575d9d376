/** Closing a dock, and opening it again. */
import { expect } from "vitest";
import type { Dock } from "../../src/index.js";
import { allOf, CALLS, codesOf, WRITES } from "./calls.js";
import { contractTest } from "./contract-test.js";
import { expectAnswers, largeImage, smallImage } from "./reading.js";

/** How often a dock is opened again: what goes wrong there does so now and then. */
const TIMES = 20;

export function ending(): void {
  contractTest("leaving the block of `await using` closes it", async ({ open }) => {
    let left: Dock;
    {
      await using dock = await open();
      left = dock;
    }
    expect(await left.closed).toBeUndefined();
    expect(await codesOf(CALLS, left)).toEqual(allOf(CALLS, "CLOSED"));
  });

  contractTest("each call after close is CLOSED", async ({ open }) => {
    const dock = await open();
    await dock.close();
    expect(await codesOf(CALLS, dock)).toEqual(allOf(CALLS, "CLOSED"));
  });

  contractTest("each call that writes is CLOSED after close as well, where the dock could do it", async ({ open }) => {
    const dock = await open();
    await dock.close();
    const calls = Object.entries(WRITES).flatMap(([feature, calls]) => (dock.features.includes(feature) ? [calls] : []));
    for (const writes of calls) expect(await codesOf(writes, dock)).toEqual(allOf(writes, "CLOSED"));
  });

  contractTest("what is under way at close is CLOSED", async ({ open }) => {
    const dock = await open();
    const codes = codesOf(CALLS, dock);
    await dock.close();
    expect(await codes).toEqual(allOf(CALLS, "CLOSED"));
  });

  contractTest("a stream that is being read at close is CLOSED", async ({ open, found }) => {
    const dock = await open();
    const { tag } = await largeImage(found, dock);
    const read = async (): Promise<void> => {
      for await (const _ of dock.images.stream(tag)) await dock.close();
    };
    await expect(read()).rejects.toMatchObject({ code: "CLOSED" });
  });

  contractTest("closing twice, also at once, is fine", async ({ open }) => {
    const dock = await open();
    await Promise.all([dock.close(), dock.close()]);
    await dock.close();
    expect(await dock.closed).toBeUndefined();
  });

  contractTest("`closed` waits for the end, and is undefined after close", async ({ open }) => {
    const dock = await open();
    let ended = false;
    const closed = dock.closed.finally(() => {
      ended = true;
    });
    await expectAnswers(dock);
    expect(ended).toBe(false);
    await dock.close();
    expect(await closed).toBeUndefined();
  });

  contractTest("what the dock said of itself can still be read after close", async ({ open }) => {
    const dock = await open();
    const { id, name, features, stores, limits } = dock;
    await dock.close();
    expect(dock).toMatchObject({ id, name, features, stores, limits });
  });

  contractTest("it can be opened again at once after close, as the same dock", async ({ open }) => {
    const ids = new Set<string>();
    for (let i = 0; i < TIMES; i++) {
      await using dock = await open();
      // Closing comes while the line is at rest, or while the last bytes of the handshake are still being read.
      if (i % 2 === 0) await expectAnswers(dock);
      else await new Promise(setImmediate);
      ids.add(dock.id);
    }
    expect(ids.size).toBe(1);
  });

  contractTest("it can be opened again at once after it was closed in the middle of a stream", async ({ open, found }) => {
    for (let i = 0; i < TIMES; i++) {
      await using dock = await open();
      const { tag } = await largeImage(found, dock);
      for await (const _ of dock.images.stream(tag)) {
        await dock.close();
        break;
      }
    }
    const dock = await open();
    await expectAnswers(dock);
  });

  contractTest("a token is good in the next session of the same boot", async ({ open, found, skipFor }) => {
    await using before = await open();
    const { bootId } = await before.info();
    const { tag } = await smallImage(found, before);
    const token = await before.images.getToken(tag);
    const image = await before.images.get(tag);
    await before.close();
    await using dock = await open();
    if ((await dock.info()).bootId !== bootId) return skipFor("this dock restarts when its port is opened");
    expect(await dock.images.get(token)).toEqual(image);
  });
}
