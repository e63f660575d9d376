/** What a command gets from outside, so that a test can give it something else. */
import type { Writable } from "node:stream";
import type { Clock } from "../clock.js";
import type { PortInfo } from "../discovery.js";

/** A stream to write to, which may be a terminal. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export interface Context {
  /** For data. */
  readonly stdout: Output;
  /** For talk: progress, remarks, errors. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
  /** Which USB serial ports are plugged in. */
  readonly listPorts: () => Promise<readonly PortInfo[]>;
}
