/** `dl7450 rom pull`: a dock's factory layer as a config and files, as the vendor's tool takes them. */
import { join } from "node:path";
import type { Command } from "commander";
import type { LeftOut } from "../rom/pull.js";
import { quoted } from "../visible.js";
import { CliError } from "./cli-error.js";
import type { Context } from "./context.js";
import { withDock } from "./open-dock.js";
import { examples, type GlobalOptions } from "./options.js";
import { remark, writeJson } from "./output.js";
import { progressBar } from "./progress.js";
import { checkedConfig, findingLines } from "./rom-check.js";

interface RomPullOptions extends GlobalOptions {
  readonly partial: boolean;
}

export function addRomPull(rom: Command, context: Context): void {
  rom
    .command("pull")
    .description(
      "write the dock's factory layer into a folder: config.yaml and the images that it names, as the vendor's tool takes them",
    )
    .argument("<folder>", "a folder that isn't there, is empty, or has a config.yaml, which is replaced")
    .option("--partial", "leave out what a config has no form for: values that aren't text, images of no type", false)
    .addHelpText("after", "\nValues that are unique per dock are left out, and so is the code, which can't be read off a dock.")
    .addHelpText("after", examples("dl7450 rom pull rw02", "dl7450 rom pull rw02 && dl7450 rom check rw02/config.yaml"))
    .action(async (folder: string, _local: unknown, command: Command) => {
      await romPull(context, folder, command.optsWithGlobals<RomPullOptions>());
    });
}

async function romPull(context: Context, folder: string, options: RomPullOptions): Promise<void> {
  const { CONFIG_FILE, leftOutOf, pullConfig } = await import("../rom/pull.js"); // not for --help
  const { signal } = context;
  const bar = await progressBar(context, options, folder);
  const pulled = await withDock(context, options, async (dock) => {
    if (!options.partial) refuse((await leftOutOf(dock, { signal })).filter(({ why }) => why !== "unique per dock"));
    return pullConfig(dock, folder, { signal, onProgress: ({ moved, size }) => bar.show(moved, size) });
  }).finally(() => bar.end());
  if (options.json) await writeJson(context, { folder, config: CONFIG_FILE, ...pulled });
  const { images, keys, leftOut } = pulled;
  if (!options.json) {
    if (leftOut.length > 0) remark(context, options, `left out: ${listed(leftOut)}`);
    remark(context, options, `${folder}: ${images} images, ${keys} keys`);
  }
  await tellDoubts(context, join(folder, CONFIG_FILE), options);
}

/** What the vendor's script would make something else of, and what isn't as a config should be: the dock holds it all the same. */
async function tellDoubts(context: Context, file: string, options: GlobalOptions): Promise<void> {
  const checked = await checkedConfig(context, file);
  const warnings = checked.warnings.filter(({ code }) => code !== "DIMENSIONS"); // they are as they are
  if (!options.json) for (const line of findingLines(file, { ...checked, warnings })) remark(context, options, line);
  if (checked.kind === "bad")
    throw new CliError("CONFIG", `${file} is written, and has problems, which \`dl7450 rom check\` lists.`);
}

function refuse(impossible: readonly LeftOut[]): void {
  if (impossible.length === 0) return;
  const message = `A config has no form for ${listed(impossible)}. --partial leaves that out, \`dl7450 snapshot save\` keeps it.`;
  throw new CliError("CONFIG", message);
}

function listed(things: readonly LeftOut[]): string {
  return things.map(({ kind, name, why }) => `the ${kind} ${quoted(name)} (${why})`).join(", ");
}
