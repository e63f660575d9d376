/** Several writes to one layer that are seen all at once, or not at all (SPEC §7.6). */
import type { Layer } from "../protocol/index.js";
import { DockError } from "./errors.js";
import { kvValue } from "./kv-value.js";
import { layerToWrite, type WriteOptions } from "./layers.js";
import { rolledBackProblem } from "./outcome.js";
import { rollBack } from "./rollback.js";
import type { CallOptions, Session } from "./session.js";
import type { ImageSource } from "./source.js";
import { type Destination, deleteImage, deleteKey, type PutImage, type PutOptions, putImage, setKey } from "./writing.js";

export interface TransactionOptions extends Omit<WriteOptions, "store"> {
  /** Whether the layer then holds what the transaction has written and nothing else; unless told what was there stays. */
  readonly replace?: boolean | undefined;
}

/** Begins a transaction, has `write` do it, and commits; rolls back when `write` fails. Gives what `write` gives. */
export async function transact<T>(
  session: Session,
  store: Layer,
  write: (tx: Transaction) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  session.requireFeature("txn", "a transaction");
  layerToWrite(session, { store, confirm: options.confirm });
  const { replace } = options;
  const { txn } = await session.request("txn.begin", { store, ...(replace === undefined ? {} : { replace }) }, options);
  const tx = new Transaction(session, { store, txn }, options);
  try {
    const value = await write(tx);
    await tx.commit();
    return value;
  } catch (error) {
    await tx.rollBack();
    throw error;
  }
}

/** The writes of a transaction. Their effect is seen by nobody before it is committed. When one fails the transaction does, awaited or not. */
export class Transaction {
  readonly #session: Session;
  readonly #to: Destination & { readonly txn: number };
  readonly #options: TransactionOptions;
  /** Which link it was begun over: it ends with that. */
  readonly #link: number;
  /** Writes that aren't settled. */
  readonly #pending = new Set<Promise<unknown>>();
  /** The first write that failed, which its caller may not have looked at. */
  #failed: { readonly error: unknown } | undefined;
  readonly #left = new AbortController();
  #isOver = false;

  /** Made by `Dock.transaction`. */
  constructor(session: Session, to: Destination & { readonly txn: number }, options: TransactionOptions) {
    this.#session = session;
    this.#to = to;
    this.#options = options;
    this.#link = session.counters.reconnects;
  }

  /** Keys of the transaction's layer. */
  readonly kv = {
    /** As `KvStore.set`. */
    set: (key: string, value: unknown, options: CallOptions = {}): Promise<void> =>
      this.#write((all) => setKey(this.#session, this.#to, key, kvValue(value), all), options),
    /** As `KvStore.delete`. */
    delete: (key: string, options: CallOptions = {}): Promise<boolean> =>
      this.#write((all) => deleteKey(this.#session, this.#to, key, all), options),
  };

  /** Images of the transaction's layer. */
  readonly images = {
    /** As `ImageStore.put`. */
    put: (tag: string, source: ImageSource, options: PutOptions = {}): Promise<PutImage> =>
      this.#write((all) => putImage(this.#session, this.#to, tag, source, { ...options, ...all }), options),
    /** As `ImageStore.delete`. */
    delete: (tag: string, options: CallOptions = {}): Promise<boolean> =>
      this.#write((all) => deleteImage(this.#session, this.#to, tag, all), options),
  };

  /** Makes everything visible, once what is still under way is done: when some of that fails, it fails. */
  async commit(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
    if (this.#failed !== undefined) throw this.#failed.error;
    this.#check();
    this.#isOver = true;
    const { txn } = this.#to;
    try {
      await this.#session.request("txn.commit", { txn }, this.#options);
    } catch (error) {
      const wasRolledBack = error instanceof DockError && error.code === "STALE" && this.#isLinkLost;
      throw wasRolledBack ? new DockError(rolledBackProblem) : error;
    }
  }

  /** Leaves what is under way, and undoes everything. Never fails. */
  async rollBack(): Promise<void> {
    this.#isOver = true;
    this.#left.abort(); // what is still under way isn't wanted any more
    await Promise.allSettled(this.#pending);
    if (!this.#isLinkLost) await rollBack(this.#session, this.#to.txn);
  }

  get #isLinkLost(): boolean {
    return this.#session.isDown || this.#session.counters.reconnects !== this.#link;
  }

  #check(): void {
    if (this.#isOver)
      throw new DockError({ code: "STALE", message: "The transaction is over: nothing more can be written in it." });
    if (this.#isLinkLost) throw new DockError(rolledBackProblem);
  }

  #write<T>(write: (options: CallOptions) => Promise<T>, options: CallOptions): Promise<T> {
    const writing = this.#begin(write, options);
    this.#pending.add(writing);
    writing.then(
      () => this.#pending.delete(writing),
      (error: unknown) => {
        this.#pending.delete(writing);
        this.#failed ??= { error };
      },
    );
    return writing;
  }

  async #begin<T>(write: (options: CallOptions) => Promise<T>, { signal, timeout }: CallOptions): Promise<T> {
    this.#check();
    const signals = [signal, this.#options.signal, this.#left.signal].filter((it) => it !== undefined);
    return await write({ signal: AbortSignal.any(signals), timeout: timeout ?? this.#options.timeout });
  }
}
