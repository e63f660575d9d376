import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FIRST_WINDOW, type Limits, USUAL_LIMITS } from "../protocol/index.js";
import { Flow, type Need, type Share, WriteOrder } from "./flow.js";
import { ManualClock } from "./testing/manual-clock.js";

const K = 1024;
/** Requests that change something and may be sent after one of them that has no answer (SPEC §4.6, rule 4). */
const MOST_AFTER = 63;
const request: Need = { requests: 1, streams: 0, writes: 0, up: 512, down: { least: 1_000, most: 1_000 } };

const need: fc.Arbitrary<Need> = fc
  .record({
    requests: fc.constantFrom(0, 1),
    streams: fc.constantFrom(0, 1),
    writes: fc.constantFrom(0, 1),
    up: fc.constantFrom(0, 100, 512, 5_000),
    least: fc.constantFrom(0, 1, 1_000, 16 * K, 48 * K, 65_000),
    more: fc.constantFrom(0, 1, 10_000, 48 * K),
  })
  .map(({ requests, streams, writes, up, least, more }) => ({
    requests,
    streams,
    writes,
    up,
    down: { least, most: least + more },
  }));

/** What happens to a flow: somebody asks, gives something back, leaves the queue, gets bytes, loses some. */
const step = fc.oneof(
  { weight: 4, arbitrary: need.map((need) => ({ kind: "ask" as const, need })) },
  { weight: 3, arbitrary: fc.nat().map((which) => ({ kind: "give back" as const, which })) },
  { weight: 1, arbitrary: fc.nat().map((which) => ({ kind: "leave" as const, which })) },
  { weight: 2, arbitrary: fc.nat().map((which) => ({ kind: "arrived" as const, which })) },
  { weight: 1, arbitrary: fc.constant({ kind: "lost" as const }) },
);
const limits = fc
  .record({
    requests: fc.integer({ min: 1, max: 5 }),
    streams: fc.integer({ min: 1, max: 3 }),
    window: fc.constantFrom(512, 4_096),
  })
  .map((some): Limits => ({ ...USUAL_LIMITS, ...some }));

/** Somebody who has asked. */
interface Asker {
  readonly need: Need;
  share: Share | undefined;
  grants: number;
  leave(): void;
}

/** A flow with everybody who has asked it. */
class Crowd {
  readonly askers: Asker[] = [];
  readonly flow: Flow;
  readonly #limits: Limits;

  constructor(limits: Limits, mayGrow: "grows" | "stays") {
    this.#limits = limits;
    this.flow = new Flow(limits, mayGrow === "grows" ? "holds back" : "drops", new ManualClock(), new WriteOrder());
  }

  ask(need: Need): Asker {
    const asker: Asker = { need, share: undefined, grants: 0, leave: () => {} };
    this.askers.push(asker);
    asker.leave = this.flow.ask(need, (share) => {
      asker.share = share;
      asker.grants++;
      this.#check(asker, share);
    });
    return asker;
  }

  giveBack(asker: Asker): void {
    const { share } = asker;
    asker.share = undefined;
    if (share !== undefined) this.flow.giveBack(share);
  }

  /** Some of what somebody waits for comes in. */
  arrived(asker: Asker, bytes: number): void {
    const { share } = asker;
    if (share === undefined) return;
    asker.share = { ...share, down: share.down - bytes };
    this.flow.arrived(bytes);
  }

  get holders(): Asker[] {
    return this.askers.filter(({ share }) => share !== undefined);
  }

  get waiting(): Asker[] {
    return this.askers.filter(({ grants }) => grants === 0);
  }

  sum(of: Exclude<keyof Share, "write">): number {
    return this.holders.reduce((sum, { share }) => sum + (share?.[of] ?? 0), 0);
  }

  /** The rules of SPEC §4.6, at the moment when something is granted. */
  #check({ need }: Asker, share: Share): void {
    expect(this.sum("requests")).toBeLessThanOrEqual(this.#limits.requests);
    expect(this.sum("streams")).toBeLessThanOrEqual(this.#limits.streams);
    if (share.up > 0 && this.sum("up") > share.up) expect(this.sum("up")).toBeLessThanOrEqual(this.#limits.window);
    if (share.down > 0 && this.sum("down") > share.down) expect(this.sum("down")).toBeLessThanOrEqual(this.flow.window);
    if (share.down > need.down.least) expect(this.sum("down")).toBeLessThanOrEqual(this.flow.window);
    expect(share).toMatchObject({ requests: need.requests, streams: need.streams, up: need.up });
    expect(share.down).toBeGreaterThanOrEqual(need.down.least);
    expect(share.down).toBeLessThanOrEqual(need.down.most);
    expect(share.write !== undefined).toBe(need.writes === 1);
    const writes = this.holders.flatMap(({ share }) => share?.write ?? []);
    if (share.write !== undefined) expect(share.write - Math.min(...writes)).toBeLessThanOrEqual(MOST_AFTER);
  }
}

describe("whatever happens", () => {
  test("never more is under way than the limits, but for something alone; everybody is served in the end, once", () => {
    fc.assert(
      fc.property(limits, fc.array(step, { maxLength: 60 }), fc.constantFrom("grows", "stays"), (limits, steps, mayGrow) => {
        const crowd = new Crowd(limits, mayGrow);
        const left = new Set<Asker>();
        for (const step of steps) {
          if (step.kind === "ask") crowd.ask(step.need);
          if (step.kind === "lost") crowd.flow.lost();
          if (step.kind === "give back") withOne(crowd.holders, step.which, (asker) => crowd.giveBack(asker));
          if (step.kind === "leave") {
            withOne(crowd.waiting, step.which, (asker) => {
              left.add(asker);
              asker.leave();
            });
          }
          if (step.kind === "arrived")
            withOne(crowd.holders, step.which, (asker) => {
              crowd.arrived(asker, Math.ceil((asker.share?.down ?? 0) / 2));
            });
        }
        for (let holder = crowd.holders[0]; holder !== undefined; holder = crowd.holders[0]) crowd.giveBack(holder);
        for (const asker of crowd.askers) expect(asker.grants).toBe(left.has(asker) ? 0 : 1);
      }),
      { numRuns: 300 },
    );
  });

  test("who only lacks room for bytes is served in the order in which they asked", () => {
    const bytes = fc
      .integer({ min: 1, max: 60_000 })
      .map((least) => ({ requests: 0, streams: 0, writes: 0, up: 0, down: { least, most: least } }) as const);
    fc.assert(
      fc.property(fc.array(bytes, { minLength: 1, maxLength: 30 }), fc.array(fc.nat(), { maxLength: 60 }), (needs, backs) => {
        const crowd = new Crowd(USUAL_LIMITS, "stays");
        const order: Asker[] = [];
        for (const need of needs) crowd.ask(need);
        for (const which of backs) {
          withOne(crowd.holders, which, (asker) => crowd.giveBack(asker));
          for (const asker of crowd.askers) if (asker.grants > 0 && !order.includes(asker)) order.push(asker);
        }
        expect(crowd.askers.slice(0, order.length)).toEqual(order);
      }),
    );
  });
});

describe("places", () => {
  test("who lacks one lets others go ahead", () => {
    const crowd = new Crowd({ ...USUAL_LIMITS, streams: 1 }, "stays");
    const stream: Need = { ...request, streams: 1 };
    const first = crowd.ask(stream);
    const second = crowd.ask(stream);
    const asked = crowd.ask(request);
    expect([first.grants, second.grants, asked.grants]).toEqual([1, 0, 1]);
    crowd.giveBack(first);
    expect(second.grants).toBe(1);
  });

  test("are free again for the one who asked first", () => {
    const crowd = new Crowd({ ...USUAL_LIMITS, requests: 1 }, "stays");
    const [first, second, third] = [crowd.ask(request), crowd.ask(request), crowd.ask(request)];
    crowd.giveBack(first);
    expect([second.grants, third.grants]).toEqual([1, 0]);
  });

  test("who leaves the queue is never served, and doesn't hold up the others", () => {
    const crowd = new Crowd(USUAL_LIMITS, "stays");
    const large: Need = { ...request, down: { least: 40 * K, most: 40 * K } };
    const [first, second, third] = [crowd.ask(large), crowd.ask(large), crowd.ask(request)];
    expect([first.grants, second.grants, third.grants]).toEqual([1, 0, 0]);
    second.leave();
    expect(third.grants).toBe(1);
    crowd.giveBack(first);
    expect(second.grants).toBe(0);
  });
});

describe("bytes", () => {
  test("as many as there is room for are granted, up to the most", () => {
    const crowd = new Crowd(USUAL_LIMITS, "stays");
    crowd.ask({ ...request, down: { least: 10 * K, most: 10 * K } });
    const greedy = crowd.ask({ ...request, down: { least: 8 * K, most: 100 * K } });
    const modest = crowd.ask({ ...request, down: { least: 0, most: 100 * K } });
    expect(greedy.share?.down).toBe(FIRST_WINDOW - 10 * K);
    expect(modest.share?.down).toBe(0);
  });

  test("more than the window are granted to one alone", () => {
    const crowd = new Crowd(USUAL_LIMITS, "stays");
    const alone = crowd.ask({ ...request, down: { least: 65_000, most: 65_000 } });
    const next = crowd.ask(request);
    expect(alone.share?.down).toBe(65_000);
    expect(next.grants).toBe(0);
    crowd.giveBack(alone);
    expect(next.grants).toBe(1);
  });

  test("who needs room that isn't there holds up who asked later, or would never be served", () => {
    const crowd = new Crowd(USUAL_LIMITS, "stays");
    const holder = crowd.ask({ ...request, down: { least: 40 * K, most: 40 * K } });
    const large = crowd.ask({ ...request, down: { least: 20 * K, most: 20 * K } });
    const small = crowd.ask(request);
    expect([large.grants, small.grants]).toEqual([0, 0]);
    crowd.giveBack(holder);
    expect([large.grants, small.grants]).toEqual([1, 1]);
  });

  test("on the way to the dock hold up who asked later in the same way", () => {
    const crowd = new Crowd({ ...USUAL_LIMITS, window: 512 }, "stays");
    const [holder, large, small] = [100, 500, 100].map((up) => crowd.ask({ ...request, up }));
    expect([holder?.grants, large?.grants, small?.grants]).toEqual([1, 0, 0]);
    if (holder !== undefined) crowd.giveBack(holder);
    expect([large?.grants, small?.grants]).toEqual([1, 0]);
    if (large !== undefined) crowd.giveBack(large);
    expect(small?.grants).toBe(1);
  });

  test("that arrive make room", () => {
    const crowd = new Crowd(USUAL_LIMITS, "stays");
    const first = crowd.ask({ ...request, down: { least: FIRST_WINDOW, most: FIRST_WINDOW } });
    const next = crowd.ask({ ...request, down: { least: 8 * K, most: 8 * K } });
    crowd.arrived(first, 8 * K - 1);
    expect(next.grants).toBe(0);
    crowd.arrived(first, 1);
    expect(next.grants).toBe(1);
  });

  test("aren't granted after a fall of the window until fewer are under way", () => {
    const crowd = new Crowd(USUAL_LIMITS, "grows");
    passThrough(crowd.flow, 48 * K);
    const [, small, large] = [40, 16, 40].map((kib) => crowd.ask({ ...request, down: { least: kib * K, most: kib * K } }));
    expect(crowd.sum("down")).toBe(96 * K);
    crowd.flow.lost();
    const after = crowd.ask({ ...request, down: { least: 8 * K, most: 8 * K } });
    if (large !== undefined) crowd.giveBack(large);
    expect(after.grants).toBe(0);
    if (small !== undefined) crowd.giveBack(small);
    expect(after.grants).toBe(1);
  });
});

function withOne(askers: readonly Asker[], which: number, then: (asker: Asker) => void): void {
  const asker = askers[which % Math.max(askers.length, 1)];
  if (asker !== undefined) then(asker);
}

/** Bytes are granted and come in. */
function passThrough(flow: Flow, bytes: number): void {
  flow.ask({ requests: 0, streams: 0, writes: 0, up: 0, down: { least: bytes, most: bytes } }, ({ down }) =>
    flow.arrived(down),
  );
}
