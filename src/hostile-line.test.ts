/** Garbage, however much of it, costs bounded memory, and what follows it is still understood (SPEC §1.4, §10). */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { encodeFrame, encodeMessage } from "../protocol/index.js";
import { KvStore } from "./kv-store.js";
import { beginSession, openSession } from "./testing/open-session.js";
import { Random } from "./testing/random.js";
import type { Script } from "./testing/scripted-dock.js";
import { watch } from "./testing/watch.js";

const KiB = 2 ** 10;
const MiB = 2 ** 20;
/** What may be kept of all that came, and how much the process may grow meanwhile, in bytes. */
const KEPT = 2 * MiB;
const GROWN = 32 * MiB;

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

const answering: Script = (message, dock) => {
  if (message.type === "request") dock.result(message.id, { found: true, value: "GMT", store: "factory", upd: false });
};

const floods = [
  { flood: "a frame without end", size: 64 * MiB, chunk: Buffer.alloc(64 * KiB, 0x85), counter: "oversize" },
  { flood: "text without end", size: 16 * MiB, chunk: Buffer.alloc(64 * KiB, "All work and no play. "), counter: "textBytes" },
  { flood: "noise without end", size: 64 * MiB, chunk: Buffer.alloc(64 * KiB, 0x01), counter: "noiseBytes" },
  { flood: "random bytes", size: 8 * MiB, chunk: new Random(7).bytes(64 * KiB), counter: "noiseBytes" },
  { flood: "delimiters", size: MiB, chunk: Buffer.alloc(4 * KiB, 0x00), counter: "bytesIn" },
  { flood: "single bytes of noise", size: MiB / 4, chunk: Buffer.alloc(4 * KiB, "0100", "hex"), counter: "noiseBytes" },
  { flood: "tiny frames", size: MiB / 4, chunk: Buffer.alloc(4_000, "0281010100", "hex"), counter: "crc" },
  { flood: "frames with one bit wrong", size: MiB, chunk: Buffer.concat(Array(50).fill(brokenFrame())), counter: "crc" },
] as const;

describe("in a session", () => {
  test.each(floods)("$size bytes of $flood are dropped in bounded memory, and the next answer is read", async (flood) => {
    let text = 0;
    const onText = (some: string): void => {
      text += some.length;
    };
    const { clock, dock, line, session } = await openSession({ script: answering, session: { onText } });
    const store = new KvStore(session);
    await clock.run(store.get("timezone"));
    const before = memory();
    let most = 0;
    for (let sent = 0; sent < flood.size; sent += flood.chunk.length) {
      dock.raw(flood.chunk);
      if (line.dock.writableNeedDrain) await clock.settle();
      most = Math.max(most, process.memoryUsage.rss() - before.rss);
    }
    dock.raw("\0");
    await clock.settle();
    expect(memory().kept - before.kept).toBeLessThan(KEPT);
    expect(most).toBeLessThan(GROWN);
    expect(session.counters[flood.counter]).toBeGreaterThan(0);
    expect(session.counters.bytesIn).toBeGreaterThan(flood.size);
    if (flood.counter === "textBytes") expect(text).toBeGreaterThanOrEqual(session.counters.textBytes);
    expect(await clock.run(store.get("timezone"))).toBe("GMT");
  });
});

describe("in the handshake", () => {
  test.each(floods)("$flood doesn't hold up NO_ANSWER", async ({ chunk }) => {
    const { clock, dock, opening } = beginSession({ hello: () => {} });
    for (let i = 0; i < 50; i++) {
      dock.raw(chunk);
      await clock.advance(100);
    }
    expect(opening.code).toBe("NO_ANSWER");
    expect(clock.now()).toBe(5_000);
    expect(clock.waiting).toBe(0);
  });
});

describe("a call", () => {
  test.each(floods)("in the midst of $flood is TIMEOUT, in time", async ({ chunk }) => {
    const { clock, dock, session } = await openSession();
    const asked = watch(new KvStore(session).get("timezone", { timeout: 2_000 }));
    for (let i = 0; i < 20; i++) {
      dock.raw(chunk);
      await clock.advance(100);
    }
    expect(asked.code).toBe("TIMEOUT");
    expect(clock.now()).toBe(2_000);
  });
});

/** A usual answer with a bit changed that isn't in a code byte. */
function brokenFrame(): Buffer {
  const frame = Buffer.from(
    encodeFrame(encodeMessage({ type: "result", id: 7, value: { found: true, value: "x".repeat(38) } })),
  );
  frame[frame.length - 10] = (frame[frame.length - 10] ?? 0) ^ 0x10;
  return frame;
}

/** What is in use, and what the process takes, in bytes. */
function memory(): { kept: number; rss: number } {
  collectGarbage();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { kept: heapUsed + external, rss };
}
