/** How large the window is: what the line can take, and what it brings in soon (SPEC §5.3). */
import { describe, expect, test } from "vitest";
import { FIRST_WINDOW, USUAL_LIMITS } from "../protocol/index.js";
import { Flow, LARGEST_WINDOW, LEAST_WINDOW } from "./flow.js";
import { ManualClock } from "./testing/manual-clock.js";

const K = 1024;

describe("the window", () => {
  test("begins at 48 KiB, and stays there where the line doesn't hold back", () => {
    const flow = new Flow(USUAL_LIMITS, false, new ManualClock());
    for (let i = 0; i < 100; i++) passThrough(flow, 48 * K);
    expect(flow.window).toBe(48 * K);
  });

  test("doubles with each window's worth that came in whole, up to the largest", () => {
    const flow = new Flow(USUAL_LIMITS, true, new ManualClock());
    const windows = [flow.window];
    for (let i = 0; i < 6; i++) {
      passThrough(flow, flow.window - 1);
      windows.push(flow.window);
      passThrough(flow, 1);
      windows.push(flow.window);
    }
    expect(windows).toEqual([48, 48, 96, 96, 192, 192, 384, 384, 512, 512, 512, 512, 512].map((kib) => kib * K));
    expect(LARGEST_WINDOW).toBe(512 * K);
  });

  test("falls back when bytes are lost, and begins anew", () => {
    const flow = new Flow(USUAL_LIMITS, true, new ManualClock());
    passThrough(flow, 48 * K);
    passThrough(flow, 96 * K - 1);
    flow.lost();
    expect(flow.window).toBe(48 * K);
    passThrough(flow, 1);
    expect(flow.window).toBe(48 * K);
    passThrough(flow, 48 * K - 1);
    expect(flow.window).toBe(96 * K);
  });

  test.each([
    { line: "of 115,200 baud", pace: 11.52, window: LEAST_WINDOW },
    { line: "of 921,600 baud", pace: 92.16, window: 46_080 },
    { line: "of 1 MB/s", pace: 1_000, window: FIRST_WINDOW },
  ])("comes to what a line $line brings in half a second, from 16 to 48 KiB", ({ pace, window }) => {
    const clock = new ManualClock();
    const flow = new Flow(USUAL_LIMITS, false, clock);
    new Downpour(flow, clock).bring(300, K / pace);
    expect(flow.window).toBeGreaterThan(window * 0.99);
    expect(flow.window).toBeLessThan(window * 1.01);
  });

  test("falls as soon as the line is known to be slow, not only after a window's worth", () => {
    const clock = new ManualClock();
    const flow = new Flow(USUAL_LIMITS, false, clock);
    new Downpour(flow, clock).bring(2, 90);
    expect(flow.window).toBe(LEAST_WINDOW);
  });

  test("grows again when a slow line becomes fast", () => {
    const clock = new ManualClock();
    const flow = new Flow(USUAL_LIMITS, true, clock);
    const downpour = new Downpour(flow, clock);
    downpour.bring(100, 100);
    expect(flow.window).toBe(LEAST_WINDOW);
    downpour.bring(10_000, 0.1);
    expect(flow.window).toBe(LARGEST_WINDOW);
  });

  test("stays large on a line with a long way, however little of it comes in half a second", () => {
    const clock = new ManualClock();
    const flow = new Flow(USUAL_LIMITS, true, clock);
    flow.roundTrip = 2_000;
    new Downpour(flow, clock).bring(300, K / 40);
    expect(flow.window).toBeGreaterThan(FIRST_WINDOW);
  });

  test("isn't made smaller by a pause in which nothing was on the way", () => {
    const clock = new ManualClock();
    const flow = new Flow(USUAL_LIMITS, false, clock);
    for (let i = 0; i < 20; i++) {
      passThrough(flow, 8 * K);
      clock.turn(60_000);
    }
    expect(flow.window).toBe(FIRST_WINDOW);
  });
});

/** Bytes are granted and come in. */
function passThrough(flow: Flow, bytes: number): void {
  flow.ask({ requests: 0, streams: 0, up: 0, down: { least: bytes, most: bytes } }, ({ down }) => flow.arrived(down));
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
    this.#flow.ask({ requests: 0, streams: 0, up: 0, down: { least: bytes, most: bytes } }, () => {});
  }
}
