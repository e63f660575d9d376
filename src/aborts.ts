/** Who wants to know of a signal: many calls share one, and a signal that has many listeners makes Node warn of a leak. */
export class Aborts {
  readonly #waiting = new Map<AbortSignal, Set<() => void>>();

  /** Calls `then` when the signal comes. Returns how to stop waiting for it. */
  on(signal: AbortSignal | undefined, then: () => void): () => void {
    if (signal === undefined) return () => {};
    const waiting = this.#waiting.get(signal) ?? this.#listen(signal);
    waiting.add(then);
    return () => {
      waiting.delete(then);
      if (waiting.size === 0) this.#forget(signal);
    };
  }

  readonly #aborted = (event: Event): void => {
    const signal = event.currentTarget;
    if (!(signal instanceof AbortSignal)) return;
    const waiting = [...(this.#waiting.get(signal) ?? [])];
    this.#forget(signal);
    for (const then of waiting) then();
  };

  #listen(signal: AbortSignal): Set<() => void> {
    const waiting = new Set<() => void>();
    this.#waiting.set(signal, waiting);
    signal.addEventListener("abort", this.#aborted);
    return waiting;
  }

  #forget(signal: AbortSignal): void {
    this.#waiting.delete(signal);
    signal.removeEventListener("abort", this.#aborted);
  }
}
