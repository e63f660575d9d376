/** What kinds of firmware there are, and how much their layers hold. */
import type { Layer } from "../protocol/index.js";

/** What a kind of firmware can do. */
export interface Profile {
  readonly features: readonly string[];
  readonly stores: readonly Layer[];
}

const FULL_FEATURES = ["stores", "log", "write.ephemeral", "write.runtime", "txn", "restart", "reset", "code"] as const;

/**
 * `preview` is what the vendor documents today: factory data only, no layer can be named. `full` has all three layers, and writes to
 * the two that a customer may write; `development` writes to factory as well.
 */
export const PROFILES = {
  preview: { features: [], stores: ["factory"] },
  full: { features: FULL_FEATURES, stores: ["factory", "runtime", "ephemeral"] },
  development: { features: [...FULL_FEATURES, "write.factory"], stores: ["factory", "runtime", "ephemeral"] },
} as const satisfies Record<string, Profile>;
export type ProfileName = keyof typeof PROFILES;

/** Bytes that each layer holds: 13, 13 and 128 MB, as the vendor says. */
export const CAPACITIES: Readonly<Record<Layer, number>> = { factory: 13_000_000, runtime: 13_000_000, ephemeral: 128_000_000 };
