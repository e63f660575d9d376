/** A session with a scripted dock, over a line in memory, by a clock that a test turns. */
import { Session, type SessionOptions, USUAL_HANDSHAKE_TIMEOUT } from "../session.js";
import { duplexPair, type Pair, type PairOptions } from "./duplex-pair.js";
import { ManualClock } from "./manual-clock.js";
import { ScriptedDock, type ScriptedDockOptions } from "./scripted-dock.js";
import { type Watched, watch } from "./watch.js";

export interface Bench {
  readonly clock: ManualClock;
  readonly dock: ScriptedDock;
  readonly line: Pair;
}

export interface OpenBench extends Bench {
  readonly session: Session;
}

interface BenchOptions extends ScriptedDockOptions {
  readonly pair?: PairOptions;
  readonly session?: Partial<SessionOptions>;
}

/** Begins to open a session. */
export function beginSession(options: BenchOptions = {}): Bench & { readonly opening: Watched<Session> } {
  const clock = new ManualClock();
  const line = duplexPair(options.pair);
  const dock = new ScriptedDock(line.dock, clock, options);
  const opening = watch(Session.open(line.host, { clock, ...USUAL_OPTIONS, ...options.session }));
  return { clock, dock, line, opening };
}

/** Opens a session. */
export async function openSession(options: BenchOptions = {}): Promise<OpenBench> {
  const { opening, ...bench } = beginSession(options);
  await bench.clock.settle();
  return { ...bench, session: opening.value };
}

const USUAL_OPTIONS = { software: "a test", handshakeTimeout: USUAL_HANDSHAKE_TIMEOUT };
