/** How far bytes of images have come, either way: drawn on a terminal, or told to a program. */
import type { Context } from "./context.js";
import { writeEvent } from "./events.js";
import type { GlobalOptions } from "./options.js";

/** What is through sooner needs no bar, in milliseconds. */
const PATIENCE = 500;
/** The width of "100%  128000000 of 128000000 bytes  59m59s left". */
const NUMBERS = 50;
/** Between two events, in milliseconds. */
const EVENT_PAUSE = 100;

export interface ProgressBar {
  /** `moved` bytes of `size` have. */
  show(moved: number, size: number): void;
  /** Wipes it off. To be called whatever happened. */
  end(): void;
}

/** Tells of `what` as the options say. Unless told, it is a bar on stderr, and nothing where that is no terminal. */
export async function progressBar(context: Context, options: GlobalOptions, what: string): Promise<ProgressBar> {
  if (options.progress === "json") return events(context, what);
  const isSeen = context.stderr.isTTY === true && options.progress !== "none" && !options.quiet && !options.json;
  return isSeen ? bar(context) : { show() {}, end() {} };
}

function events({ stderr, clock }: Context, what: string): ProgressBar {
  let next = clock.now();
  return {
    show(moved, size) {
      if (moved < size && clock.now() < next) return;
      next = clock.now() + EVENT_PAUSE;
      writeEvent(stderr, { event: "progress", what, moved, size });
    },
    end() {},
  };
}

async function bar({ stderr, clock }: Context): Promise<ProgressBar> {
  const { SingleBar } = (await import("cli-progress")).default; // only for who sees it
  const bar = new SingleBar({
    stream: stderr,
    format: "{bar} {percentage}%  {value} of {total} bytes  {eta_formatted} left",
    // Beside the numbers, so that all of it stays on a line: a wrapped one isn't wiped off.
    barsize: Math.min(40, Math.max(5, (stderr.columns ?? 80) - NUMBERS)),
    clearOnComplete: true,
    etaBuffer: 100,
    // Signals are the caller's; and a process that is killed must leave the terminal as it was, wrapping and with its cursor.
    gracefulExit: false,
    hideCursor: false,
    linewrap: true,
  });
  const begun = clock.now();
  return {
    show(moved, size) {
      bar.setTotal(size); // there may be more to come than there was
      if (bar.isActive) bar.update(moved);
      else if (clock.now() - begun > PATIENCE) bar.start(size, moved);
    },
    end: () => bar.stop(),
  };
}
