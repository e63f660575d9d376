/** Signals that end a program, as an `AbortSignal` that lets it end tidily. */

const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Aborted by the first signal that would end the process; the second ends it at once. */
export function interruption(process: NodeJS.EventEmitter): AbortSignal {
  const interrupted = new AbortController();
  const abort = (): void => {
    for (const name of ENDING) process.off(name, abort);
    interrupted.abort();
  };
  for (const name of ENDING) process.on(name, abort);
  return interrupted.signal;
}
