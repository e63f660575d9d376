/** Somebody who calls a dock at random, on names of its own, and tells the reference what it was told. */
import { setTimeout } from "node:timers/promises";
import { type CallOptions, type Dock, DockError, type DockErrorCode, type Layer } from "../../src/index.js";
import { type Change, type Ending, fingerprint, type Reference } from "./reference.js";

/** What there is to call: a dock, or what stands for it in a test. */
export type Target = Pick<Dock, "kv" | "images" | "transaction">;

/** Random numbers with a seed. */
export interface Chance {
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
  bytes(length: number): Buffer;
}

/** What came of the calls. */
export class Tally {
  calls = 0;
  /** Failures by code. */
  readonly failures = new Map<DockErrorCode, number>();
  /** Reads that gave something that can't be there. */
  readonly wrong: string[] = [];
  /** Errors that aren't the driver's, or not explained by what was wrong. */
  readonly unexplained: string[] = [];
  /** Calls that weren't settled in time. */
  unsettled = 0;

  failed(code: DockErrorCode): void {
    this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
  }
}

export interface WorkerOptions {
  readonly name: string;
  /** Which of those that have the name one after the other: none writes a value that another has written. */
  readonly round: number;
  readonly chance: Chance;
  readonly reference: Reference;
  readonly tally: Tally;
  /** The codes that what goes wrong explains. */
  readonly explained: ReadonlySet<DockErrorCode>;
  /** The largest image, in bytes. */
  readonly largest: number;
  /** Whether images are what was put there, or are replaced meanwhile. */
  readonly images: "known" | "replaced";
  /** Time after which an abort comes, where there is one; in milliseconds, by a clock of the caller's. */
  readonly after?: (ms: number, then: () => void) => void;
}

/** Nothing was written when a call failed with one of these. */
const UNKNOWN: DockErrorCode = "OUTCOME_UNKNOWN";
/** Names that each worker uses, in each of its layers. */
const NAMES = 4;
const STORES = ["runtime", "ephemeral"] as const satisfies readonly Layer[];

export class Worker {
  readonly #dock: Target;
  readonly #options: WorkerOptions;
  #serial = 0;

  constructor(dock: Target, options: WorkerOptions) {
    this.#dock = dock;
    this.#options = options;
  }

  /** Makes one call, and waits for it. */
  async step(): Promise<void> {
    const { chance, tally } = this.#options;
    tally.calls++;
    const store = STORES[chance.between(0, 1)] ?? "runtime";
    switch (chance.between(1, 12)) {
      case 1:
      case 2:
        return this.#set(store);
      case 3:
        return this.#deleteKey(store);
      case 4:
        return this.#getKey(store);
      case 5:
      case 6:
        return this.#put(store);
      case 7:
      case 8:
      case 9:
        return this.#getImage(store);
      case 10:
        return this.#deleteImage(store);
      case 11:
        return this.#transact(store);
      default:
        return this.#list(store);
    }
  }

  async #set(store: Layer): Promise<void> {
    const change = { name: this.#key(), value: this.#value() };
    const { ending } = await this.#call((options) => this.#dock.kv.set(change.name, change.value, { store, ...options }));
    this.#wrote(store, [change], ending, "a change");
  }

  async #deleteKey(store: Layer): Promise<void> {
    const name = this.#key();
    const { ending, value: existed } = await this.#call((options) => this.#dock.kv.delete(name, { store, ...options }));
    if (ending === "done") this.#expectExistence(store, name, existed === true);
    const count = ending === "unknown" ? "maybe a change" : existed === true ? "a change" : "no change";
    this.#wrote(store, [{ name, value: undefined }], ending, count);
  }

  async #getKey(store: Layer): Promise<void> {
    const name = this.#key();
    const { ending, value } = await this.#call((options) => this.#dock.kv.get(name, { store, ...options }));
    if (ending === "done") this.#expect(store, name, value === undefined ? undefined : String(value));
  }

  async #put(store: Layer): Promise<void> {
    const name = this.#tag();
    const { chance, largest } = this.#options;
    const bytes = chance.bytes(chance.between(0, 3) === 0 ? chance.between(0, largest) : chance.between(0, 20_000));
    const put = (options: CallOptions) => this.#dock.images.put(name, bytes, { store, type: "none", ...options });
    const { ending } = await this.#call(put);
    const fresh = !this.#reference(store).possible(name).has(fingerprint(bytes));
    this.#wrote(store, [{ name, value: fingerprint(bytes) }], ending, fresh ? "a change" : "maybe a change");
  }

  async #getImage(store: Layer): Promise<void> {
    const name = this.#tag();
    const { ending, value, code } = await this.#call((options) => this.#dock.images.get(name, { store, ...options }));
    if (this.#options.images === "replaced") return;
    if (code === "NOT_FOUND") this.#expect(store, name, undefined);
    else if (ending === "done" && value !== undefined) this.#expect(store, name, fingerprint(value.data));
  }

  async #deleteImage(store: Layer): Promise<void> {
    const name = this.#tag();
    const { ending, value: existed } = await this.#call((options) => this.#dock.images.delete(name, { store, ...options }));
    if (ending === "done" && this.#options.images === "known") this.#expectExistence(store, name, existed === true);
    const count = ending === "unknown" ? "maybe a change" : existed === true ? "a change" : "no change";
    this.#wrote(store, [{ name, value: undefined }], ending, count);
  }

  async #transact(store: Layer): Promise<void> {
    const changes: Change[] = [1, 2].map(() => ({ name: this.#key(), value: this.#value() }));
    const fails = this.#options.chance.between(1, 4) === 1;
    const { ending } = await this.#call((options) =>
      this.#dock.transaction(
        store,
        async (tx) => {
          for (const { name, value } of changes) await tx.kv.set(name, value);
          if (fails) throw new DockError({ code: "CANCELLED", message: "on purpose" });
        },
        options,
      ),
    );
    this.#wrote(store, changes, ending, "a change");
  }

  async #list(store: Layer): Promise<void> {
    const { ending, value } = await this.#call((options) => this.#dock.kv.list({ store, ...options }));
    if (ending !== "done") return;
    const there = new Set(value?.map(({ key }) => key));
    for (let i = 1; i <= NAMES; i++) this.#expectExistence(store, this.#nameOf("key", i), there.has(this.#nameOf("key", i)));
  }

  /** Makes a call, which is aborted now and then, and says how it ended. */
  async #call<T>(call: (options: CallOptions) => Promise<T>): Promise<{ ending: Ending; value?: T; code?: DockErrorCode }> {
    const { chance, tally, explained, after } = this.#options;
    const aborts = after !== undefined && chance.between(1, 12) === 1 ? new AbortController() : undefined;
    if (aborts !== undefined) after?.(chance.between(0, 50), () => aborts.abort());
    try {
      return { ending: "done", value: await call(aborts === undefined ? {} : { signal: aborts.signal }) };
    } catch (error) {
      if (!(error instanceof DockError)) {
        tally.unexplained.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
        return { ending: "unknown" };
      }
      const { code } = error;
      tally.failed(code);
      const isExplained = explained.has(code) || (code === "ABORTED" && aborts !== undefined) || ALWAYS.has(code);
      if (!isExplained) tally.unexplained.push(error.stack ?? error.message);
      return { ending: code === UNKNOWN ? "unknown" : "not done", code };
    }
  }

  #wrote(store: Layer, changes: readonly Change[], ending: Ending, count: "a change" | "no change" | "maybe a change"): void {
    this.#reference(store).wrote(changes, ending, count);
  }

  #expect(store: Layer, name: string, value: string | undefined): void {
    const possible = this.#reference(store).possible(name);
    if (possible.has(value)) return;
    this.#options.tally.wrong.push(`${store} ${name}: ${short(value)}, not one of ${[...possible].map(short).join(", ")}`);
  }

  #expectExistence(store: Layer, name: string, existed: boolean): void {
    const possible = [...this.#reference(store).possible(name)];
    if (possible.some((value) => (value !== undefined) === existed)) return;
    this.#options.tally.wrong.push(
      `${store} ${name}: ${existed ? "there" : "missing"}, against ${possible.map(short).join(", ")}`,
    );
  }

  #reference(store: Layer): ReturnType<Reference["layer"]> {
    return this.#options.reference.layer(store);
  }

  #key(): string {
    return this.#nameOf("key", this.#options.chance.between(1, NAMES));
  }

  #tag(): string {
    return this.#nameOf("image", this.#options.chance.between(1, NAMES));
  }

  #nameOf(kind: "key" | "image", i: number): string {
    return `${this.#options.name} ${kind} ${i}`;
  }

  /** A value that was never written before, now and then a long one. */
  #value(): string {
    const { chance, name, round } = this.#options;
    return `${name} ${round}.${++this.#serial} ${"x".repeat(chance.between(1, 6) === 1 ? chance.between(0, 3_000) : 0)}`;
  }
}

/** What needs no fault: nothing there, somebody else's transaction open, a transaction that fails on purpose. */
const ALWAYS: ReadonlySet<DockErrorCode> = new Set(["NOT_FOUND", "BUSY", "CANCELLED"]);

function short(value: string | undefined): string {
  return value === undefined ? "nothing" : value.slice(0, 24);
}

/** Steps until `isOver`, each settled within `most` milliseconds; a step that isn't ends the worker. */
export async function work(worker: Worker, tally: Tally, most: number, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const late = new AbortController();
    const step = worker.step().then(() => "settled" as const);
    const limit = setTimeout(most, "late" as const, { signal: late.signal }).catch(() => "settled" as const);
    const outcome = await Promise.race([step, limit]);
    late.abort();
    if (outcome === "settled") continue;
    tally.unsettled++;
    return;
  }
}
