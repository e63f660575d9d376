/** `dl7450 image which`: which layer answers for a tag, and what it hides. */
import type { Command } from "commander";
import type { Dock, ImageEntry } from "../index.js";
import { quoted } from "../visible.js";
import { CliError } from "./cli-error.js";
import type { Context } from "./context.js";
import { withDock } from "./open-dock.js";
import { examples, type GlobalOptions } from "./options.js";
import { writeJson } from "./output.js";
import { writeTable } from "./table.js";

export function addImageWhich(image: Command, context: Context): void {
  image
    .command("which")
    .description("tell which layer answers for a tag, and in which layers it hides another image")
    .argument("<tag>", "the image's tag")
    .addHelpText("after", examples("dl7450 image which default"))
    .action(async (tag: string, _local: unknown, command: Command) => {
      await which(context, tag, command.optsWithGlobals<GlobalOptions>());
    });
}

async function which(context: Context, tag: string, options: GlobalOptions): Promise<void> {
  const found = await withDock(context, options, (dock) => imagesCalled(dock, tag, context.signal));
  if (found.length === 0) {
    throw new CliError("NOT_FOUND", `There is no image ${quoted(tag)} on the dock. \`dl7450 ls\` lists those that there are.`);
  }
  if (options.json) return writeJson(context, found);
  const columns = [
    { title: "layer" },
    { title: "" },
    { title: "size", align: "right" as const },
    { title: "type" },
    { title: "sha256" },
  ];
  const rows = found.map(({ store, answers, size, type, sha256 = "" }) => [
    ...[store, answers ? "answers" : "hidden", size, type, sha256],
  ]);
  await writeTable(context, columns, rows);
}

/** Those of all layers that can be looked into, the one that answers first. */
async function imagesCalled(dock: Dock, tag: string, signal: AbortSignal): Promise<(ImageEntry & { answers: boolean })[]> {
  const called = (all: ImageEntry[]): ImageEntry[] => all.filter((entry) => entry.tag === tag);
  const answering = called(await dock.images.list({ signal }));
  const hidden: ImageEntry[] = [];
  for (const store of dock.features.includes("stores") ? dock.stores : []) {
    if (!answering.some((it) => it.store === store)) hidden.push(...called(await dock.images.list({ store, signal })));
  }
  return [...answering.map((it) => ({ ...it, answers: true })), ...hidden.map((it) => ({ ...it, answers: false }))];
}
