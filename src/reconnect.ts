/** A dock that was lost is looked for until it is found, or for as long as the caller wants. */
import type { Clock } from "./clock.js";
import type { DockError, DockErrorCode, Outcome, Problem } from "./errors.js";
import type { Transport } from "./transport/transport.js";

/** What a caller can say about reconnecting. */
export interface ReconnectOptions {
  /** Longest time without a dock, in milliseconds; 30,000 unless told. */
  readonly timeout?: number | undefined;
  /** The link is lost, and the dock is being looked for. */
  readonly onLost?: ((why: DockError) => void) | undefined;
  /** The dock was found again. */
  readonly onBack?: (() => void) | undefined;
}

/** How a lost dock is found again. */
export interface Reopening {
  /** Opens a line to where the dock should be, or fails. */
  open(options: { readonly timeout: number; readonly signal: AbortSignal }): Promise<Transport>;
  /** Longest time without a dock, in milliseconds. */
  readonly timeout: number;
  readonly onLost: (why: Problem) => void;
  readonly onBack: () => void;
}

/** Longest time without a dock unless told, in milliseconds: a dock that restarts takes some seconds. */
export const USUAL_OUTAGE = 30_000;
/** First wait between two attempts, in milliseconds; then twice as long each time, up to the longest. */
const RETRY = { first: 50, longest: 1_000 };
/** A link that is lost sooner, in milliseconds, isn't looked for at once: it may be so each time. */
const LASTING = 1_000;
/** What another attempt doesn't change. */
const FINAL: ReadonlySet<DockErrorCode> = new Set(["VERSION", "USAGE"]);

/** How attempts are made. */
export interface Attempts {
  readonly clock: Clock;
  /** For all of them, in milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  /** When the link that was lost began, by the clock. */
  readonly since: number;
}

/** Attempts, each of which may take the time that it is given, until one is done, the time is over or `signal` comes. */
export async function attemptUntil(
  attempt: (timeout: number) => Promise<Outcome<unknown>>,
  { clock, timeout, signal, since }: Attempts,
): Promise<Outcome<unknown>> {
  const until = clock.now() + timeout;
  if (clock.now() - since < LASTING) await pause(clock, Math.min(RETRY.first, timeout / 2), signal);
  if (signal.aborted) return { kind: "failed", problem: { code: "ABORTED", message: "It isn't looked for any more." } };
  for (let wait = RETRY.first; ; wait = Math.min(wait * 2, RETRY.longest)) {
    const outcome = await attempt(Math.ceil(until - clock.now()));
    if (outcome.kind === "done" || FINAL.has(outcome.problem.code) || signal.aborted) return outcome;
    if (clock.now() + wait >= until) return outcome;
    await pause(clock, wait, signal);
    if (signal.aborted) return outcome;
  }
}

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const stop = clock.after(ms, done);
    function done(): void {
      stop();
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
