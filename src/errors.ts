/** Every error that a caller can meet: a `DockError` with a stable `code`. */
import { FAILURES, type Failure, type FailureCode, isFailureCode, type Layer } from "../protocol/index.js";
import { visible } from "./visible.js";

/** The codes of the host's own; those of the dock are in SPEC §8. */
const HOST_CODES = {
  NO_DOCK: "there is no dock at the target: no such port, nothing plugged in, connection refused",
  SEVERAL_DOCKS: "more than one dock fits, and none was named",
  PERMISSION: "the port may not be opened by this user",
  ECHO: "the port sends back what it is sent: no dock is speaking there",
  NO_ANSWER: "the port is open, but nothing there speaks the protocol",
  LINK_LOST: "the link to the dock broke, or the dock restarted",
  TIMEOUT: "the dock didn't answer in time",
  OUTCOME_UNKNOWN: "a write was sent, and whether it was carried out couldn't be found out",
  ABORTED: "the call was aborted by its signal",
  CLOSED: "the dock was closed by the caller",
  PROTOCOL: "the dock broke the protocol",
  USAGE: "the call can't be made like that",
  WRONG_VALUE: "the value isn't what its schema says",
  SOURCE: "what was to be sent couldn't be read",
  SNAPSHOT: "the folder holds no snapshot, or not what its manifest says",
  OUTPUT: "what was to be written couldn't be",
} as const;
type HostCode = keyof typeof HOST_CODES;

/** What can be in `DockError.code`. */
export type DockErrorCode = HostCode | FailureCode;

/** Each code with its meaning. */
export const ERROR_CODES: Readonly<Record<DockErrorCode, string>> = { ...FAILURES, ...HOST_CODES };

/** What a dock, a port or a schema said beyond the code. */
export interface DockErrorDetails {
  /** The limit that was passed, in bytes. */
  readonly limit?: number;
  /** What the layer has left, in bytes. */
  readonly free?: number;
  readonly store?: Layer;
  /** The protocol versions that the dock speaks. */
  readonly versions?: readonly number[];
  /** The docks that fit, when several do. */
  readonly candidates?: readonly string[];
  /** What a schema found wrong with a value. */
  readonly issues?: readonly string[];
}

/** Why a call failed, before it is an error: an error is made where the caller waits, so that its stack shows the caller. */
export interface Problem {
  readonly code: DockErrorCode;
  readonly message: string;
  /** Whether the same call may work later unchanged. */
  readonly retryable?: boolean;
  readonly details?: DockErrorDetails;
  readonly cause?: unknown;
}

/** What a call ended with. */
export type Outcome<T> = { readonly kind: "done"; readonly value: T } | { readonly kind: "failed"; readonly problem: Problem };

/** Something went wrong. `code` is stable and made for programs, `message` says what to do and is made for people; text of the dock in it is safe to print. */
export class DockError extends Error {
  override readonly name = "DockError";
  readonly code: DockErrorCode;
  /** Whether the same call may work later unchanged. */
  readonly retryable: boolean;
  readonly details: DockErrorDetails;

  constructor(problem: Problem) {
    super(problem.message, problem.cause === undefined ? undefined : { cause: problem.cause });
    this.code = problem.code;
    this.retryable = problem.retryable ?? false;
    this.details = problem.details ?? {};
  }
}

/** The value, or the problem as an error. To be called where the caller waits. */
export function unwrap<T>(outcome: Outcome<T>): T {
  if (outcome.kind === "failed") throw new DockError(outcome.problem);
  return outcome.value;
}

/** Of a dock's message, in characters: SPEC §8 allows it 256 bytes. */
const LONGEST_MESSAGE = 256;

/** What a dock's failure message means to a caller. */
export function problemOfFailure(failure: Failure, asked: string): Problem {
  const { code, message, retryable, limit, free, store, versions } = failure;
  return {
    code: isFailureCode(code) ? code : "INTERNAL",
    message: `${asked}: ${visible(message.slice(0, LONGEST_MESSAGE)) || visible(code)}`,
    retryable,
    details: {
      ...(limit === undefined ? {} : { limit }),
      ...(free === undefined ? {} : { free }),
      ...(store === undefined ? {} : { store }),
      ...(versions === undefined ? {} : { versions }),
    },
  };
}
