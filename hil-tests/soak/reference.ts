/** What a dock should hold, as far as the calls that were made tell: for each name the values that it may have. */
import { createHash } from "node:crypto";
import type { Layer } from "../../src/index.js";

/** What a name may have: a text that stands for a value, or nothing. */
type Possible = Set<string | undefined>;

/** How a write ended, as its caller was told. */
export type Ending = "done" | "not done" | "unknown";

/** What somebody wants to write: a value, or undefined for a deletion. */
export interface Change {
  readonly name: string;
  readonly value: string | undefined;
}

export class ReferenceLayer {
  readonly #lasts: "until a restart" | "for good";
  readonly #names = new Map<string, Possible>();
  /** Changes that were made for certain, and those that may have been. */
  #certain = 0;
  #unknown = 0;

  /** @param lasts a layer that doesn't outlive a restart may have lost everything at any time */
  constructor(lasts: "until a restart" | "for good") {
    this.#lasts = lasts;
  }

  /** One write, or all those of a transaction, has ended. A write that changes nothing counts as no change. */
  wrote(changes: readonly Change[], ending: Ending, count: "a change" | "no change" | "maybe a change"): void {
    if (ending === "not done") return;
    for (const { name, value } of changes) {
      const before = this.possible(name);
      this.#names.set(name, ending === "done" ? new Set([value]) : new Set([...before, value]));
    }
    if (count === "no change") return;
    if (ending === "done" && count === "a change") this.#certain++;
    else this.#unknown++;
  }

  /** The values that a name may have. */
  possible(name: string): ReadonlySet<string | undefined> {
    const possible = this.#names.get(name) ?? new Set();
    return this.#lasts === "until a restart" || possible.size === 0 ? new Set([...possible, undefined]) : possible;
  }

  /** Every name that was ever written to. */
  get names(): Iterable<string> {
    return this.#names.keys();
  }

  /** What a name has is known from elsewhere. */
  found(name: string, value: string | undefined): void {
    this.#names.set(name, new Set([value]));
  }

  /** What was unknown has been looked at: whether it was made is counted elsewhere. */
  settleUnknown(): void {
    this.#unknown = 0;
  }

  /** How far the layer's generation may have come. */
  get changes(): { readonly least: number; readonly most: number } {
    return { least: this.#certain, most: this.#certain + this.#unknown };
  }
}

export class Reference {
  readonly #layers: Readonly<Record<Layer, ReferenceLayer>>;

  /** @param ephemeral how long that layer lasts: for good where it is known that the dock doesn't restart */
  constructor(ephemeral: "until a restart" | "for good" = "until a restart") {
    this.#layers = {
      factory: new ReferenceLayer("for good"),
      runtime: new ReferenceLayer("for good"),
      ephemeral: new ReferenceLayer(ephemeral),
    };
  }

  layer(store: Layer): ReferenceLayer {
    return this.#layers[store];
  }
}

/** The text that stands for an image. */
export function fingerprint(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
