/** How a process that serves a port begins and ends: one line when it is ready, SIGTERM, or the end of its parent. */

/** How often it looks whether its parent is still there, in milliseconds. */
const PARENT_CHECK = 250;

const atEnd = new Set<() => void>();
const atReady = new Set<() => void>();

/** Ends the process on a signal, or soon after its parent has ended. */
export function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) end();
  }, PARENT_CHECK).unref();
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  process.on("SIGHUP", end);
}

/** Has something done before the process ends. Returns how to leave it undone. */
export function onEnd(then: () => void): () => void {
  atEnd.add(then);
  return () => atEnd.delete(then);
}

/** Has something done when it has been said where it is served. */
export function onReady(then: () => void): void {
  atReady.add(then);
}

/** Says where it is served: one line of JSON. */
export function ready(port: string): void {
  process.stdout.write(`${JSON.stringify({ ready: true, port })}\n`);
  for (const then of atReady) then();
}

/** Ends the process with an error. */
export function fail(message: string): never {
  process.stderr.write(`dl7450-mock: ${message}\n`);
  return exit(1);
}

function end(): void {
  exit(0);
}

function exit(code: number): never {
  for (const then of atEnd) {
    atEnd.delete(then); // or it would be done again if it, too, ended the process
    then();
  }
  process.exit(code);
}
