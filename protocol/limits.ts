/** The numbers of the protocol. Each stands in SPEC.md §9 with the same meaning. */

/** Largest body before the handshake is through, in bytes (SPEC §3.1). */
export const HANDSHAKE_BODY = 512;
/** Usual body limit: 8,192 bytes of data and room for the rest of the message (SPEC §9.1). */
export const USUAL_BODY = 8_192 + 64;
/** No receiver announces more, in bytes (SPEC §9.1). */
export const LARGEST_BODY = 65_536;
/** What a data message needs besides its bytes: array, type, id, offset and the head of the byte string (SPEC §2). */
export const DATA_OVERHEAD = 1 + 1 + 5 + 5 + 5;
/** Arrays and maps in one another, the message's own array being the first (SPEC §1.3). */
export const BODY_DEPTH = 20;
/** Arrays and maps in one another in a value (SPEC §6). */
export const VALUE_DEPTH = 16;
/** Ids, offsets and sizes are below this (SPEC §2). */
export const UINT32_MAX = 2 ** 32 - 1;
/** Where the host's window begins, in bytes: a Linux tty drops what a late reader leaves beyond 64 KiB (SPEC §5.3). */
export const FIRST_WINDOW = 48 * 1024;
/** Answers that a dock remembers at least, for requests that arrive again (SPEC §4.3). */
export const REMEMBERED_ANSWERS = 64;

/** What a dock announces in its welcome (SPEC §9.2). */
export interface Limits {
  /** Largest body that the dock takes, in bytes. */
  readonly maxBody: number;
  /** Bytes that may be on the way to the dock. */
  readonly window: number;
  /** Requests without a final answer. */
  readonly requests: number;
  /** Streams open at once. */
  readonly streams: number;
  /** Bytes of a tag, in UTF-8. */
  readonly tagBytes: number;
  /** Bytes of a key, in UTF-8. */
  readonly keyBytes: number;
  /** Bytes of a value, as encoded. */
  readonly valueBytes: number;
  /** Bytes of entries in one page of a list. */
  readonly pageBytes: number;
}

/** What docks usually announce (SPEC §9.2). */
export const USUAL_LIMITS: Limits = {
  maxBody: USUAL_BODY,
  window: FIRST_WINDOW,
  requests: 32,
  streams: 4,
  tagBytes: 128,
  keyBytes: 128,
  valueBytes: 4_096,
  pageBytes: 4_096,
};
