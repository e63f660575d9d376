/** Keys and values on the dock: the SDK's `KvStore`, from the other end of a cable. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { KvValue, Layer } from "../protocol/index.js";
import { DockError } from "./errors.js";
import { kvValue, ownBytes, sameValue } from "./kv-value.js";
import { checkName, type LayerOption, layerToWrite, placesOf, type WriteOptions } from "./layers.js";
import { listAll } from "./listing.js";
import type { CallOptions, Session } from "./session.js";
import { quoted, visible } from "./visible.js";
import { deleteKey, setKey } from "./writing.js";

/** A key in a list. */
export interface KeyEntry {
  readonly key: string;
  /** The layer that it is in. */
  readonly store: Layer;
  /** Size of the value, as encoded (SPEC §6). */
  readonly bytes: number;
  /** Whether the value is unique per dock. */
  readonly upd: boolean;
}

/** A value with where it came from. */
export interface KeyValue {
  readonly value: KvValue;
  /** The layer that answered. */
  readonly store: Layer;
  /** Whether the value is unique per dock. */
  readonly upd: boolean;
}

/** `get` with a schema of any library that speaks Standard Schema (valibot, zod, arktype …). */
export interface SchemaOption<Schema extends StandardSchemaV1> {
  /** What the value must be. `get` gives what the schema makes of it, or fails with `WRONG_VALUE`. */
  readonly schema: Schema;
}

/** Values that are asked for ahead of the one that is handed out. */
const AHEAD = 16;

export class KvStore {
  readonly #session: Session;

  /** Made by `Dock.open`. */
  constructor(session: Session) {
    this.#session = session;
  }

  /** The keys, each once, ordered by key: from the layer that answers, or from the one that `store` names. */
  async list(options: CallOptions & LayerOption = {}): Promise<KeyEntry[]> {
    const places = placesOf(this.#session, options.store);
    const entries = await listAll(this.#session, "kv.list", places, options);
    return entries.map(([key, store, bytes, upd]) => ({ key, store, bytes, upd }));
  }

  /** The value of a key; undefined when there is no such key (the SDK says `''`, which is a value as well). */
  async get(key: string, options?: CallOptions & LayerOption): Promise<KvValue | undefined>;
  async get<Schema extends StandardSchemaV1>(
    key: string,
    options: CallOptions & LayerOption & SchemaOption<Schema>,
  ): Promise<StandardSchemaV1.InferOutput<Schema> | undefined>;
  async get(key: string, options: CallOptions & LayerOption & Partial<SchemaOption<StandardSchemaV1>> = {}): Promise<unknown> {
    const found = await this.find(key, options);
    if (found === undefined || options.schema === undefined) return found?.value;
    return conforming(key, found.value, options.schema);
  }

  /** The value of a key with the layer that it came from; undefined when there is no such key. */
  async find(key: string, options: CallOptions & LayerOption = {}): Promise<KeyValue | undefined> {
    checkName("key", key, this.#session.welcome.limits);
    for (const place of placesOf(this.#session, options.store)) {
      const answer = await this.#session.request("kv.get", { key, ...place }, options);
      if (answer.found) return { value: ownBytes(answer.value), store: answer.store, upd: answer.upd };
    }
    return undefined;
  }

  /**
   * Gives a key a value in a layer, and settles when the dock has it: null, booleans, numbers, bigints of 64 bits, text, `Uint8Array`,
   * and arrays and plain objects of these, at most 16 deep.
   * Fails with `USAGE`, `UNSUPPORTED`, `TOO_LARGE`, `NO_SPACE` (with `details.free`), `READ_ONLY`, `BUSY`; then, and after `TIMEOUT` and
   * `ABORTED`, nothing was written. After `OUTCOME_UNKNOWN` it may have been.
   */
  async set(key: string, value: unknown, options: WriteOptions): Promise<void> {
    const store = layerToWrite(this.#session, options);
    const wanted = kvValue(value);
    try {
      await setKey(this.#session, { store }, key, wanted, options);
    } catch (error) {
      if (!(await this.#isThere(error, key, wanted, store, options))) throw error;
    }
  }

  /** Deletes a key from a layer, and says whether there was one. Fails as `set` does. */
  async delete(key: string, options: WriteOptions): Promise<boolean> {
    return await deleteKey(this.#session, { store: layerToWrite(this.#session, options) }, key, options);
  }

  /** Whether a value that may have been written is there, as far as that can be found out. */
  async #isThere(error: unknown, key: string, value: KvValue, store: Layer, options: CallOptions): Promise<boolean> {
    if (!(error instanceof DockError) || error.code !== "OUTCOME_UNKNOWN" || this.#session.over !== undefined) return false;
    if (!this.#session.welcome.features.includes("stores")) return false;
    const now = await this.find(key, { ...options, store }).catch(() => undefined);
    return now !== undefined && !now.upd && sameValue(now.value, value); // what was set isn't unique per dock any more
  }

  /** Keys with their values, in the order of the list. A key that is deleted meanwhile is left out. */
  async *entries(options: CallOptions & LayerOption = {}): AsyncGenerator<[string, KvValue], void, undefined> {
    const left = new AbortController();
    const signal = options.signal === undefined ? left.signal : AbortSignal.any([options.signal, left.signal]);
    const keys = await this.list(options);
    const ahead: Promise<KvValue | undefined>[] = [];
    const askAhead = (i: number): void => {
      const key = keys[i]?.key;
      if (key === undefined) return;
      const value = this.get(key, { ...options, signal });
      value.catch(() => {}); // it is met when its turn comes, which may be later than the failure
      ahead.push(value);
    };
    try {
      for (let i = 0; i < AHEAD; i++) askAhead(i);
      for (const [i, { key }] of keys.entries()) {
        const value = await ahead.shift();
        askAhead(i + AHEAD);
        if (value !== undefined) yield [key, value];
      }
    } finally {
      left.abort();
    }
  }
}

async function conforming<Schema extends StandardSchemaV1>(
  key: string,
  value: KvValue,
  schema: Schema,
): Promise<StandardSchemaV1.InferOutput<Schema>> {
  const checked = await schema["~standard"].validate(value);
  if (checked.issues === undefined) return checked.value;
  const issues = checked.issues.map(({ message, path }) => {
    const at = path?.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
    return at ? `${at}: ${message}` : message;
  });
  throw new DockError({
    code: "WRONG_VALUE",
    message: `The value of ${quoted(key)} isn't what was expected: ${visible(issues.join("; "))}.`,
    details: { issues },
  });
}
