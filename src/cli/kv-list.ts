/** `dl7450 kv list`: the keys. */
import type { Command } from "commander";
import type { Context } from "./context.js";
import { withDock } from "./open-dock.js";
import { examples, type StoreOptions, storeOption } from "./options.js";
import { remark, writeJson } from "./output.js";
import { writeTable } from "./table.js";

export function addKvList(kv: Command, context: Context): void {
  kv.command("list")
    .description("list the keys, each once")
    .addOption(storeOption())
    .addHelpText("after", examples("dl7450 kv list", "dl7450 kv list --store factory"))
    .action(async (_local: unknown, command: Command) => {
      await kvList(context, command.optsWithGlobals<StoreOptions>());
    });
}

async function kvList(context: Context, options: StoreOptions): Promise<void> {
  const { store } = options;
  const { signal } = context;
  const keys = await withDock(context, options, (dock) => dock.kv.list({ store, signal }));
  if (options.json) return writeJson(context, keys);
  if (keys.length === 0) remark(context, options, "There are no keys.");
  const columns = [{ title: "key" }, { title: "layer" }, { title: "size", align: "right" as const }, { title: "per dock" }];
  const rows = keys.map(({ key, store, bytes, upd }) => [key, store, bytes, upd ? "unique" : ""]);
  await writeTable(context, columns, rows);
}
