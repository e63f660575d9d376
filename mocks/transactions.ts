/** The one transaction that a dock can have open (SPEC §7.6). */
import { randomInt } from "node:crypto";
import { LayerContents } from "./layer.js";
import type { LayerState } from "./lookup.js";
import { Refusal } from "./refusal.js";

interface Transaction {
  readonly id: number;
  readonly layer: LayerState;
  /** What is to be in the layer after the commit. */
  readonly stage: LayerContents;
}

export class Transactions {
  #open: Transaction | undefined;
  // Begins anywhere, so that a number from before the process began is no open transaction.
  #last = randomInt(2 ** 32);

  /** What the open transaction has staged. */
  get stage(): LayerContents | undefined {
    return this.#open?.stage;
  }

  /** Whether a transaction isn't over. */
  isOpen(txn: number): boolean {
    return this.#open?.id === txn;
  }

  /** Begins with what is in the layer, or with nothing. */
  begin(layer: LayerState, replace: boolean): number {
    if (this.#open !== undefined) throw new Refusal("BUSY", "another transaction is open");
    this.#last = (this.#last + 1) % 2 ** 32;
    const stage = new LayerContents(layer.store, layer.capacity, replace ? undefined : layer.contents);
    this.#open = { id: this.#last, layer, stage };
    return this.#last;
  }

  /** Ends one, and hands out what it was. Throws `STALE` when it is over already. */
  end(txn: number): Transaction {
    const open = this.#checked(txn);
    this.#open = undefined;
    return open;
  }

  /** Ends the open one, if there is one. */
  drop(): void {
    this.#open = undefined;
  }

  /** What a write to a layer changes: the stage of its transaction, or what is seen. */
  target(layer: LayerState, txn: number | undefined): LayerContents {
    if (txn === undefined) {
      if (this.#open?.layer === layer) throw new Refusal("BUSY", `a transaction is open on the layer ${layer.store}`);
      return layer.contents;
    }
    const open = this.#checked(txn);
    if (open.layer !== layer) throw new Refusal("INVALID", `the transaction is on the layer ${open.layer.store}`);
    return open.stage;
  }

  #checked(txn: number): Transaction {
    if (this.#open?.id !== txn) throw new Refusal("STALE", "the transaction is over");
    return this.#open;
  }
}
