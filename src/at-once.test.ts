import { expect, test } from "vitest";
import { atOnce } from "./at-once.js";

const NUMBERS = Array.from({ length: 100 }, (_, i) => i);

test("gives what the calls gave, in order, whichever ends first", async () => {
  const ends: (() => void)[] = [];
  const given = atOnce(NUMBERS.slice(0, 3), async (i) => {
    await new Promise<void>((resolve) => {
      ends[i] = resolve;
    });
    return i * 2;
  });
  for (const end of ends.toReversed()) end();
  expect(await given).toEqual([0, 2, 4]);
});

test("has 16 under way, and no more", async () => {
  let [now, most] = [0, 0];
  await atOnce(NUMBERS, async () => {
    now++;
    most = Math.max(most, now);
    await Promise.resolve();
    now--;
  });
  expect(most).toBe(16);
});

test("begins no call after one has failed", async () => {
  const begun: number[] = [];
  const calls = atOnce(NUMBERS, async (i) => {
    begun.push(i);
    if (i === 3) throw new Error("the fourth");
    await new Promise((resolve) => setImmediate(resolve));
  });
  await expect(calls).rejects.toThrow("the fourth");
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(begun).toEqual(NUMBERS.slice(0, 16));
});
