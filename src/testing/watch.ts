/** Looks at a promise while it is open. */
import { DockError, type DockErrorCode } from "../errors.js";

type Fate<T> =
  | { readonly kind: "pending" }
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "failed"; readonly error: unknown };

export class Watched<T> {
  #fate: Fate<T> = { kind: "pending" };

  constructor(promise: Promise<T>) {
    promise.then(
      (value) => {
        this.#fate = { kind: "done", value };
      },
      (error: unknown) => {
        this.#fate = { kind: "failed", error };
      },
    );
  }

  /** The code of the error, or how else it stands. */
  get code(): DockErrorCode | "pending" | "done" {
    return this.#fate.kind === "failed" ? this.error.code : this.#fate.kind;
  }

  get value(): T {
    if (this.#fate.kind === "done") return this.#fate.value;
    throw new Error(`there is no value: it is ${this.code}`);
  }

  /** What it failed with, which every call does with a `DockError`. */
  get error(): DockError {
    if (this.#fate.kind !== "failed") throw new Error(`it is ${this.#fate.kind}`);
    const { error } = this.#fate;
    if (error instanceof DockError) return error;
    throw new Error(`it failed with something that is no DockError: ${String(error)}`, { cause: error });
  }
}

export function watch<T>(promise: Promise<T>): Watched<T> {
  return new Watched(promise);
}
