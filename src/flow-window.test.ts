/** A flow looks after its window: what comes in, what gets lost, and since when something has been on the way (SPEC §5.3). */
import { describe, expect, test } from "vitest";
import { FIRST_WINDOW, LARGEST_PORT_WINDOW, LARGEST_WINDOW, LEAST_WINDOW, USUAL_LIMITS } from "../protocol/index.js";
import { Flow, WriteOrder } from "./flow.js";
import { ManualClock } from "./testing/manual-clock.js";

const K = 1024;

describe("the window of a flow", () => {
  test("grows less where the line doesn't hold back, and is the first one for good when bytes are lost", () => {
    const { flow } = open("drops");
    for (let i = 0; i < 100; i++) passThrough(flow, flow.window);
    expect(flow.window).toBe(LARGEST_PORT_WINDOW);
    flow.lost();
    for (let i = 0; i < 100; i++) passThrough(flow, flow.window);
    expect(flow.window).toBe(FIRST_WINDOW);
  });

  test("grows where it does, with what comes in", () => {
    const { flow } = open("holds back");
    passThrough(flow, 48 * K - 1);
    expect(flow.window).toBe(48 * K);
    passThrough(flow, 1);
    expect(flow.window).toBe(96 * K);
    for (let i = 0; i < 10; i++) passThrough(flow, flow.window);
    expect(flow.window).toBe(LARGEST_WINDOW);
  });

  test("falls back when bytes are lost", () => {
    const { flow } = open("holds back");
    passThrough(flow, 48 * K);
    flow.lost();
    expect(flow.window).toBe(FIRST_WINDOW);
  });

  test("falls on a slow line on which something is always on the way", () => {
    const { flow, clock } = open("drops");
    new Downpour(flow, clock).bring(2, 90);
    expect(flow.window).toBe(LEAST_WINDOW);
  });

  test("stays large on a line with a long way, however little of it comes in half a second", () => {
    const { flow, clock } = open("holds back");
    flow.roundTrip = 2_000;
    new Downpour(flow, clock).bring(300, K / 40);
    expect(flow.roundTrip).toBe(2_000);
    expect(flow.window).toBeGreaterThan(FIRST_WINDOW);
  });

  test("isn't made smaller by a pause in which nothing was on the way", () => {
    const { flow, clock } = open("drops");
    for (let i = 0; i < 20; i++) {
      passThrough(flow, 8 * K);
      clock.turn(60_000);
    }
    expect(flow.window).toBeGreaterThanOrEqual(FIRST_WINDOW);
  });
});

function open(line: "holds back" | "drops"): { flow: Flow; clock: ManualClock } {
  const clock = new ManualClock();
  return { flow: new Flow(USUAL_LIMITS, line, clock, new WriteOrder()), clock };
}

/** Bytes are granted and come in. */
function passThrough(flow: Flow, bytes: number): void {
  flow.ask({ requests: 0, streams: 0, writes: 0, up: 0, down: { least: bytes, most: bytes } }, ({ down }) =>
    flow.arrived(down),
  );
}

/** A stream that is always under way: a KiB comes in each time, and as much is asked for. */
class Downpour {
  readonly #flow: Flow;
  readonly #clock: ManualClock;

  constructor(flow: Flow, clock: ManualClock) {
    this.#flow = flow;
    this.#clock = clock;
    this.#ask(16 * K);
  }

  bring(times: number, msEach: number): void {
    for (let i = 0; i < times; i++) {
      this.#clock.turn(msEach);
      this.#flow.arrived(K);
      this.#ask(K);
    }
  }

  #ask(bytes: number): void {
    this.#flow.ask({ requests: 0, streams: 0, writes: 0, up: 0, down: { least: bytes, most: bytes } }, () => {});
  }
}
