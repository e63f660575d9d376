/** What a link needs of a line: bytes in, bytes out, and the truth about when it ends. */
import type { Duplex } from "node:stream";

export interface Transport {
  /** What kind of line it is. */
  readonly kind: "serial" | "tcp";
  /** The line as a person would name it: a path, or `tcp://host:port`. */
  readonly name: string;
  /** What is plugged in there, as a person would name it; absent when nobody knows. Safe to print. */
  readonly device?: string;
  /** The bytes. It is destroyed, or emits `error`, `end` or `close`, when the line is gone: the first of them counts. */
  readonly stream: Duplex;
  /**
   * Whether the line holds the sender back when the reader is late, as a pseudo-terminal and TCP do. A kernel's serial port
   * drops bytes instead (SPEC §5.3).
   */
  readonly holdsBack: boolean;
  /** Ends the line and sets free what belongs to it. Can be called twice. */
  close(): Promise<void>;
}
