/** `dl7450 restart`: restarts the dock. */
import type { Command } from "commander";
import type { Context } from "./context.js";
import { requireFeature, withDock } from "./open-dock.js";
import { dryRunOption, examples, type GlobalOptions } from "./options.js";
import { remark, writeJson } from "./output.js";

interface RestartOptions extends GlobalOptions {
  readonly dryRun: boolean;
}

export function addRestart(program: Command, context: Context): void {
  program
    .command("restart")
    .description("restart the dock: what is ephemeral is lost, and tokens are over; done when the dock has agreed")
    .addOption(dryRunOption())
    .addHelpText("after", examples("dl7450 restart", "dl7450 restart --port id:RW02-0005"))
    .action(async (_local: unknown, command: Command) => {
      await restart(context, command.optsWithGlobals<RestartOptions>());
    });
}

async function restart(context: Context, options: RestartOptions): Promise<void> {
  const { signal } = context;
  const { dryRun } = options;
  const { id, name } = await withDock(context, options, async (dock) => {
    if (dryRun) requireFeature(dock, "restart");
    else await dock.restart({ signal });
    return dock;
  });
  if (options.json) return writeJson(context, { id, name, ...(dryRun ? { dryRun } : {}) });
  remark(context, options, `${name}: ${dryRun ? "would restart" : "restarts"}`);
}
