/** `dl7450 snapshot save`: what the dock holds, into a folder that git can diff. */
import type { Command } from "commander";
import type { Context } from "./context.js";
import { withDock } from "./open-dock.js";
import { examples, type LayersOptions, layersOption } from "./options.js";
import { remark, writeJson } from "./output.js";
import { progressBar } from "./progress.js";

export function addSnapshotSave(snapshot: Command, context: Context): void {
  snapshot
    .command("save")
    .description("save what the dock holds: a manifest with its values, and its images as files")
    .argument("<folder>", "a folder that isn't there, is empty, or has a snapshot, which is brought up to date")
    .addOption(layersOption())
    .addHelpText("after", examples("dl7450 snapshot save bench-4", "dl7450 snapshot save bench-4 --store runtime"))
    .action(async (folder: string, _local: unknown, command: Command) => {
      await save(context, folder, command.optsWithGlobals<LayersOptions>());
    });
}

async function save(context: Context, folder: string, options: LayersOptions): Promise<void> {
  const { saveSnapshot } = await import("../snapshot/index.js"); // not for --help
  const { signal } = context;
  const bar = await progressBar(context, options, folder);
  const layers = await withDock(context, options, (dock) =>
    saveSnapshot(dock, folder, { stores: options.store, signal, onProgress: ({ moved, size }) => bar.show(moved, size) }),
  ).finally(() => bar.end());
  if (options.json) return writeJson(context, { folder, layers });
  const said = layers.map(({ store, images, keys }) => `${store} ${images} images, ${keys} keys`);
  remark(context, options, `${folder}: saved, ${said.join("; ")}`);
}
