/** The system's clock, turned by hand with vitest's fake timers: for what waits for seconds, and takes no clock. */
import { onTestFinished, vi } from "vitest";
import { systemClock } from "../clock.js";

/** Until the end of the test. */
export function fakeTime(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const now = vi.spyOn(systemClock, "now").mockImplementation(() => performance.now());
  const after = vi.spyOn(systemClock, "after").mockImplementation((ms, then) => {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  });
  onTestFinished(() => {
    now.mockRestore();
    after.mockRestore();
    vi.useRealTimers();
  });
}
