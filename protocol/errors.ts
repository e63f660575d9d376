/** What a dock can answer instead of a result (SPEC §8). */
import * as v from "valibot";
import { eightBytes, layer, uint32, versions } from "./fields.js";

/** The codes of SPEC §8, each with its meaning. */
export const FAILURES = {
  UNSUPPORTED: "the dock has no such operation or feature",
  VERSION: "no version in common (3.1)",
  MALFORMED: "the request breaks the protocol",
  TOO_LARGE: "tag, key, value or image beyond a limit",
  BUSY: "too much under way, or taken by something else",
  NOT_FOUND: "no such image",
  READ_ONLY: "the layer can't be written",
  NO_SPACE: "the layer is full",
  INVALID: "a value that can't be: an offset beyond the end, a type that the content isn't",
  STALE: "a token, cursor, transaction or stream that is over",
  CHANGED: "the image isn't the one that was begun with",
  INTEGRITY: "size or SHA-256 don't match",
  NO_SESSION: "there is no session",
  CANCELLED: "cancelled by the host",
  INTERNAL: "the dock failed",
} as const;

export type FailureCode = keyof typeof FAILURES;

/** Whether this driver knows a code that a dock gave. A code of a newer dock is to be treated as `INTERNAL` (SPEC §8). */
export function isFailureCode(code: string): code is FailureCode {
  return Object.hasOwn(FAILURES, code);
}

/** The map of a `failure` message. */
export const failure = v.object({
  code: v.string(),
  message: v.string(),
  /** Whether the same request may work later unchanged. */
  retryable: v.boolean(),
  /** The limit that was passed, in bytes. */
  limit: v.exactOptional(uint32),
  /** What the layer has left, in bytes. */
  free: v.exactOptional(uint32),
  store: v.exactOptional(layer),
  /** What the dock speaks, when it speaks none of the host's versions. */
  versions: v.exactOptional(versions),
  /** The nonce of the hello that is refused. */
  nonce: v.exactOptional(eightBytes),
});
export type Failure = v.InferOutput<typeof failure>;
