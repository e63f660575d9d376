/** What a caller is promised (SPEC §10), on random lines with random faults. `DL7450_PROMISES=5000` makes so many runs, `DL7450_SEED` others. */
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { USUAL_LIMITS } from "../protocol/index.js";
import { mishaps, offsetLies, restartsOften } from "./promises/mishaps.js";
import { play, type Run } from "./promises/play.js";

vi.mock("node:crypto", async (original) => {
  const { draws } = await import("./promises/draws.js");
  const { randomBytes, randomInt } = draws;
  return { ...(await original<typeof import("node:crypto")>()), randomBytes, randomInt };
});

const RUNS = Number(process.env.DL7450_PROMISES ?? 150);
const SEED = Number(process.env.DL7450_SEED ?? 1);
/** Numbers that a call draws at most. */
const NUMBERS = 9;
/** Longest time for the runs, in milliseconds: far more than they take. A failure is made smaller for less than that. */
const LONGEST = 40_000 + RUNS * 400;
const HOW = { seed: SEED, interruptAfterTimeLimit: LONGEST / 2, markInterruptAsFailure: true };

const number = fc.noBias(fc.nat());
const call = fc.record({
  after: fc.oneof(fc.constant(0), fc.nat(50), fc.nat(5_000)),
  numbers: fc.array(number, { minLength: NUMBERS, maxLength: NUMBERS }),
});
/** For each caller, what it calls one after the other. */
const callers = fc.array(fc.array(call, { maxLength: 14, size: "max" }), { minLength: 1, maxLength: 6, size: "max" });
const port = fc.record({ plug: fc.constantFrom("can be pulled", "none"), holdsBack: fc.boolean() });
/** As docks have them, and so small that calls wait for one another. */
const limits = fc.constantFrom(USUAL_LIMITS, {
  ...USUAL_LIMITS,
  maxBody: 4_096,
  window: 4_096,
  requests: 3,
  streams: 2,
  pageBytes: 512,
});
const outage = fc.constantFrom(30_000, 1_200_000);
const run: fc.Arbitrary<Run> = fc.record({ faults: mishaps, callers, port, limits, outage, seed: number });

async function keepsPromises(it: Run): Promise<void> {
  const { problems } = await play(it);
  expect(problems).toEqual([]);
}

test(
  "every call settles, with what is true, whatever goes wrong",
  () => fc.assert(fc.asyncProperty(run, keepsPromises), { numRuns: RUNS, ...HOW }),
  LONGEST,
);

test(
  "no read gives what isn't there, whatever the dock says of where its data belongs",
  () => {
    const lied = fc.record({ faults: offsetLies, callers, port, limits, outage, seed: number });
    return fc.assert(fc.asyncProperty(lied, keepsPromises), { numRuns: RUNS, ...HOW });
  },
  LONGEST,
);

test(
  "a write is done once or not at all, however often the dock restarts",
  () => {
    const restarting = fc.record({ faults: restartsOften, callers, port, limits, outage, seed: number });
    return fc.assert(fc.asyncProperty(restarting, keepsPromises), { numRuns: RUNS / 5, ...HOW });
  },
  LONGEST,
);

test("the same run is the same again", async () => {
  const [one] = fc.sample(run, { numRuns: 1, seed: SEED });
  if (one === undefined) throw new Error("there is a run");
  const { trace } = await play(one);
  expect(trace.length).toBeGreaterThan(0);
  expect((await play(one)).trace).toEqual(trace);
});
