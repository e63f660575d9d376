/** Time as the driver sees it; passed in, so that tests turn it by hand. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number;
  /** Calls `then` once after `ms` milliseconds, unless the function that it returns is called before. */
  after(ms: number, then: () => void): () => void;
  /** Calls `then` once what is due now has been done. */
  soon(then: () => void): void;
}

/** The system's own, as they were when this was loaded: a line waits in real time, also in tests that put fake timers in their place. */
const { setTimeout, clearTimeout, setImmediate } = globalThis;
const now = performance.now.bind(performance);

export const systemClock: Clock = {
  now,
  after(ms, then) {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
  soon: (then) => void setImmediate(then),
};

/** Waits, or less long when the signal comes; never rejects. */
export async function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const stop = clock.after(ms, done);
    function done(): void {
      stop();
      signal?.removeEventListener("abort", done);
      resolve();
    }
    signal?.addEventListener("abort", done);
    if (signal?.aborted) done();
  });
}
