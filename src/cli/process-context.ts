/** What a command gets where it is a process of its own. */
import { systemClock } from "../clock.js";
import { findPorts } from "../discovery.js";
import { asker } from "./ask.js";
import type { Context } from "./context.js";
import { settingsFiles } from "./settings-files.js";

/** @param signal aborted when the user interrupts */
export function contextOf(process: NodeJS.Process, signal: AbortSignal): Context {
  const { stdout, stderr, env } = process;
  return {
    stdin: () => process.stdin,
    ask: asker(process),
    ...{ stdout, stderr, env, settingsFiles, signal, findPorts },
    clock: systemClock,
    async *watchPorts(options) {
      const { watchPorts } = await import("../port-watch.js"); // with the driver's errors: only for who watches
      yield* watchPorts(options);
    },
  };
}
