/** The system's clock, in tests that turn time by hand. */
import { expect, onTestFinished, test, vi } from "vitest";
import { pause, systemClock } from "./clock.js";

test("what waits for the line goes on under fake timers, which are for the tests' own time", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate", "performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const begun = systemClock.now();
  await pause(systemClock, 5);
  await new Promise<void>((resolve) => systemClock.soon(resolve));
  expect(systemClock.now() - begun).toBeGreaterThan(1);
});
