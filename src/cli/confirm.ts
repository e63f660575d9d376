/** What destroys asks for the dock's name: so that no other dock is meant. */
import type { Command } from "commander";
import type { Dock } from "../index.js";
import { quoted } from "../visible.js";
import { CliError } from "./cli-error.js";
import type { Context } from "./context.js";

/** What was said about it. */
export interface Confirmation {
  /** The dock's name. */
  readonly confirm?: string | undefined;
  /** Whether nothing is to be done. */
  readonly dryRun?: boolean | undefined;
}

/** Ends the command where the name isn't given and nobody can be asked for it: before anything is opened. */
export function requireConfirm(context: Context, command: Command, { confirm, dryRun }: Confirmation, why: string): void {
  if (confirm !== undefined || dryRun || context.ask !== undefined) return;
  command.error(`${why}: give the dock's name, which \`dl7450 info\` tells, with --confirm`);
}

/** The dock's name, as it was given or is now typed; what only looks needn't be confirmed. Fails with `USAGE` when it is another. */
export async function confirmed(
  context: Context,
  { name }: Dock,
  { confirm, dryRun }: Confirmation,
  why: string,
): Promise<string> {
  if (dryRun && confirm === undefined) return name;
  const given =
    confirm ?? (await context.ask?.(`This dock is ${quoted(name)}: ${why}.\nIts name, to go on: `, context.signal)) ?? "";
  if (given === name) return name;
  const message = `This dock is ${quoted(name)}, not ${quoted(given)}: nothing was done. --confirm takes the dock's name.`;
  throw new CliError("USAGE", message);
}
