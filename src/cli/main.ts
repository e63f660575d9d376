/** `dl7450`: runs one command. */
import { version } from "../version.js";
import { CommandTrace } from "./command-trace.js";
import type { Context } from "./context.js";
import { wantsEvents, writeEvent } from "./events.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { StdoutClosed } from "./output.js";
import { createProgram } from "./program.js";
import { type ReportForm, report } from "./report.js";

/**
 * Runs the command that `argv` (without program and script) names, and gives the exit code. Never rejects, and leaves nothing
 * open: when it settles, the dock is closed.
 */
export async function main(argv: readonly string[], context: Context): Promise<ExitCode> {
  const { stdout, stderr } = context;
  for (const stream of [stdout, stderr]) stream.on("error", () => {}); // each write hears of its own failure
  if (isCompletion(argv)) return await completed(argv.slice(1), context);
  const asEvents = wantsEvents(argv);
  if (asEvents) writeEvent(stderr, { event: "start", version });
  const exitCode = await run(argv, context, asEvents ? "events" : wantsJson(argv) ? "json" : "text");
  if (asEvents) writeEvent(stderr, { event: "result", exitCode });
  return exitCode;
}

async function run(argv: readonly string[], context: Context, form: ReportForm): Promise<ExitCode> {
  const trace = new CommandTrace(context.clock);
  const help = (text: string): unknown => form !== "events" && context.stderr.write(text);
  try {
    await createProgram({ ...context, trace, ...(form === "events" ? { ask: undefined } : {}) }, help).parseAsync([...argv], {
      from: "user",
    });
  } catch (error) {
    const other = trace.end();
    return report(error instanceof StdoutClosed && other !== undefined ? other : error, context, form);
  }
  const error = trace.end();
  return error === undefined ? EXIT.ok : report(error, context, form);
}

/** Whether it is a shell that asks at a TAB, for which the settings must be in order as little as the rest. */
export function isCompletion([first]: readonly string[]): boolean {
  return first === "__complete";
}

async function completed(argv: readonly string[], context: Context): Promise<ExitCode> {
  const { complete } = await import("./completion/complete.js"); // for no other command
  await complete(
    createProgram(context, () => {}),
    argv,
    context,
  );
  return EXIT.ok;
}

/** Looked up by hand, since a command line that can't be parsed wants its error as JSON as well. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end === -1 ? argv.length : end).includes("--json");
}
