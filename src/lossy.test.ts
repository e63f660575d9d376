/** Over a line that breaks what it carries, every read gives exactly what the dock holds, or fails and says why. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ImageStore } from "./image-store.js";
import { KvStore } from "./kv-store.js";
import { Session } from "./session.js";
import { duplexPair } from "./testing/duplex-pair.js";
import { honestDock } from "./testing/honest-dock.js";
import { lossy } from "./testing/lossy-line.js";
import { ManualClock } from "./testing/manual-clock.js";
import { picture, sha256Of } from "./testing/picture.js";
import { Random } from "./testing/random.js";
import { readAll } from "./testing/reader.js";
import { ScriptedDock } from "./testing/scripted-dock.js";
import { type Watched, watch } from "./testing/watch.js";

/** What a call may fail with on a bad line, and nothing else: it is the line's fault, not the dock's nor the caller's. */
const EXPLAINED = ["TIMEOUT"];
/** All of a run is over by then, in milliseconds of its clock. */
const IN_TIME = 10 * 60 * 1_000;

const keys = { timezone: "GMT", empty: "", number: -1, long: "ß".repeat(1_500), list: [1, [2, { three: null }]] };
const line = fc.record({
  seed: fc.integer(),
  /** From one byte in 50, where hardly a frame comes through, to one in 100,000. */
  rate: fc.double({ min: Math.log(1e-5), max: Math.log(0.02), noNaN: true }).map(Math.exp),
  size: fc.oneof(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 0, max: 150_000 })),
  holdsBack: fc.boolean(),
});

describe("over a line that loses, changes, doubles and adds bytes", () => {
  test("every read is exactly right or fails for the line's sake, and all settle in time", () =>
    fc.assert(
      fc.asyncProperty(line, async ({ seed, rate, size, holdsBack }) => {
        const { clock, calls, opening } = await reads(seed, rate, size, holdsBack);
        if (opening.code !== "done") {
          expect(opening.code).toBe("NO_ANSWER");
          return;
        }
        expect(clock.now()).toBeLessThan(IN_TIME);
        for (const { call, right } of calls) {
          if (call.code === "done") expect(call.value).toEqual(right);
          else expect(EXPLAINED).toContain(call.code);
        }
        await opening.value.close();
        await clock.settle();
        expect(clock.waiting).toBe(0);
      }),
      { numRuns: 60 },
    ));

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "with one byte in 20,000 everything arrives, and hardly anything twice (seed %i)",
    async (seed) => {
      const { calls, opening } = await reads(seed, 1 / 20_000, 400_000, seed % 2 === 0);
      expect(calls.map(({ call }) => call.code)).toEqual(calls.map(() => "done"));
      for (const { call, right } of calls) expect(call.value).toEqual(right);
      expect(opening.value.counters.gaps).toBeGreaterThan(0);
      expect(opening.value.counters.duplicates).toBeLessThan(10);
    },
  );

  test("with nothing lost nothing is repeated", async () => {
    const { opening } = await reads(1, 0, 400_000, true);
    expect(opening.value.counters).toMatchObject({
      gaps: 0,
      resends: 0,
      retries: 0,
      duplicates: 0,
      crc: 0,
      cobs: 0,
      noiseBytes: 0,
    });
  });
});

interface Run {
  readonly clock: ManualClock;
  readonly opening: Watched<Session>;
  /** Each call with what it has to give. */
  readonly calls: readonly { readonly call: Watched<unknown>; readonly right: unknown }[];
}

/** Reads an image and a part of it, and meanwhile keys: everything at the same time. */
async function reads(seed: number, rate: number, size: number, holdsBack: boolean): Promise<Run> {
  const random = new Random(seed);
  const clock = new ManualClock();
  const line = duplexPair({ toHost: lossy(random, rate), toDock: lossy(random, rate), holdsBack });
  const image = picture(size, seed);
  new ScriptedDock(line.dock, clock, honestDock({ images: { default: image }, keys }));
  const opened = Session.open(line.host, { clock, software: "a test", handshakeTimeout: 5_000, timeout: 10_000 });
  const opening = watch(opened);
  await clock.run(Promise.allSettled([opened]));
  if (opening.code !== "done") return { clock, opening, calls: [] };
  const images = new ImageStore(opening.value);
  const store = new KvStore(opening.value);
  const from = Math.floor(size / 3);
  const asked: (readonly [Promise<unknown>, unknown])[] = [
    [digest(readAll(images.stream("default"))), hex(image)],
    [digest(readAll(images.stream("default", { from }))), hex(image.subarray(from))],
    ...Object.entries(keys).map(([key, value]) => [store.get(key), value] as const),
    [store.get("missing"), undefined],
    [store.list().then((entries) => entries.map(({ key }) => key)), Object.keys(keys).sort()],
  ];
  const calls = asked.map(([call, right]) => ({ call: watch(call), right }));
  await clock.run(Promise.allSettled(asked.map(([call]) => call)));
  return { clock, opening, calls };
}

async function digest(bytes: Promise<Buffer>): Promise<string> {
  return hex(await bytes);
}

function hex(bytes: Uint8Array): string {
  return `${bytes.length} bytes, ${sha256Of(bytes).toString("hex")}`;
}
