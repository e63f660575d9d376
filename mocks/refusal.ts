/** A request that a dock can't carry out, as the failure that says so (SPEC §8). */
import type { FailureCode, Layer } from "../protocol/index.js";

/** What helps a host besides the code: bytes, and the layer that it is about. */
export interface RefusalDetails {
  readonly limit?: number;
  readonly free?: number;
  readonly store?: Layer;
  /** Where it isn't what it is for the code. */
  readonly retryable?: boolean;
}

export class Refusal extends Error {
  readonly failure: RefusalDetails & { readonly code: FailureCode; readonly message: string };

  constructor(code: FailureCode, message: string, details: RefusalDetails = {}) {
    super(message);
    this.failure = { code, message, ...details };
  }
}
