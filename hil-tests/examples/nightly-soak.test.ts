/** A soak for the night: `DL7450_SOAK_SECONDS=28800`. Writes and reads at random, and looks each time whether the dock has what it said that it has. */
import { randomBytes, randomInt } from "node:crypto";
import { dockTest } from "dl7450/vitest";
import { expect } from "vitest";

const SECONDS = Number(process.env.DL7450_SOAK_SECONDS ?? 1);

dockTest("what is written is read, for hours", { timeout: SECONDS * 1_000 + 60_000 }, async ({ dock, needs, annotate }) => {
  needs("write.ephemeral");
  const until = performance.now() + SECONDS * 1_000;
  let rounds = 0;
  for (; rounds === 0 || performance.now() < until; rounds++) {
    const data = randomBytes(randomInt(1, 100_000));
    const tag = `soak ${randomInt(8)}`;
    await dock.images.put(tag, data, { store: "ephemeral", type: "none" });
    await dock.kv.set(tag, { round: rounds, bytes: data.length }, { store: "ephemeral" });
    await expect(dock).toHaveKey(tag, { round: rounds, bytes: data.length });
    expect(Buffer.compare((await dock.images.get(tag)).data, data)).toBe(0);
  }
  const { retries, gaps, crc, reconnects } = dock.link.counters;
  await annotate(`${rounds} rounds, ${retries} retries, ${gaps} gaps, ${crc} broken frames, ${reconnects} reconnects`, "soak");
});
