/** `dl7450 console`: what the dock prints and logs, live. */
import type { Command } from "commander";
import type { Dock } from "../index.js";
import { CliError } from "./cli-error.js";
import { ConsolePrinter } from "./console-printer.js";
import type { Context } from "./context.js";
import { withDock } from "./open-dock.js";
import { examples, type GlobalOptions } from "./options.js";
import { remark } from "./output.js";

interface ConsoleOptions extends GlobalOptions {
  readonly reconnect?: boolean;
}

/** Longest time without a dock with --reconnect, in milliseconds: 24 days, about the longest that a timer takes. */
const FOR_LONG = 2_000_000_000;

export function addConsole(program: Command, context: Context): void {
  program
    .command("console")
    .description(
      "print the dock's console text and log messages live, until Ctrl-C; with --json an object for each line, its time in milliseconds since the start",
    )
    .option("--reconnect", "look for a dock that is lost, and go on; without it a lost line ends with 6")
    .addHelpText("after", examples("dl7450 console", "dl7450 console --reconnect", "dl7450 console --json | jq -r .text"))
    .action(async (_local: unknown, command: Command) => {
      await showConsole(context, command.optsWithGlobals<ConsoleOptions>());
    });
}

async function showConsole(context: Context, options: ConsoleOptions): Promise<void> {
  const printer = new ConsolePrinter(context, options.json ? "json" : "text");
  const reconnect = {
    timeout: FOR_LONG,
    onLost: (why: Error) => remark(context, options, why.message),
    onBack: () => remark(context, options, "The dock is back."),
  };
  const wishes = {
    onText: (text: string) => printer.text(text),
    onLog: (level: string, text: string) => printer.log(level, text),
    ...(options.reconnect ? { reconnect } : {}),
  };
  try {
    await withDock(context, options, (dock) => listen(context, options, dock, printer), wishes);
  } finally {
    printer.stop();
  }
}

/** Ends by an error only: the line is lost, the user interrupts, or nobody reads any more. */
async function listen(context: Context, options: GlobalOptions, dock: Dock, printer: ConsolePrinter): Promise<never> {
  const { signal } = context;
  remark(context, options, `Listening to ${dock.name} at ${dock.link.name}, until Ctrl-C.`);
  const stopped = new AbortController();
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true, signal: stopped.signal });
    if (signal.aborted) reject(signal.reason);
  });
  const lost = dock.closed.then(async (error) => {
    await printer.end(); // what came before is still to be seen
    throw error ?? new CliError("UNEXPECTED", "unexpected: the dock was closed.");
  });
  try {
    return await Promise.race([interrupted, lost, printer.failed]);
  } finally {
    stopped.abort();
  }
}
