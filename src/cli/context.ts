/** What a command gets from outside, so that a test can give it something else. */
import type { Readable, Writable } from "node:stream";
import type { Clock } from "../clock.js";
import type { FoundPort } from "../discovery.js";
import type { PortChange, WatchOptions } from "../port-watch.js";
import type { CommandTrace } from "./command-trace.js";

/** A stream to write to, which may be a terminal. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** A stream to read from, which may be a terminal: it can then give each byte as it comes, without a line, and without showing it. */
export type Input = Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };

export interface Context {
  /** What a user types, and what a terminal answers. Opened only when it is asked for. */
  readonly stdin: () => Input;
  /** For data. */
  readonly stdout: Output;
  /** For talk: progress, remarks, errors. */
  readonly stderr: Output;
  /** Asks a person, where there is one. An empty answer is none. */
  readonly ask?: ((question: string, signal: AbortSignal) => Promise<string>) | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Which files have settings, the one that counts more first. */
  readonly settingsFiles: () => Promise<readonly string[]>;
  readonly clock: Clock;
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
  /** Which USB serial ports are plugged in, and who has them open. */
  readonly findPorts: () => Promise<readonly FoundPort[]>;
  /** Which are, and then which are plugged in and pulled. */
  readonly watchPorts: (options: WatchOptions) => AsyncIterable<PortChange>;
  /** For `--trace`: what the command writes down of the lines that it opens. `main` gives each command its own. */
  readonly trace?: CommandTrace;
}
