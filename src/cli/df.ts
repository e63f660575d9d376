/** `dl7450 df`: how full the layers are. */
import type { Command } from "commander";
import type { Context } from "./context.js";
import { withDock } from "./open-dock.js";
import { examples, type GlobalOptions } from "./options.js";
import { writeJson } from "./output.js";
import { writeTable } from "./table.js";

export function addDf(program: Command, context: Context): void {
  program
    .command("df")
    .description("tell how full each layer is, in bytes")
    .addHelpText("after", examples("dl7450 df", "dl7450 df --json"))
    .action(async (_local: unknown, command: Command) => {
      await df(context, command.optsWithGlobals<GlobalOptions>());
    });
}

async function df(context: Context, options: GlobalOptions): Promise<void> {
  const { signal } = context;
  const { stores } = await withDock(context, options, (dock) => dock.info({ signal }));
  const layers = stores.map(({ store, capacity, used }) => ({ store, capacity, used, free: Math.max(0, capacity - used) }));
  if (options.json) return writeJson(context, layers);
  const right = { align: "right" as const };
  const columns = [{ title: "layer" }, ...["size", "used", "free", "use"].map((title) => ({ title, ...right }))];
  const rows = layers.map(({ store, capacity, used, free }) => [store, capacity, used, free, percent(used, capacity)]);
  await writeTable(context, columns, rows);
}

function percent(used: number, capacity: number): string {
  return capacity === 0 ? "-" : `${Math.ceil((used / capacity) * 100)}%`;
}
