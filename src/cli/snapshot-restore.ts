/** `dl7450 snapshot restore`: has the dock hold again what it held. */
import type { Command } from "commander";
import { counted } from "../difference-text.js";
import type { Context } from "./context.js";
import { differenceJson, writeDifferences } from "./difference-text.js";
import { withDock } from "./open-dock.js";
import { dryRunOption, examples, type LayersOptions, layersOption } from "./options.js";
import { remark, writeJson } from "./output.js";
import { progressBar } from "./progress.js";

interface RestoreOptions extends LayersOptions {
  /** The dock's name. */
  readonly confirm?: string;
  readonly otherDock?: boolean;
  readonly dryRun?: boolean;
}

export function addSnapshotRestore(snapshot: Command, context: Context): void {
  snapshot
    .command("restore")
    .description(
      "have the dock hold what the snapshot has, in the layers that it has: what differs is sent, a layer at a time, at once or not at all",
    )
    .argument("<folder>", "the snapshot")
    .addOption(layersOption())
    .option(
      "--confirm <name>",
      "where factory differs, the dock's name, which `dl7450 info` tells: so that no other dock is meant",
    )
    .option("--other-dock", "the snapshot may be of another dock; what is unique per dock stays as it is", false)
    .addOption(dryRunOption())
    .addHelpText(
      "after",
      examples("dl7450 snapshot restore bench-4", "dl7450 snapshot restore bench-4 --store runtime --dry-run"),
    )
    .action(async (folder: string, _local: unknown, command: Command) => {
      await restore(context, folder, command.optsWithGlobals<RestoreOptions>());
    });
}

async function restore(context: Context, folder: string, options: RestoreOptions): Promise<void> {
  const { planRestore, restoreSnapshot } = await import("../snapshot/index.js"); // not for --help
  const { signal } = context;
  const { confirm, dryRun, otherDock, store: stores } = options;
  const bar = await progressBar(context, options, folder);
  const layers = await withDock(context, options, (dock) =>
    dryRun
      ? planRestore(dock, folder, { stores, confirm: confirm ?? dock.name, otherDock, signal })
      : restoreSnapshot(dock, folder, {
          ...{ stores, confirm, otherDock, signal },
          onProgress: ({ moved, size }) => bar.show(moved, size),
        }),
  ).finally(() => bar.end());
  if (options.json) return writeJson(context, differenceJson(layers));
  if (layers.length === 0) return remark(context, options, `${folder}: the dock is the same, nothing was sent`);
  await writeDifferences(context, layers, "in the snapshot");
  remark(
    context,
    options,
    dryRun ? `${folder}: would be restored, ${counted(layers)}` : `${folder}: restored, ${counted(layers)}`,
  );
}
