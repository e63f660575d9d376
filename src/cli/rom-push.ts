/** `dl7450 rom push`: has a development dock's factory layer hold what a config asks for. */
import type { Command } from "commander";
import { CliError } from "./cli-error.js";
import { confirmed, requireConfirm } from "./confirm.js";
import type { Context } from "./context.js";
import { withDock } from "./open-dock.js";
import { dryRunOption, examples, type GlobalOptions } from "./options.js";
import { remark, thoughUnread } from "./output.js";
import { progressBar } from "./progress.js";
import { goodConfig } from "./rom-check.js";
import { tellComparison } from "./rom-verify.js";

interface RomPushOptions extends GlobalOptions {
  /** The dock's name. */
  readonly confirm?: string;
  readonly dryRun: boolean;
}

const WHY = "its factory data is replaced for good";

const PUSH_HELP = `
All of it is there at once, or none: what differs is sent in one transaction, and what the
config hasn't got is deleted, values that are unique per dock aside. Code isn't sent: over a
cable a dock's code can't be written. It is compared, and ends the command with 8 where it
differs. \`dl7450 rom payload\` makes what the vendor's service takes, code and all.`;

export function addRomPush(rom: Command, context: Context): void {
  rom
    .command("push")
    .description("have a development dock's factory layer hold the images and keys of a config, and nothing else")
    .argument("<config>", "the YAML file that the vendor's provisioning script takes; it is checked first")
    .option("--confirm <name>", "the dock's name, which `dl7450 info` tells: so that no other dock is meant")
    .addOption(dryRunOption())
    .addHelpText("after", PUSH_HELP)
    .addHelpText(
      "after",
      examples("dl7450 rom push config.yaml --confirm RW02-0005", "dl7450 rom push config.yaml --confirm RW02-0005 --dry-run"),
    )
    .action(async (file: string, _local: unknown, command: Command) => {
      const options = command.optsWithGlobals<RomPushOptions>();
      requireConfirm(context, command, options, "factory data is replaced for good");
      await romPush(context, file, options);
    });
}

async function romPush(context: Context, file: string, options: RomPushOptions): Promise<void> {
  const config = await goodConfig(context, file, options);
  const { planPush, pushConfig } = await import("../rom/factory.js"); // not for --help
  const { signal } = context;
  const { dryRun } = options;
  const bar = await progressBar(context, options, file);
  const found = await withDock(context, options, async (dock) => {
    const confirm = await confirmed(context, dock, options, WHY);
    dock.requireWritable({ store: "factory", confirm });
    if (dryRun) return planPush(dock, config, { confirm, signal });
    return pushConfig(dock, config, { confirm, signal, onProgress: ({ sent, size }) => bar.show(sent, size) });
  }).finally(() => bar.end());
  await thoughUnread(tellComparison(context, options, found));
  const { differences, code } = found;
  const done = dryRun ? "would be pushed" : "pushed";
  const said =
    differences.length === 0
      ? "images and keys are the same, nothing was sent"
      : `${done}, ${differences.length} images and keys`;
  remark(context, options, `${file}: ${said}`);
  if (code.kind === "differs")
    throw new CliError("DIFFERS", "The dock's code is another: only the vendor's service can write it.");
}
