/** `dl7450 kv delete`: takes a key out of a layer. */
import type { Command } from "commander";
import { quoted } from "../visible.js";
import { CliError } from "./cli-error.js";
import type { Context } from "./context.js";
import { withDockToWrite } from "./open-dock.js";
import { addWriteOptions, examples, type WriteLayerOptions } from "./options.js";
import { remark, writeJson } from "./output.js";

export function addKvDelete(kv: Command, context: Context): void {
  const command = kv.command("delete").description("delete a key from a layer").argument("<key>", "the key");
  addWriteOptions(command, context)
    .addHelpText("after", examples("dl7450 kv delete timezone", "dl7450 kv delete brightness --store ephemeral"))
    .action(async (key: string, _local: unknown, command: Command) => {
      await kvDelete(context, key, command.optsWithGlobals<WriteLayerOptions>());
    });
}

async function kvDelete(context: Context, key: string, options: WriteLayerOptions): Promise<void> {
  const { store, dryRun } = options;
  const existed = await withDockToWrite(context, options, async (dock, to) =>
    dryRun ? (await dock.kv.find(key, to)) !== undefined : dock.kv.delete(key, to),
  );
  if (!existed) {
    const message = `There is no key ${quoted(key)} in the layer ${store}. \`dl7450 ls\` lists those that there are.`;
    throw new CliError("NOT_FOUND", message);
  }
  if (options.json) return writeJson(context, { key, store, ...(dryRun ? { dryRun } : {}) });
  remark(context, options, `${key}: ${dryRun ? "would be deleted" : "deleted"}, ${store}`);
}
