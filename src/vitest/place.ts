/** One dock that tests have: taken, open, and put back after each of them. */
import { mkdtemp, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import envPaths from "env-paths";
import type { Layer } from "../../protocol/index.js";
import { readSnapshot } from "../../snapshot/folder.js";
import { throwIfAborted } from "../check.js";
import { pause, systemClock } from "../clock.js";
import { contentsOf } from "../contents.js";
import { differences } from "../difference.js";
import type { Dock, DockInfo, OpenOptions } from "../dock.js";
import { DockError, type DockErrorCode } from "../errors.js";
import { type LinkCounters, noCounters } from "../link.js";
import { openSnapshot } from "../snapshot/restore.js";
import { saveSnapshot } from "../snapshot/save.js";
import { parseTarget, placeName } from "../transport/target.js";
import { quoted, visible } from "../visible.js";
import { howToAllow, isAllowed } from "./allowed.js";
import { BlackBox } from "./black-box.js";
import { Faults } from "./faults.js";
import { holderText, Lease } from "./lease.js";
import { type Baseline, baselineIn, type Isolation, layersOf, putBack, saveBaseline } from "./putting-back.js";
import { type Spot, spotOf } from "./spot.js";
import { keysOf } from "./story.js";

/** How long a dock that isn't there is waited for, before a test and within it, in milliseconds: one that restarts takes some seconds. */
const OUTAGE = 10_000;
/** Between two attempts, in milliseconds. */
const EVERY = 250;
/** What may be otherwise a moment later. */
const PASSING: ReadonlySet<DockErrorCode> = new Set(["NO_DOCK", "NO_ANSWER", "LINK_LOST", "BUSY", "TIMEOUT", "PROTOCOL"]);

export interface TakeOptions {
  /** What the dock is for, for who waits for it. */
  readonly purpose: string;
  /** Longest time to wait for who else has the dock, in milliseconds. */
  readonly leaseTimeout: number;
  /** Whether a dock that isn't there is waited for. */
  readonly patience: "waits" | "tries once";
  /** Tells people what is going on. */
  readonly say: (text: string) => void;
  /** Which dock it is to be; unless told, any. */
  readonly only: DockName | undefined;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
}

/** What tells a dock from others. */
export type DockName = Pick<DockInfo, "id" | "name">;

/** How long a dock is waited for, in milliseconds. */
interface Patience {
  /** One that isn't there. */
  readonly outage: number;
  /** One that somebody else has open. */
  readonly taken: number;
  readonly signal?: AbortSignal | undefined;
}

export class Place {
  /** What the dock is named by; nothing is the only one there is. */
  readonly port: string;
  /** What has passed in this test. */
  readonly box = new BlackBox();
  readonly #spot: Spot;
  readonly #lease: Lease | undefined;
  readonly #say: TakeOptions["say"];
  /** The kit's session; undefined while a test has its own, or when it has ended. */
  #dock: Dock | undefined;
  /** Sessions of the test's own: another array for each test. */
  #others: Dock[] = [];
  /** Those that are being opened. */
  readonly #opens = new Set<Promise<Dock>>();
  /** All sessions of the test, with what they had counted before. */
  #counted: { readonly dock: Dock; readonly before: LinkCounters }[] = [];
  /** How the kit's session was opened. */
  #opening: OpenOptions | undefined;
  #info: DockInfo | undefined;
  #only: DockName | undefined;
  #faults: Faults | undefined;
  /** Whether it was lost, and looked for by its session for as long as it is waited for. */
  #isMissed = false;
  #mayWrite: boolean;
  /** What the dock held. */
  #baseline: Baseline | undefined;
  /** What it is to hold after this test. */
  #wanted: { readonly baseline: Baseline; readonly stores: readonly Layer[] } | undefined;
  /** Where the baseline is kept, of a dock without a lease. */
  #folder: string | undefined;

  /** Waits for a dock that others have, opens it, and puts back what somebody has left that died. Fails as `Dock.open` does, and as `Lease.take`. */
  static async take(port: string, opening: OpenOptions, options: TakeOptions): Promise<Place> {
    const { signal } = options;
    const target = parseTarget(port);
    const patience =
      options.patience === "waits"
        ? { outage: outageOf(opening), taken: options.leaseTimeout, signal }
        : { outage: 0, taken: 0, signal };
    const name = await retried({ ...patience, taken: 0 }, () => placeName(target));
    const lease = name === undefined ? undefined : await takeLease(name, patience.taken, options);
    let place: Place | undefined;
    try {
      place = new Place(port, await spotOf(port, target), lease, options);
      await place.ready(opening, patience); // somebody may have the port who knows of no lease
      await place.#recover();
      return place;
    } catch (error) {
      await place?.release();
      await lease?.release();
      throw error;
    }
  }

  private constructor(port: string, spot: Spot, lease: Lease | undefined, { say, only }: TakeOptions) {
    this.port = port;
    this.#spot = spot;
    this.#lease = lease;
    this.#say = say;
    this.#only = only;
    this.#mayWrite = this.isMock;
  }

  /** The kit's session. */
  get dock(): Dock {
    if (this.#dock === undefined) throw new Error("the dock isn't open: a place is made ready before each test");
    return this.#dock;
  }

  /** Whether it is a mock dock of this place's own. */
  get isMock(): boolean {
    return this.#spot.mock !== undefined;
  }

  /** What goes wrong with a mock dock in this test; others have none. */
  get faults(): Faults | undefined {
    return this.#faults;
  }

  /** What the dock said of itself when it was opened. */
  get info(): DockInfo | undefined {
    return this.#info;
  }

  /** Whether tests may change the dock: a mock, or one that `DL7450_ALLOW_WRITE` names. */
  get mayWrite(): boolean {
    return this.#mayWrite;
  }

  /** What the lines of this test have counted. */
  get counters(): LinkCounters {
    const sum = noCounters();
    for (const { dock, before } of this.#counted) {
      const { counters } = dock.link;
      for (const key of keysOf(sum)) sum[key] += counters[key] - before[key];
    }
    return sum;
  }

  /** How many calls, streams and transactions of the test's sessions haven't ended. */
  get underWay(): number {
    return this.#sessions.reduce((sum, dock) => sum + dock.underWay, this.#opens.size);
  }

  /**
   * Sees to it that the dock is open, or fails as `Dock.open` does. A dock that another has taken the place of is `NO_DOCK`.
   */
  async ready(opening: OpenOptions, patience: Patience = { outage: outageOf(opening), taken: 0 }): Promise<void> {
    if (opening !== this.#opening) await this.close();
    this.#opening = opening;
    if (this.box.isLost) await this.#dock?.info(); // which waits for it
    if (this.#dock !== undefined) return;
    const options = { reconnect: { timeout: OUTAGE }, ...opening };
    const onBusy = (why: string): void => this.#say(`Waiting for up to ${patience.taken / 1_000} s: ${why}`);
    const { taken, signal } = patience;
    const outage = this.#isMissed ? 0 : patience.outage;
    const dock = await retried({ outage, taken, signal }, () => this.#openSession(options), onBusy);
    await this.#checkSame(dock);
    this.#dock = dock;
    this.#isMissed = false;
    void dock.closed.then((problem) => {
      if (this.#dock !== dock) return;
      this.#dock = undefined;
      this.#isMissed = problem?.code === "LINK_LOST";
    });
    this.#info ??= await dock.info();
    this.#only ??= this.#info;
  }

  /** A test begins, with the dock as it is now. */
  beginTest(): void {
    this.box.begin();
    this.#faults = this.#spot.mock && new Faults(this.#spot.mock);
    this.#counted = [{ dock: this.dock, before: { ...this.dock.link.counters } }];
  }

  /** What opens sessions for this test in place of the kit's. Once the test has ended it fails with `CLOSED`. */
  opener(): (options: OpenOptions) => Promise<Dock> {
    const sessions = this.#others;
    return async (options) => {
      const opening = this.#openFor(sessions, options);
      this.#opens.add(opening);
      return opening.finally(() => this.#opens.delete(opening));
    };
  }

  async #openFor(sessions: Dock[], options: OpenOptions): Promise<Dock> {
    const closed = new DockError({ code: "CLOSED", message: "The test that has the dock has ended." });
    if (sessions !== this.#others) throw closed;
    await this.#dock?.close();
    const dock = await this.#openSession(options);
    await this.#checkSame(dock);
    if (sessions !== this.#others) {
      await dock.close();
      throw closed;
    }
    sessions.push(dock);
    this.#counted.push({ dock, before: noCounters() });
    return dock;
  }

  /** Gets what is put back after the test. What the dock holds is saved when it is asked for first, and then stays what it was. */
  async prepare(isolation: Isolation): Promise<void> {
    this.#wanted = undefined;
    if (isolation === "none") return;
    const snapshot = typeof isolation === "object" ? await snapshotOf(this.dock, isolation.snapshot) : undefined;
    const stores = this.#mayWrite ? layersOf(this.dock, isolation, snapshot) : [];
    if (snapshot !== undefined) await this.#checkOthers(snapshot, stores);
    const missing = stores.filter((store) => !this.#baseline?.layers.has(store));
    if (missing.length > 0) this.#baseline = await this.#save(missing);
    const baseline = snapshot ?? this.#baseline;
    if (baseline !== undefined) this.#wanted = { baseline, stores };
    if (snapshot !== undefined) await this.putBack();
  }

  /** Fails with `READ_ONLY` unless the layers beside those that can be put back are as in the snapshot. */
  async #checkOthers({ folder, layers }: Baseline, stores: readonly Layer[]): Promise<void> {
    for (const [store, layer] of layers) {
      if (stores.includes(store)) continue;
      const count = differences(await contentsOf(this.dock, store), layer).length;
      if (count === 0) continue;
      const { name } = this.dock;
      const why = this.#mayWrite ? "that layer can't be written." : `it is only read: ${howToAllow(name)}.`;
      const what = `in ${count === 1 ? "an image or key" : `${count} images and keys`} of ${store}`;
      const message = `${quoted(name)} differs from ${visible(folder)} ${what}, and ${why}`;
      throw new DockError({ code: "READ_ONLY", message });
    }
  }

  /** Has the dock hold what it is to hold. */
  async putBack(): Promise<void> {
    if (this.#wanted !== undefined) await putBack(this.dock, this.#wanted.baseline, this.#wanted.stores);
  }

  /** Ends all sessions; `ready` opens another. Never fails. */
  async close(): Promise<void> {
    const sessions = this.#sessions;
    this.#others = [];
    await Promise.allSettled([...sessions.map((dock) => dock.close()), ...this.#opens]);
    this.#dock = undefined;
  }

  /**
   * Lets others have the dock. Never fails.
   * @param state of a dock that isn't as it was it is kept what it held, for who has it next
   */
  async release(state: "as it was" | "not as it was" = "as it was"): Promise<void> {
    await this.close();
    await this.#spot.release().catch(() => {});
    if (this.#folder !== undefined && (state === "as it was" || this.#lease === undefined)) {
      await removeAtOnce(this.#folder).catch((error) => this.#say(`It can't be noted that the dock is as it was: ${error}`));
    }
    await this.#lease?.release();
  }

  get #sessions(): readonly Dock[] {
    return this.#dock === undefined ? this.#others : [this.#dock, ...this.#others];
  }

  async #save(stores: readonly Layer[]): Promise<Baseline> {
    const { dock } = this;
    if (this.#folder !== undefined) return saveBaseline(dock, this.#folder, stores);
    if (this.#lease === undefined) {
      this.#folder = await mkdtemp(join(tmpdir(), "dl7450-baseline-"));
      return saveBaseline(dock, this.#folder, stores);
    }
    // That it is there says that the dock isn't as it was: it comes as a whole, before the dock is changed.
    const folder = this.#lease.baselineOf(dock.id);
    const part = `${folder}.part`;
    await rm(part, { recursive: true, force: true });
    await saveBaseline(dock, part, stores);
    await rename(part, folder);
    this.#folder = folder;
    return baselineIn(await readSnapshot(folder));
  }

  /** Whether a dock may be written to is known by its name, so that it is opened to be read first. */
  async #openSession(options: OpenOptions): Promise<Dock> {
    const { trace } = options;
    for (;;) {
      const dock = await this.#spot.open({
        ...options,
        readOnly: options.readOnly === true || !this.#mayWrite,
        trace: (event) => {
          this.box.note(event);
          trace?.(event);
        },
      });
      const mayWrite = this.isMock || isAllowed(dock.name);
      if (mayWrite === this.#mayWrite) return dock;
      this.#mayWrite = mayWrite;
      await dock.close();
    }
  }

  /** A place is of one dock, whatever is at its port later. */
  async #checkSame(dock: Dock): Promise<void> {
    const only = this.#only;
    if (only === undefined || dock.id === only.id) return;
    await dock.close();
    const message = `Another dock is there now: ${quoted(dock.name)} (id ${quoted(dock.id)}), not ${quoted(only.name)} (id ${quoted(only.id)}).`;
    throw new DockError({ code: "NO_DOCK", message });
  }

  /** Puts back what was changed by a test that hasn't, since its process or its dock was gone, and keeps what that was. */
  async #recover(): Promise<void> {
    const folder = this.#lease?.baselineOf(this.dock.id);
    if (folder === undefined) return;
    const since = await stat(folder).catch(() => undefined);
    if (since === undefined) return;
    const name = quoted(this.dock.name);
    const before = `as it was at ${since.mtime.toISOString()}, before a test that has ended without putting it back`;
    if (!this.#mayWrite) return this.#say(`${name} may not be ${before}. It isn't to be written, so it is left as it is.`);
    const found = `${folder}.${Date.now()}.found`;
    let changed: readonly unknown[];
    try {
      const snapshot = await readSnapshot(folder);
      const stores = snapshot.layers.map(({ store }) => store);
      await saveSnapshot(this.dock, found, { stores });
      changed = await putBack(this.dock, baselineIn(snapshot), stores);
      await removeAtOnce(folder);
    } catch (cause) {
      const why = (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, "");
      const message = `${name} can't be made to be ${before}: ${why}. What it held is in ${visible(folder)}; without that folder the dock is taken as it is.`;
      throw cause instanceof DockError ? new DockError({ code: cause.code, message, cause }) : new Error(message, { cause });
    }
    if (changed.length === 0) return void (await rm(found, { recursive: true, force: true }));
    this.#say(`${name} is put back: it is ${before}. What it held is kept in ${visible(found)}.`);
  }
}

/** A snapshot of this dock. Fails with `SNAPSHOT`, and with `USAGE` when it is another one's: its unique values aren't this dock's. */
async function snapshotOf(dock: Dock, folder: string): Promise<Baseline> {
  const snapshot = await openSnapshot(folder);
  if (snapshot.dock.id === dock.id) return baselineIn(snapshot);
  const message = `The snapshot in ${visible(folder)} is of ${quoted(snapshot.dock.name)}, another dock than ${quoted(dock.name)} here.`;
  throw new DockError({ code: "USAGE", message });
}

async function takeLease(name: string, timeout: number, { purpose, say, signal }: TakeOptions): Promise<Lease> {
  const folder = join(envPaths("dl7450", { suffix: "" }).data, "leases");
  const run = process.ppid; // of a worker, that is vitest
  return await Lease.take(name, folder, {
    ...{ purpose, run, timeout, signal },
    onWait: (holder) => {
      const limit = holder?.run === run ? "until its tests have ended" : `for up to ${timeout / 1_000} s`;
      say(`${visible(name)} is taken by ${holderText(holder)}: waiting for it, ${limit}.`);
    },
  });
}

/** Removes a folder, which is there as a whole until it isn't. */
async function removeAtOnce(folder: string): Promise<void> {
  const going = `${folder}.over`;
  await rm(going, { recursive: true, force: true });
  await rename(folder, going);
  await rm(going, { recursive: true, force: true });
}

/** What `open` gives, tried again while the dock isn't there, or is taken. */
async function retried<T>(
  { outage, taken, signal }: Patience,
  open: () => Promise<T>,
  onBusy: (why: string) => void = () => {},
): Promise<T> {
  const begun = systemClock.now();
  let told = "";
  for (;;) {
    throwIfAborted(signal);
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof DockError) || !PASSING.has(error.code)) throw error;
      const isBusy = error.code === "BUSY";
      if (systemClock.now() + EVERY > begun + (isBusy ? Math.max(outage, taken) : outage)) throw error;
      if (isBusy && told !== error.message) onBusy(error.message);
      told = error.message;
      await pause(systemClock, EVERY, signal);
    }
  }
}

function outageOf({ reconnect }: OpenOptions): number {
  if (reconnect === false) return 0;
  return typeof reconnect === "object" ? (reconnect.timeout ?? OUTAGE) : OUTAGE;
}
