/** A dock that was lost is looked for until it is found, or for as long as the caller wants. */
import { pause } from "./clock.js";
import { type ConnectOptions, connect, type Heir, type Welcomed } from "./connect.js";
import { DockError, type DockErrorCode, type Outcome, type Problem } from "./errors.js";
import type { LinkCounters } from "./link.js";
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
const RETRY = { first: 50, longest: 500 };
/** A link that is lost sooner, in milliseconds, isn't looked for at once: it may be so each time. */
const LASTING = 1_000;
/** What another attempt doesn't change. */
export const FINAL: ReadonlySet<DockErrorCode> = new Set(["VERSION", "USAGE"]);

/** How a lost dock is looked for. */
export interface Search {
  readonly connecting: ConnectOptions & { readonly signal: AbortSignal };
  readonly counters: LinkCounters;
  /** When the link that was lost began, by the clock, in milliseconds. */
  readonly lostSince: number;
  /** Takes over what has answered, at once, or says why it isn't what is looked for. */
  take(welcomed: Welcomed): Outcome<Heir>;
}

/** Looks for a dock until it is taken over, the time is over or `connecting.signal` comes. */
export async function findAgain(reopening: Reopening, search: Search): Promise<Outcome<unknown>> {
  const { clock, signal } = search.connecting;
  const { timeout } = reopening;
  const until = clock.now() + timeout;
  if (clock.now() - search.lostSince < LASTING) await pause(clock, Math.min(RETRY.first, timeout / 2), signal);
  if (signal.aborted) return { kind: "failed", problem: { code: "ABORTED", message: "It isn't looked for any more." } };
  for (let wait = RETRY.first; ; wait = Math.min(wait * 2, RETRY.longest)) {
    const outcome = await attempt(reopening, search, Math.ceil(until - clock.now()));
    if (outcome.kind === "done" || FINAL.has(outcome.problem.code) || signal.aborted) return outcome;
    const left = until - clock.now();
    if (left < RETRY.first) return outcome;
    await pause(clock, Math.min(wait, left / 2), signal); // the last ones close together, up to the end
    if (signal.aborted) return outcome;
  }
}

/** Opens a line and greets what is there, within `timeout` milliseconds each. */
async function attempt(reopening: Reopening, search: Search, timeout: number): Promise<Outcome<unknown>> {
  const { handshakeTimeout } = search.connecting;
  const opened = await open(reopening, search, timeout);
  if (opened.kind === "failed") return opened;
  const transport = opened.value;
  const options = { ...search.connecting, handshakeTimeout: Math.min(handshakeTimeout, timeout) };
  let refused: Outcome<Heir> | undefined;
  const outcome = await connect(transport, options, search.counters, (welcomed) => {
    const taken = search.take(welcomed);
    if (taken.kind === "done") return taken.value;
    refused = taken;
    return NOBODY;
  });
  if (outcome.kind === "failed" || refused === undefined) return outcome;
  await transport.close().catch(() => {}); // it isn't wanted
  return refused;
}

/** Opens a line, or gives up when that takes longer than it may: one that is open later is closed. */
async function open(reopening: Reopening, { connecting }: Search, timeout: number): Promise<Outcome<Transport>> {
  const { clock, signal } = connecting;
  const late = new AbortController();
  const stop = AbortSignal.any([signal, late.signal]);
  const opening = reopening.open({ timeout, signal }).then(
    (transport): Outcome<Transport> => ({ kind: "done", value: transport }),
    (error: unknown): Outcome<Transport> => ({ kind: "failed", problem: problemOfOpening(error) }),
  );
  const waiting = pause(clock, timeout, stop).then(() => undefined);
  const opened = await Promise.race([opening, waiting]);
  late.abort();
  if (opened !== undefined) return opened;
  void opening.then((it) => (it.kind === "done" ? it.value.close().catch(() => {}) : undefined));
  return { kind: "failed", problem: { code: "TIMEOUT", message: `No line was open within ${timeout} ms.`, retryable: true } };
}

function problemOfOpening(error: unknown): Problem {
  return error instanceof DockError ? error : { code: "NO_DOCK", message: `Opening failed: ${error}`, cause: error };
}

/** Who gets what comes from something that isn't wanted. */
const NOBODY: Heir = { message() {}, lost() {} };
