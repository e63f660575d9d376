/** `dl7450 info`: what the dock says of itself. */
import type { Command } from "commander";
import type { DockInfo } from "../index.js";
import { visible } from "../visible.js";
import type { Context } from "./context.js";
import { withDock } from "./open-dock.js";
import { examples, type GlobalOptions } from "./options.js";
import { writeJson, writeOut } from "./output.js";

export function addInfo(program: Command, context: Context): void {
  program
    .command("info")
    .description("tell which dock it is, what it can do, and how full it is")
    .addHelpText("after", examples("dl7450 info", "dl7450 info --port id:RW02-0005 --json"))
    .action(async (_local: unknown, command: Command) => {
      await info(context, command.optsWithGlobals<GlobalOptions>());
    });
}

async function info(context: Context, options: GlobalOptions): Promise<void> {
  const { signal } = context;
  const said = await withDock(context, options, (dock) => dock.info({ signal }));
  if (options.json) return writeJson(context, said);
  await writeOut(context, infoText(said));
}

/** A line for each thing, its name first. */
function infoText(info: DockInfo): string {
  const lines = [
    ["name", info.name],
    ["model", info.model],
    ["id", info.id],
    ["firmware", info.firmware || "unknown"],
    ["sdk", info.sdk || "unknown"],
    ["boot id", info.bootId],
    ["up for", `${Math.floor(info.uptimeMs / 1_000)} s`],
    ["features", info.features.join(", ") || "none"],
    ...info.stores.map(({ store, used, capacity }) => [store, `${used} of ${capacity} bytes used`]),
  ];
  return lines.map(([name = "", value = ""]) => `${name.padEnd(10)}  ${visible(value)}\n`).join("");
}
