/** `dl7450 trace show`: a trace for people, a line for each frame. */
import { type Command, InvalidArgumentError } from "commander";
import { systemCode } from "../output-message.js";
import { CliError } from "./cli-error.js";
import type { Context } from "./context.js";
import { openInput } from "./input.js";
import { examples, type GlobalOptions } from "./options.js";
import { StdoutClosed } from "./output.js";

export function addTraceShow(trace: Command, context: Context): void {
  trace
    .command("show")
    .description(
      "print a trace, a line for each frame: milliseconds, → to the dock or ← from it, type, id, operation, and what it says; with --json an object a line",
    )
    .argument("<file>", "what --trace has written; - is stdin", traceFile)
    .addHelpText(
      "after",
      examples(
        "dl7450 trace show t.ndjson",
        "dl7450 trace show t.ndjson --json | jq -c 'select(.type == \"failure\")'",
        "tail -f -n +1 t.ndjson | dl7450 trace show -",
      ),
    )
    .action(async (file: string, _local: unknown, command: Command) => {
      await traceShow(context, file, command.optsWithGlobals<GlobalOptions>());
    });
}

function traceFile(text: string): string {
  if (text === "") throw new InvalidArgumentError("It is the path of a file, or -.");
  return text;
}

async function traceShow(context: Context, file: string, options: GlobalOptions): Promise<void> {
  const { NotATrace, TraceReader } = await import("../../protocol/index.js");
  const { TracePrinter } = await import("./trace-printer.js");
  const reader = new TraceReader();
  const printer = new TracePrinter(context, options);
  try {
    for await (const chunk of await openInput(file, context)) await printer.print(reader.feed(chunk));
    await printer.print(reader.end());
  } catch (error) {
    if (context.signal.aborted || error instanceof CliError || error instanceof StdoutClosed) throw error;
    if (error instanceof NotATrace) throw new CliError("SOURCE", `${file} ${error.message}.`, error);
    throw new CliError("SOURCE", `${file} can't be read: ${readingReason(error)}.`, error);
  }
  printer.end();
}

function readingReason(error: unknown): string {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: "there is no such file",
    EISDIR: "it is a folder",
    EACCES: "you may not read it",
  };
  return reasons[systemCode(error) ?? ""] ?? (error instanceof Error ? error.message : String(error));
}
