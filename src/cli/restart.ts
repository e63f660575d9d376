/** `dl7450 restart`: restarts the dock. */
import type { Command } from "commander";
import type { Context } from "./context.js";
import { withDock } from "./open-dock.js";
import { examples, type GlobalOptions } from "./options.js";
import { remark, writeJson } from "./output.js";

export function addRestart(program: Command, context: Context): void {
  program
    .command("restart")
    .description("restart the dock: what is ephemeral is lost, and tokens are over; done when the dock has agreed")
    .addHelpText("after", examples("dl7450 restart", "dl7450 restart --port id:RW02-0005"))
    .action(async (_local: unknown, command: Command) => {
      await restart(context, command.optsWithGlobals<GlobalOptions>());
    });
}

async function restart(context: Context, options: GlobalOptions): Promise<void> {
  const { signal } = context;
  const { id, name } = await withDock(context, options, async (dock) => {
    await dock.restart({ signal });
    return dock;
  });
  if (options.json) return writeJson(context, { id, name });
  remark(context, options, `${name}: restarts`);
}
