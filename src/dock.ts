/** A dock at the other end of a line: open it, read and write it, close it. */
import type { Layer, Limits } from "../protocol/index.js";
import { abortSignal, positive, yesOrNo } from "./check.js";
import { systemClock } from "./clock.js";
import { type FoundPort, findPorts, isDock } from "./discovery.js";
import { DockError } from "./errors.js";
import { ImageStore } from "./image-store.js";
import { KvStore } from "./kv-store.js";
import { layerToWrite, type WriteOptions } from "./layers.js";
import type { LinkCounters, TraceEvent } from "./link.js";
import { unknownProblem } from "./outcome.js";
import { type PortChange, type WatchOptions, watchPorts } from "./port-watch.js";
import { type ReconnectOptions, type Reopening, USUAL_OUTAGE } from "./reconnect.js";
import { type CallOptions, Session, USUAL_HANDSHAKE_TIMEOUT } from "./session.js";
import { type Transaction, type TransactionOptions, transact } from "./transaction.js";
import { lastingPlace, openTarget, parseTarget } from "./transport/target.js";
import type { Transport } from "./transport/transport.js";
import { version } from "./version.js";

export interface OpenOptions {
  /** Gives up opening, with `ABORTED`. */
  readonly signal?: AbortSignal;
  /** Longest handshake, in milliseconds; 5,000 unless told. */
  readonly handshakeTimeout?: number;
  /** Longest time for an answer, or for new bytes of a stream, for calls that say nothing else, in milliseconds; 10,000 unless told, and then longer for a stream on a slow line. */
  readonly timeout?: number;
  /** Bits per second of a UART; 115,200 unless told. USB devices and pseudo-terminals don't care. */
  readonly baudRate?: number;
  /**
   * Whether DTR (data terminal ready), and RTS (request to send), are on; both are unless told, as opening a port turns them on, and a USB
   * device may take DTR off for nobody listening. `false` turns them off as soon as the port is open; `USAGE` where Linux or macOS can't.
   */
  readonly dtr?: boolean;
  readonly rts?: boolean;
  /**
   * Whether a dock that is lost (unplugged, restarted) is looked for and gone on with: calls wait for it, reads and uploads go on where
   * they were, each write is found out about. Without it a lost link ends everything. On by `true`, or with what holds for it.
   */
  readonly reconnect?: boolean | ReconnectOptions;
  /** `true` has every call that would change the dock, its restart included, fail with `READ_ONLY`, before anything is sent. */
  readonly readOnly?: boolean;
  /** Gets the dock's console text, as it comes in: not cut into lines, not safe to print raw. */
  readonly onText?: (text: string) => void;
  /** Gets what the dock logs; not safe to print raw. */
  readonly onLog?: (level: string, text: string) => void;
  /** Gets everything that passes along the line, and along each that follows on it when the dock was lost. It isn't to throw. */
  readonly trace?: (event: TraceEvent) => void;
}

/** What a dock says of itself (SPEC §7.2). */
export interface DockInfo {
  /** Unique per dock: on a DL-7450 what `DockInfo().dock_id()` gives. */
  readonly id: string;
  readonly model: string;
  /** The dock's label, such as `RW02-0005`. */
  readonly name: string;
  /** Empty when the dock doesn't know it. */
  readonly firmware: string;
  readonly sdk: string;
  /** Hexadecimal; another one after each start of the dock. */
  readonly bootId: string;
  /** Milliseconds since the dock has started. */
  readonly uptimeMs: number;
  readonly features: readonly string[];
  /** The layers, with their capacity and use in bytes. */
  readonly stores: readonly { readonly store: Layer; readonly capacity: number; readonly used: number }[];
}

export class Dock implements AsyncDisposable {
  readonly #session: Session;
  /** Sets free what the dock was opened by. */
  readonly #release: () => Promise<void>;
  #isInTransaction = false;
  /** The SDK's `ImageStore`. */
  readonly images: ImageStore;
  /** The SDK's `KvStore`. */
  readonly kv: KvStore;
  /** Settles when the link is over: with the reason, or with undefined after `close`. Never rejects. */
  readonly closed: Promise<DockError | undefined>;

  /** The docks that are plugged in: DisplayLink's USB serial ports, ordered by path, and who has them open. `open` takes their `path`, or `id:` and their `serialNumber`. */
  static async discover(): Promise<FoundPort[]> {
    return (await findPorts()).filter(isDock);
  }

  /**
   * Tells which docks there are, each as plugged in, and then which are plugged in and pulled, within a quarter of a second on Linux. Goes on
   * until the loop is left or the signal comes: then it fails with `ABORTED`. While it waits for a change, only the signal ends it.
   * @example for await (const { kind, port } of Dock.watch()) console.log(kind, port.serialNumber);
   */
  static async *watch(options: WatchOptions = {}): AsyncGenerator<PortChange, void> {
    for await (const change of watchPorts(options)) if (isDock(change.port)) yield change;
  }

  /**
   * Opens a dock: a path, `id:SERIAL`, `tcp://HOST:PORT`, `mock:` (a mock dock of its own), or nothing, which is `DL7450_PORT` in
   * the environment, else the one DisplayLink port there is. After `mock:` may stand a profile (`preview`, `full`, `development`), the folder of a
   * snapshot or the file of a trace that the mock begins with or replays, and options: `mock:development?state=DIR&name=RW02-0005`; the
   * keys are `state`, `name`, `from`, `replay` and `seed`.
   *
   * Fails with `NO_DOCK`, `SEVERAL_DOCKS`, `BUSY`, `PERMISSION`, `NO_ANSWER`, `ECHO`, `VERSION`, `PROTOCOL`, `LINK_LOST`, `TIMEOUT`, `ABORTED`, `USAGE`.
   */
  static async open(target?: string, options: OpenOptions = {}): Promise<Dock> {
    const { handshakeTimeout: timeout } = timesOf(options);
    yesOrNo("readOnly", options.readOnly);
    const baudRate = positive("baudRate", options.baudRate ?? 115_200);
    const signal = abortSignal(options.signal);
    const dtr = yesOrNo("dtr", options.dtr);
    const rts = yesOrNo("rts", options.rts);
    if (signal?.aborted)
      throw new DockError({ code: "ABORTED", message: "Opening the dock was aborted.", cause: signal.reason });
    const where = parseTarget(target ?? process.env.DL7450_PORT);
    const reconnect = reconnectOf(options.reconnect);
    if ((dtr !== undefined || rts !== undefined) && (where.kind === "tcp" || where.kind === "mock")) {
      throw new DockError({ code: "USAGE", message: "DTR and RTS are lines of a serial port, which this target isn't." });
    }
    const line = { baudRate, dtr, rts };
    const opening = { ...line, timeout, ...(signal === undefined ? {} : { signal }) };
    if (reconnect === undefined) return Dock.over(await openTarget(where, opening), options);
    const place = await lastingPlace(where, opening);
    try {
      const transport = await place.open(opening);
      const session = await sessionOver(transport, options, (later) => place.openAgain({ ...line, ...later }));
      return new Dock(session, place.release);
    } catch (error) {
      await place.release();
      throw error;
    }
  }

  /**
   * Opens a dock over a line that is open already, which the dock then owns. Fails as `open` does.
   * @param reopen opens another line to the same dock, for `reconnect`: within `timeout` milliseconds, unless `signal` comes
   */
  static async over(transport: Transport, options: OpenOptions = {}, reopen?: Reopening["open"]): Promise<Dock> {
    if (reconnectOf(options.reconnect) !== undefined && reopen === undefined) {
      throw new DockError({ code: "USAGE", message: "`reconnect` over a line of your own needs a way to open another." });
    }
    return new Dock(await sessionOver(transport, options, reopen), async () => {});
  }

  private constructor(session: Session, release: () => Promise<void>) {
    this.#session = session;
    this.#release = release;
    void session.ended.then(release);
    this.images = new ImageStore(session);
    this.kv = new KvStore(session);
    this.closed = session.ended.then((problem) => (problem.code === "CLOSED" ? undefined : new DockError(problem)));
  }

  /** Unique per dock. */
  get id(): string {
    return this.#session.welcome.dock.id;
  }

  /** The dock's label. */
  get name(): string {
    return this.#session.welcome.dock.name;
  }

  /** What the dock can do beyond reading (SPEC §3.3). */
  get features(): readonly string[] {
    return this.#session.welcome.features;
  }

  /** The layers that the dock has. */
  get stores(): readonly Layer[] {
    return this.#session.welcome.stores;
  }

  /** What the dock takes (SPEC §9.2). */
  get limits(): Limits {
    return this.#session.welcome.limits;
  }

  /** The line: its name, and what has passed along it. */
  get link(): { readonly name: string; readonly counters: Readonly<LinkCounters> } {
    return this.#session.link;
  }

  /** How many calls have begun and aren't settled; an open transaction is one. */
  get underWay(): number {
    return this.#session.underWay + (this.#isInTransaction ? 1 : 0);
  }

  /** Fails with `USAGE`, `UNSUPPORTED` or `READ_ONLY` where a write to the layer would, before anything is sent. */
  requireWritable(options: WriteOptions): void {
    layerToWrite(this.#session, options);
  }

  /** What the dock says of itself, with how full its layers are. */
  async info(options: CallOptions = {}): Promise<DockInfo> {
    const { bootId, ...info } = await this.#session.request("dock.info", {}, options);
    return { ...info, bootId: Buffer.from(bootId).toString("hex") };
  }

  /** The size in bytes and the CRC-32 of the application that the dock runs (SPEC §7.2). Fails with `UNSUPPORTED`. */
  async code(options: CallOptions = {}): Promise<{ readonly size: number; readonly crc32: number }> {
    this.#session.requireFeature("code", "telling what its application is");
    return await this.#session.request("code.info", {}, options);
  }

  /**
   * Several writes to one layer that are seen all at once or not at all: `write` gets the transaction to write in. When it fails,
   * or the link is lost, nothing is done. One at a time. Gives what `write` gives.
   * Fails as its writes do, and with `UNSUPPORTED`, `BUSY` while another is open, `LINK_LOST` when it was rolled back,
   * `OUTCOME_UNKNOWN` when the link was lost in the very commit.
   * @example await dock.transaction("runtime", async (tx) => { await tx.kv.set("a", 1); await tx.kv.set("b", 2); });
   */
  async transaction<T>(store: Layer, write: (tx: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    if (this.#isInTransaction) {
      throw new DockError({ code: "BUSY", message: "A transaction is open already: one at a time.", retryable: true });
    }
    this.#isInTransaction = true;
    try {
      return await transact(this.#session, store, write, options);
    } finally {
      this.#isInTransaction = false;
    }
  }

  /**
   * Restarts the dock: what is ephemeral is lost, tokens too. With `reconnect` it settles when the dock is back; without, when the dock
   * has agreed, and the link is then over.
   * Fails with `UNSUPPORTED`; with `OUTCOME_UNKNOWN` when the dock hasn't answered, or has agreed and isn't back in time; and otherwise as any
   * write, when it hasn't restarted.
   */
  async restart(options: CallOptions = {}): Promise<void> {
    const { bootId } = this.#session.welcome;
    try {
      await this.#session.request("dock.restart", {}, options);
    } catch (error) {
      if (await this.#hasRestarted(error, bootId, options)) return;
      throw error;
    }
    this.#session.restarts(bootId);
    if (!this.#session.reconnects) return;
    try {
      await this.info(options);
    } catch (error) {
      throw error instanceof DockError ? new DockError(unknownProblem("dock.restart", error)) : error;
    }
  }

  /** Whether a dock from which no answer came has restarted: it may have gone before that was through, and then shows another boot. */
  async #hasRestarted(error: unknown, bootId: Uint8Array, { signal, timeout }: CallOptions): Promise<boolean> {
    if (!(error instanceof DockError) || error.code !== "OUTCOME_UNKNOWN" || this.#session.over !== undefined) return false;
    // Who has aborted it doesn't want to wait for long, but is to be told the truth.
    const look = signal?.aborted ? LAST_LOOK : timeout;
    const info = await this.info({ timeout: look }).catch(() => undefined);
    return info !== undefined && info.bootId !== Buffer.from(bootId).toString("hex");
  }

  /** Factory reset: clears what is runtime and ephemeral, images and keys. Factory data stays. Fails with `UNSUPPORTED`, and as any write. */
  async reset(options: CallOptions = {}): Promise<void> {
    await this.#session.request("dock.reset", {}, options);
  }

  /** Closes the line. What is under way fails with `CLOSED`, writes that were sent with `OUTCOME_UNKNOWN`. Can be called twice. */
  async close(): Promise<void> {
    await this.#session.close();
    await this.#release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** How long it is looked what became of an aborted restart, in milliseconds. */
const LAST_LOOK = 2_000;

async function sessionOver(
  transport: Transport,
  options: OpenOptions,
  reopen: Reopening["open"] | undefined,
): Promise<Session> {
  const reconnect = reconnectOf(options.reconnect);
  const { signal, onText, onLog, trace, readOnly } = options;
  return await Session.open(transport, {
    clock: systemClock,
    software: `dl7450 ${version}`,
    ...timesOf(options),
    ...{ signal, onText, onLog, trace, readOnly },
    ...(reconnect === undefined || reopen === undefined ? {} : { reopening: { ...reconnect, open: reopen } }),
  });
}

function timesOf({ handshakeTimeout, timeout }: OpenOptions): { handshakeTimeout: number; timeout: number | undefined } {
  return {
    handshakeTimeout: positive("handshakeTimeout", handshakeTimeout ?? USUAL_HANDSHAKE_TIMEOUT),
    timeout: timeout === undefined ? undefined : positive("timeout", timeout),
  };
}

/** How a lost dock is looked for, if it is. */
function reconnectOf(option: boolean | ReconnectOptions | undefined): Omit<Reopening, "open"> | undefined {
  if (option === undefined || option === false) return undefined;
  const { timeout = USUAL_OUTAGE, onLost, onBack } = option === true ? {} : option;
  return {
    timeout: positive("reconnect.timeout", timeout),
    onLost: (why) => onLost?.(new DockError(why)),
    onBack: () => onBack?.(),
  };
}
