/** How large the window is: what the line can take, and what it brings in soon (SPEC §5.3). */
import { describe, expect, test } from "vitest";
import { FIRST_WINDOW } from "./limits.js";
import { LARGEST_PORT_WINDOW, LARGEST_WINDOW, LEAST_WINDOW, Window } from "./window.js";

const K = 1024;

/** A window with bytes always on the way, and a clock that only a test turns. */
class Line {
  readonly window: Window;
  #now = 1_000_000;

  constructor(line: "holds back" | "drops") {
    const now = (): number => this.#now;
    this.window = line === "holds back" ? new Window(LARGEST_WINDOW, now) : new Window(LARGEST_PORT_WINDOW, now, FIRST_WINDOW);
    this.window.begin();
  }

  /** A KiB comes in each time. */
  bring(times: number, msEach: number): void {
    for (let i = 0; i < times; i++) {
      this.pass(msEach);
      this.window.arrived(K);
    }
  }

  pass(ms: number): void {
    this.#now += ms;
  }
}

describe("on a line that holds back, the window", () => {
  test("begins at 48 KiB and doubles with each window's worth that came in whole, up to 512 KiB", () => {
    const { window } = new Line("holds back");
    const sizes = [window.size];
    for (let i = 0; i < 6; i++) {
      window.arrived(window.size - 1);
      sizes.push(window.size);
      window.arrived(1);
      sizes.push(window.size);
    }
    expect(sizes).toEqual([48, 48, 96, 96, 192, 192, 384, 384, 512, 512, 512, 512, 512].map((kib) => kib * K));
    expect(LARGEST_WINDOW).toBe(512 * K);
  });

  test("falls back when bytes are lost, and begins anew", () => {
    const { window } = new Line("holds back");
    window.arrived(48 * K);
    window.arrived(96 * K - 1);
    window.lost();
    expect(window.size).toBe(48 * K);
    window.arrived(48 * K - 1);
    expect(window.size).toBe(48 * K);
    window.arrived(1);
    expect(window.size).toBe(96 * K);
  });

  test("isn't made larger by a loss", () => {
    const line = new Line("holds back");
    line.bring(10, 100);
    line.window.lost();
    expect(line.window.size).toBe(LEAST_WINDOW);
  });

  test("grows again when a slow line becomes fast", () => {
    const line = new Line("holds back");
    line.bring(100, 100);
    expect(line.window.size).toBe(LEAST_WINDOW);
    line.bring(10_000, 0.1);
    expect(line.window.size).toBe(LARGEST_WINDOW);
  });

  test("stays large when the way is long, however little comes in half a second", () => {
    const line = new Line("holds back");
    line.window.roundTrip = 2_000;
    line.bring(300, K / 40);
    expect(line.window.size).toBeGreaterThan(FIRST_WINDOW);
  });
});

describe("on a line that drops what comes too fast, the window", () => {
  test("grows to 256 KiB, until something is lost: then it stays at 48", () => {
    const { window } = new Line("drops");
    for (let i = 0; i < 100; i++) window.arrived(48 * K);
    expect(window.size).toBe(256 * K);
    window.lost();
    for (let i = 0; i < 100; i++) window.arrived(48 * K);
    expect(window.size).toBe(48 * K);
  });
});

describe.each(["holds back", "drops"] as const)("on a slow line that %s, the window", (kind) => {
  test.each([
    { line: "of 115,200 baud", pace: 11.52, window: LEAST_WINDOW },
    { line: "of 921,600 baud", pace: 92.16, window: 46_080 },
  ])("comes to what a line $line brings in half a second, but 16 KiB at least", ({ pace, window }) => {
    const line = new Line(kind);
    line.bring(300, K / pace);
    expect(line.window.size).toBeGreaterThan(window * 0.99);
    expect(line.window.size).toBeLessThan(window * 1.01);
  });

  test("falls as soon as the line is known to be slow, not only after a window's worth", () => {
    const line = new Line(kind);
    line.bring(2, 90);
    expect(line.window.size).toBe(LEAST_WINDOW);
  });

  test("isn't measured over a time in which nothing was on the way", () => {
    const line = new Line(kind);
    for (let i = 0; i < 20; i++) {
      line.pass(60_000);
      line.window.begin();
      line.bring(2, 0.1);
    }
    expect(line.window.size).toBe(FIRST_WINDOW);
  });
});

test("the round trip is the shortest that was seen: what comes on top of it is a queue", () => {
  const { window } = new Line("drops");
  expect(window.roundTrip).toBe(0);
  const seen = [30, 20, 500].map((ms) => {
    window.roundTrip = ms;
    return window.roundTrip;
  });
  expect(seen).toEqual([30, 20, 20]);
});
