/** The mock dock's program, and how it is ended. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { systemClock } from "../clock.js";
import { packageFolder } from "../version.js";

/** The mock as it is installed beside this driver: a program to start, not code to import. */
export const mockProgram = join(packageFolder, "dist", "bin", "dl7450-mock.js");

/** How long a mock dock may take to end, in milliseconds: it may wait in the system for a file. */
const LATE = 2_000;

/** Ends a mock dock that was started. Can be called twice. */
export async function endMock(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const stop = systemClock.after(LATE, () => child.kill("SIGKILL"));
  await gone;
  stop();
}
