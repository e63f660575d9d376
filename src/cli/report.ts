/** What a command that failed says, and which code it ends with. */
import { inspect } from "node:util";
import { CommanderError } from "commander";
import { jsonText } from "../json-text.js";
import { printable, visible } from "../visible.js";
import { CliError } from "./cli-error.js";
import type { Context } from "./context.js";
import { writeEvent } from "./events.js";
import { type CliErrorCode, EXIT, EXIT_CODES, type ExitCode } from "./exit-codes.js";
import { StdoutClosed } from "./output.js";

interface Failure {
  readonly code: CliErrorCode;
  readonly message: string;
}

const INTERRUPTED: Failure = { code: "ABORTED", message: "interrupted" };

/** How a failure is told: to a person, as a line of JSON, or as one of the events. */
export type ReportForm = "text" | "json" | "events";

/** Tells why a command ended with `error`, unless that is no failure. */
export async function report(error: unknown, { stderr, env, signal }: Context, form: ReportForm): Promise<ExitCode> {
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok; // --help, --version
  if (error instanceof StdoutClosed && !signal.aborted) return EXIT.ok;
  const { code, message } = signal.aborted && !mayBeDone(error) ? INTERRUPTED : await failureOf(error);
  const exitCode = EXIT_CODES[code];
  if (form === "events") writeEvent(stderr, { event: "error", code, message, exitCode });
  else if (form === "json") stderr.write(`${jsonText({ error: { code, message, exitCode } })}\n`);
  else if (!isHelp(error)) stderr.write(`dl7450: ${printable(message)}\n`);
  if (env.DL7450_DEBUG && form !== "events") stderr.write(`${inspect(error).split("\n").map(visible).join("\n")}\n`);
  return exitCode;
}

/** Whether somebody has to look what became of it, although they have interrupted it themselves. */
function mayBeDone(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "OUTCOME_UNKNOWN";
}

async function failureOf(error: unknown): Promise<Failure> {
  if (error instanceof CommanderError)
    return { code: "USAGE", message: isHelp(error) ? "a command is missing" : usageMessage(error) };
  if (error instanceof CliError) return error;
  const { DockError } = await import("../errors.js"); // not for wrong usage
  if (error instanceof DockError) return error;
  const said = error instanceof Error ? error.message : String(error);
  return { code: "UNEXPECTED", message: `unexpected: ${said}. With DL7450_DEBUG=1 it says where.` };
}

/** Help that was printed because no command was given. */
function isHelp(error: unknown): boolean {
  return error instanceof CommanderError && error.code === "commander.help";
}

/** Commander's message without its prefix, on one line with its suggestion. */
function usageMessage({ message }: CommanderError): string {
  return message.replace(/^error: /, "").replace(/\n\(Did you mean (.*)\?\)$/, " (did you mean $1?)");
}
