/** `dl7450 reset`: a factory reset. */
import type { Command } from "commander";
import type { Dock } from "../index.js";
import { quoted } from "../visible.js";
import { CliError } from "./cli-error.js";
import type { Context } from "./context.js";
import { withDock } from "./open-dock.js";
import { examples, type GlobalOptions } from "./options.js";
import { remark, writeJson } from "./output.js";

interface ResetOptions extends GlobalOptions {
  /** The dock's name. */
  readonly confirm: string;
}

export function addReset(program: Command, context: Context): void {
  program
    .command("reset")
    .description("factory reset: delete all that is runtime or ephemeral, images and keys, for good")
    .requiredOption("--confirm <name>", "the dock's name, which `dl7450 info` tells: so that no other dock is meant")
    .addHelpText("after", examples("dl7450 reset --confirm RW02-0005"))
    .action(async (_local: unknown, command: Command) => {
      await reset(context, command.optsWithGlobals<ResetOptions>());
    });
}

async function reset(context: Context, options: ResetOptions): Promise<void> {
  const { signal } = context;
  const { id, name } = await withDock(context, options, async (dock) => {
    checkMeant(dock, options.confirm);
    await dock.reset({ signal });
    return dock;
  });
  if (options.json) return writeJson(context, { id, name });
  remark(context, options, `${name}: reset, runtime and ephemeral are empty`);
}

/** Fails with `USAGE` when it is another dock than the one that was named. */
function checkMeant({ name }: Dock, confirmed: string): void {
  if (confirmed === name) return;
  const message = `This dock is ${quoted(name)}, not ${quoted(confirmed)}: nothing was reset. --confirm takes the dock's name.`;
  throw new CliError("USAGE", message);
}
