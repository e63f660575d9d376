/** One run: callers on a dock where things go wrong, in one process and by one clock, and then a look at what is true of it. */

import { DockModel, PROFILES } from "../../mocks/dock.js";
import { DockBehind } from "../../mocks/dock-behind.js";
import { parseFault } from "../../mocks/faults/parse.js";
import { Faults } from "../../mocks/faults.js";
import { Random } from "../../mocks/random.js";
import { Memory, Service } from "../../mocks/service.js";
import type { Limits } from "../../protocol/index.js";
import type { Clock } from "../../src/clock.js";
import { DockError } from "../../src/errors.js";
import { ImageStore } from "../../src/image-store.js";
import type { Layer } from "../../src/index.js";
import { KvStore } from "../../src/kv-store.js";
import type { TraceEvent } from "../../src/link.js";
import { Session, USUAL_HANDSHAKE_TIMEOUT } from "../../src/session.js";
import { ManualClock } from "../../src/testing/manual-clock.js";
import { type Transaction, type TransactionOptions, transact } from "../../src/transaction.js";
import { Reference } from "../soak/reference.js";
import { Tally, type Target, Worker } from "../soak/worker.js";
import { draws } from "./draws.js";
import { problemsOf } from "./found.js";
import { MemoryPort, type PortOptions } from "./memory-port.js";
import { type Mishap, replaces, restarts } from "./mishaps.js";
import { Tape } from "./tape.js";

/** A call, and how long its caller waits before it, in milliseconds. */
interface Call {
  readonly after: number;
  readonly numbers: readonly number[];
}

export interface Run {
  readonly faults: readonly Mishap[];
  /** For each caller what it calls, one after the other. */
  readonly callers: readonly (readonly Call[])[];
  readonly port: Omit<PortOptions, "seed">;
  readonly limits: Limits;
  /** Longest time without a dock, in milliseconds. */
  readonly outage: number;
  /** For everything random that isn't a call. */
  readonly seed: number;
}

/** What came of a run. */
export interface Played {
  /** What isn't as it was promised. */
  readonly problems: readonly string[];
  /** All that has passed along the line, as text. */
  readonly trace: readonly string[];
  readonly tally: Tally;
  readonly faults: ReadonlyMap<string, number>;
}

/** The largest image, in bytes. */
const LARGEST_IMAGE = 120_000;
/** How often opening is tried. */
const MOST_OPENINGS = 3;
/** Nothing is under way on either side after so long, in milliseconds: longer than any outage. */
const LEFT_OVER = 4_000_000;

export async function play(run: Run): Promise<Played> {
  draws.begin(run.seed);
  const bench = new Bench(run);
  const reference = new Reference(restarts(run.faults) ? "until a restart" : "for good");
  const tally = new Tally();
  const explained = new Set(run.faults.flatMap(({ explains }) => explains));
  const problems: string[] = [];
  const session = await bench.open((error) => {
    if (!explained.has(error.code)) problems.push(`opening failed: ${error.message}`);
  });
  if (session !== undefined) {
    const dock = new InMemory(session);
    const shared = {
      round: 1,
      reference,
      tally,
      explained,
      largest: LARGEST_IMAGE,
      after: bench.clock.after.bind(bench.clock),
    };
    const images = replaces(run.faults) ? "replaced" : "known";
    const options = { ...shared, images } as const;
    await callAll(run.callers, dock, options, bench.clock);
    await bench.clock.run(session.close());
  }
  await bench.clock.settle();
  if (bench.driver.waiting > 0) problems.push(`the driver has left ${bench.driver.waiting} timers`);
  bench.unplug();
  await bench.clock.advance(LEFT_OVER);
  if (bench.clock.waiting > 0) problems.push(`the dock has left ${bench.clock.waiting} timers`);
  problems.push(...tally.unexplained, ...tally.wrong, ...problemsOf(bench.dock, reference, bench.faults.counts));
  return { problems, trace: bench.trace, tally, faults: bench.faults.counts };
}

/** A dock, its line and its time. */
class Bench {
  readonly clock = new ManualClock();
  readonly driver = new CountedClock(this.clock);
  readonly dock = new DockModel(PROFILES.full, "MOCK-0001");
  readonly faults = new Faults(this.clock);
  readonly trace: string[] = [];
  readonly #port: MemoryPort;
  readonly #outage: number;

  constructor({ faults, port, limits, outage, seed }: Run) {
    const random = new Random(seed);
    for (const { fault } of faults) this.faults.add(parseFault(fault, random));
    const memory = new Memory(this.clock.now());
    const { clock } = this;
    const serve = this.faults.wrap(
      (line) => new Service(new DockBehind(this.dock), memory, { line, clock, limits, faults: this.faults }),
    );
    this.#port = new MemoryPort(serve, { ...port, seed });
    this.#outage = outage;
  }

  /** A session, unless opening fails too often. */
  async open(failed: (error: DockError) => void): Promise<Session | undefined> {
    for (let tries = 0; tries < MOST_OPENINGS; tries++) {
      try {
        return await this.clock.run(this.#openOnce());
      } catch (error) {
        if (!(error instanceof DockError)) throw error;
        failed(error);
      }
    }
    return undefined;
  }

  unplug(): void {
    this.#port.unplug();
  }

  #openOnce(): Promise<Session> {
    const nothing = (): void => {};
    const reopening = { open: async () => this.#port.open(), timeout: this.#outage, onLost: nothing, onBack: nothing };
    const trace = (event: TraceEvent): void => void this.trace.push(lineOf(event));
    const options = { clock: this.driver, software: "promises", handshakeTimeout: USUAL_HANDSHAKE_TIMEOUT, reopening, trace };
    return Session.open(this.#port.open(), options);
  }
}

/** The driver's share of a clock that the dock also goes by. */
class CountedClock implements Clock {
  readonly #clock: ManualClock;
  /** Timers of the driver that wait for their time. */
  waiting = 0;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  after(ms: number, then: () => void): () => void {
    let isWaiting = true;
    const over = (): void => {
      if (isWaiting) this.waiting--;
      isWaiting = false;
    };
    this.waiting++;
    const stop = this.#clock.after(ms, () => {
      over();
      then();
    });
    return () => {
      over();
      stop();
    };
  }

  soon(then: () => void): void {
    this.#clock.soon(then);
  }
}

/** What `Dock` is, over a session with a clock of its own. */
export class InMemory implements Target {
  readonly kv: KvStore;
  readonly images: ImageStore;
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
    this.kv = new KvStore(session);
    this.images = new ImageStore(session);
  }

  transaction<T>(store: Layer, write: (tx: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    return transact(this.#session, store, write, options);
  }
}

type Options = Omit<ConstructorParameters<typeof Worker>[1], "chance" | "name">;

/** Has everybody call, and turns the clock from one call that settles to the next. Fails when there is none within an hour. */
async function callAll(callers: Run["callers"], dock: Target, options: Options, clock: ManualClock): Promise<void> {
  let settled = (): void => {};
  let open = callers.length;
  for (const [i, calls] of callers.entries()) {
    const chance = new Tape();
    const worker = new Worker(dock, { ...options, chance, name: `w${i}` });
    const callOn = async (): Promise<void> => {
      for (const { after, numbers } of calls) {
        await new Promise<void>((resolve) => clock.after(after, resolve));
        chance.load(numbers);
        await worker.step();
        settled();
      }
      open--;
      settled();
    };
    void callOn();
  }
  while (open > 0) {
    const next = new Promise<void>((resolve) => {
      settled = resolve;
    });
    if (open > 0) await clock.run(next);
  }
}

function lineOf(event: TraceEvent): string {
  const { at, kind } = event;
  switch (kind) {
    case "sent":
    case "received":
      return `${at} ${kind} ${JSON.stringify(event.message, shortened)}`;
    case "dropped":
      return `${at} ${kind} ${event.why} ${event.bytes}`;
    case "text":
      return `${at} ${kind} ${event.text}`;
    case "opened":
      return `${at} ${kind} ${event.line}`;
    case "lost":
      return `${at} ${kind} ${event.why}`;
  }
}

/** Bytes by their number. */
function shortened(_key: string, value: unknown): unknown {
  if (typeof value === "string" && value.length > 40) return `${value.slice(0, 40)}…`;
  if (typeof value === "object" && value !== null && "type" in value && value.type === "Buffer") return "a buffer";
  return value instanceof Uint8Array ? `${value.length} bytes` : value;
}
