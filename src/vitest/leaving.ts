/** What a process of tests does that is told to end, or whose vitest is gone: it puts its docks back first, since others wait for them. */
import { pause, systemClock } from "../clock.js";
import { systemCode } from "../output-message.js";
import type { Station } from "./station.js";

/** Longest time for that, in milliseconds. What isn't put back by then is by who has the dock next. */
const MOST = 5_000;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const stations = new Set<Station>();
let isWatching = false;
let isLeaving = false;

/** Has the docks of a station put back when the process is to end. */
export function watchOver(station: Station): void {
  if (stations.size === 0) for (const signal of SIGNALS) process.on(signal, leave);
  stations.add(station);
  if (isWatching) return;
  isWatching = true;
  process.on("disconnect", leave);
  // A message to vitest that can't be sent. Its own listener would end the process at once.
  process.removeAllListeners("error");
  process.on("error", (error) => {
    if (["EPIPE", "ERR_IPC_CHANNEL_CLOSED"].includes(systemCode(error) ?? "")) leave();
  });
}

/** A station has let its docks go. */
export function forget(station: Station): void {
  stations.delete(station);
  if (stations.size === 0) for (const signal of SIGNALS) process.off(signal, leave);
}

function leave(): void {
  if (isLeaving) return;
  isLeaving = true;
  // Nobody reads what the tests go on to say.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  process.on("uncaughtException", () => {});
  const released = [...stations].map((station) => station.release());
  // Killed, whatever others do on such a signal, and since vitest takes `process.exit` for a test's mistake.
  void Promise.race([Promise.all(released), pause(systemClock, MOST)]).finally(() => process.kill(process.pid, "SIGKILL"));
}
