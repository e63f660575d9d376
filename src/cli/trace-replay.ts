/** `dl7450 trace replay`: a mock dock, in a process beside this one, that answers as recorded. */
import { once } from "node:events";
import { type Command, InvalidArgumentError } from "commander";
import { CliError } from "./cli-error.js";
import type { Context } from "./context.js";
import { examples } from "./options.js";
import { writeOut } from "./output.js";

interface ReplayOptions {
  /** `HOST:PORT` or `PORT`. */
  readonly tcp?: string;
}

/** Characters that are kept of what the mock says when it fails. */
const MOST_SAID = 2_000;

export function addTraceReplay(trace: Command, context: Context): void {
  trace
    .command("replay")
    .description(
      "serve a mock dock that answers as recorded, on a pseudo-terminal, until Ctrl-C; prints a line of JSON with its port when it is ready",
    )
    .argument("<file>", "what --trace has written", traceFile)
    .option("--tcp <host:port>", "serve TCP instead; a port alone is on 127.0.0.1, 0 is any free one")
    .addHelpText(
      "after",
      examples("dl7450 trace replay t.ndjson --tcp 7450", "dl7450 --port mock:t.ndjson ls    # the same for one command"),
    )
    .action(async (file: string, _local: unknown, command: Command) => {
      await traceReplay(context, file, command.optsWithGlobals<ReplayOptions>());
    });
}

function traceFile(text: string): string {
  if (text === "" || text === "-") throw new InvalidArgumentError("It is the path of a file.");
  return text;
}

async function traceReplay(context: Context, file: string, { tcp }: ReplayOptions): Promise<void> {
  const { spawn } = await import("node:child_process");
  const { endMock, mockProgram } = await import("../transport/mock-program.js");
  const { signal } = context;
  signal.throwIfAborted();
  const args = ["--replay", file, ...(tcp === undefined ? [] : ["--tcp", tcp])];
  const child = spawn(process.execPath, [mockProgram, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const gone = once(child, "exit");
  const stop = (): void => void endMock(child);
  signal.addEventListener("abort", stop, { once: true });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-MOST_SAID);
  });
  try {
    for await (const text of child.stdout) await writeOut(context, text);
    await gone;
  } finally {
    await endMock(child);
    signal.removeEventListener("abort", stop);
  }
  signal.throwIfAborted();
  if (child.exitCode === 0) return;
  const why = said.replaceAll("dl7450-mock: ", "").trim();
  throw new CliError("SOURCE", `The mock dock has ended: ${why === "" ? "it said nothing" : why}`);
}
