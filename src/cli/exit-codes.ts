/** What a script learns of how a command went. */
import type { DockErrorCode } from "../errors.js";

export const EXIT = {
  ok: 0,
  other: 1,
  usage: 2,
  noDock: 3,
  notOnDock: 4,
  taken: 5,
  linkLost: 6,
  refused: 7,
  differs: 8,
  /** 128 + 2, the number of SIGINT, as a shell has it. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The driver's codes, and those that only the command line has. */
export type CliErrorCode =
  | DockErrorCode
  /** Two things that were compared aren't the same: an answer, which has an exit code of its own. */
  | "DIFFERS"
  /** An image can't be drawn. */
  | "PICTURE"
  /** A config has problems, which were told. */
  | "CONFIG"
  /** A package that only some commands need isn't installed. */
  | "MISSING"
  /** A fault of this program. */
  | "UNEXPECTED";

export const EXIT_CODES: Readonly<Record<CliErrorCode, ExitCode>> = {
  USAGE: EXIT.usage,

  NO_DOCK: EXIT.noDock,
  SEVERAL_DOCKS: EXIT.noDock,
  ECHO: EXIT.noDock,

  NOT_FOUND: EXIT.notOnDock,

  BUSY: EXIT.taken,
  PERMISSION: EXIT.taken,

  LINK_LOST: EXIT.linkLost,
  TIMEOUT: EXIT.linkLost,
  NO_ANSWER: EXIT.linkLost,
  OUTCOME_UNKNOWN: EXIT.linkLost,

  UNSUPPORTED: EXIT.refused,
  VERSION: EXIT.refused,
  MALFORMED: EXIT.refused,
  TOO_LARGE: EXIT.refused,
  READ_ONLY: EXIT.refused,
  NO_SPACE: EXIT.refused,
  INVALID: EXIT.refused,
  STALE: EXIT.refused,
  CHANGED: EXIT.refused,
  NO_SESSION: EXIT.refused,
  CANCELLED: EXIT.refused,
  INTERNAL: EXIT.refused,
  SNAPSHOT: EXIT.refused,
  CONFIG: EXIT.refused,

  DIFFERS: EXIT.differs,

  ABORTED: EXIT.interrupted,

  PROTOCOL: EXIT.other,
  INTEGRITY: EXIT.other,
  CLOSED: EXIT.other,
  WRONG_VALUE: EXIT.other,
  SOURCE: EXIT.other,
  OUTPUT: EXIT.other,
  PICTURE: EXIT.other,
  MISSING: EXIT.other,
  UNEXPECTED: EXIT.other,
};
