/** How far an image has come, either way, drawn on a terminal. */
import type { Progress, UploadProgress } from "../index.js";
import type { Context } from "./context.js";
import type { GlobalOptions } from "./options.js";

/** What is through sooner needs no bar, in milliseconds. */
const PATIENCE = 500;

export interface ProgressBar {
  show(progress: Progress | UploadProgress): void;
  /** Wipes it off. To be called whatever happened. */
  end(): void;
}

const NO_BAR: ProgressBar = { show() {}, end() {} };

/** A bar on stderr; none where there is no terminal, or nobody wants to be talked to. */
export async function progressBar({ stderr, clock }: Context, { quiet, json }: GlobalOptions): Promise<ProgressBar> {
  if (stderr.isTTY !== true || quiet || json) return NO_BAR;
  const { SingleBar } = (await import("cli-progress")).default; // only for who sees it
  const bar = new SingleBar({
    stream: stderr,
    format: "{bar} {percentage}%  {value} of {total} bytes  {eta_formatted} left",
    clearOnComplete: true,
    etaBuffer: 100,
    // Signals are the caller's; and a process that is killed must leave the terminal as it was, wrapping and with its cursor.
    gracefulExit: false,
    hideCursor: false,
    linewrap: true,
  });
  const begun = clock.now();
  return {
    show(progress) {
      const moved = "sent" in progress ? progress.sent : progress.received;
      if (bar.isActive) bar.update(moved);
      else if (clock.now() - begun > PATIENCE) bar.start(progress.size, moved);
    },
    end: () => bar.stop(),
  };
}
