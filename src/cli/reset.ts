/** `dl7450 reset`: a factory reset. */
import type { Command } from "commander";
import { confirmed, requireConfirm } from "./confirm.js";
import type { Context } from "./context.js";
import { requireFeature, withDock } from "./open-dock.js";
import { dryRunOption, examples, type GlobalOptions } from "./options.js";
import { remark, writeJson } from "./output.js";

interface ResetOptions extends GlobalOptions {
  /** The dock's name. */
  readonly confirm?: string;
  readonly dryRun: boolean;
}

const WHY = "all that is runtime or ephemeral is deleted for good";

export function addReset(program: Command, context: Context): void {
  program
    .command("reset")
    .description("factory reset: delete all that is runtime or ephemeral, images and keys, for good")
    .option("--confirm <name>", "the dock's name, which `dl7450 info` tells: so that no other dock is meant")
    .addOption(dryRunOption())
    .addHelpText("after", examples("dl7450 reset --confirm RW02-0005", "dl7450 reset --confirm RW02-0005 --dry-run"))
    .action(async (_local: unknown, command: Command) => {
      const options = command.optsWithGlobals<ResetOptions>();
      requireConfirm(context, command, options, WHY);
      await reset(context, options);
    });
}

async function reset(context: Context, options: ResetOptions): Promise<void> {
  const { signal } = context;
  const { dryRun } = options;
  const { id, name } = await withDock(context, options, async (dock) => {
    await confirmed(context, dock, options, WHY);
    if (dryRun) requireFeature(dock, "reset");
    else await dock.reset({ signal });
    return dock;
  });
  if (options.json) return writeJson(context, { id, name, ...(dryRun ? { dryRun } : {}) });
  remark(context, options, `${name}: ${dryRun ? "would be reset" : "reset, runtime and ephemeral are empty"}`);
}
