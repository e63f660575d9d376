/** `dl7450 snapshot diff`: how the dock differs from a snapshot. */
import type { Command } from "commander";
import { counted } from "../difference-text.js";
import { CliError } from "./cli-error.js";
import type { Context } from "./context.js";
import { differenceJson, writeDifferences } from "./difference-text.js";
import { withDock } from "./open-dock.js";
import { examples, type LayersOptions, layersOption } from "./options.js";
import { remark, thoughUnread, writeJson } from "./output.js";

export function addSnapshotDiff(snapshot: Command, context: Context): void {
  snapshot
    .command("diff")
    .description("list how the dock differs from a snapshot, in the layers that the snapshot has; ends with 8 when it does")
    .argument("<folder>", "the snapshot")
    .addOption(layersOption())
    .addHelpText("after", examples("dl7450 snapshot diff bench-4", "dl7450 snapshot diff bench-4 --store runtime --json"))
    .action(async (folder: string, _local: unknown, command: Command) => {
      await diff(context, folder, command.optsWithGlobals<LayersOptions>());
    });
}

async function diff(context: Context, folder: string, options: LayersOptions): Promise<void> {
  const { compareSnapshot } = await import("../snapshot/index.js"); // not for --help
  const { signal } = context;
  const layers = await withDock(context, options, (dock) => compareSnapshot(dock, folder, { stores: options.store, signal }));
  await thoughUnread(
    options.json ? writeJson(context, differenceJson(layers)) : writeDifferences(context, layers, "in the snapshot"),
  );
  if (layers.some(({ differences }) => differences.length > 0)) {
    throw new CliError("DIFFERS", `The dock isn't as in ${folder}: ${counted(layers)}.`);
  }
  remark(context, options, `${folder}: the dock is the same`);
}
