/** Follows which serial ports are plugged in and pulled. */
import { type Clock, pause, systemClock } from "./clock.js";
import { type PluggedPort, type PortInfo, pluggedPorts } from "./discovery.js";
import { DockError } from "./errors.js";

/** A port was plugged in, or pulled. */
export interface PortChange {
  readonly kind: "plugged" | "unplugged";
  /** As it was when it was plugged in. */
  readonly port: PortInfo;
}

export interface WatchOptions {
  /** Ends watching, with `ABORTED`. */
  readonly signal?: AbortSignal;
}

/** Where the watch looks, and when. */
interface Watching {
  readonly clock?: Clock;
  readonly look?: () => Promise<readonly PluggedPort[]>;
}

/** How often it is looked, in milliseconds. */
const EVERY = 200;

/**
 * Tells which USB serial ports there are, each as plugged in, and then what is plugged in and pulled, within a quarter of a second on Linux, where
 * a port that was pulled and put back in between is told as both. Goes on until the loop is left or the signal comes: then it fails with
 * `ABORTED`. While it waits for a change, only the signal ends it.
 */
export async function* watchPorts(
  { signal }: WatchOptions = {},
  { clock = systemClock, look = pluggedPorts }: Watching = {},
): AsyncGenerator<PortChange, void> {
  let known = new Map<string, PortInfo>();
  for (;;) {
    const found = await look().catch(() => undefined); // the next look may do
    const now = found === undefined ? known : new Map(found.map(({ plug, port }) => [plug, port]));
    if (signal?.aborted) {
      throw new DockError({ code: "ABORTED", message: "Watching the ports was aborted.", cause: signal.reason });
    }
    for (const [plug, port] of known) if (!now.has(plug)) yield { kind: "unplugged", port };
    for (const [plug, port] of now) if (!known.has(plug)) yield { kind: "plugged", port };
    known = now;
    await pause(clock, EVERY, signal);
  }
}
