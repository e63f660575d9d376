/** `dl7450 image delete`: takes an image out of a layer. */
import type { Command } from "commander";
import { quoted } from "../visible.js";
import { CliError } from "./cli-error.js";
import type { Context } from "./context.js";
import { withDockToWrite } from "./open-dock.js";
import { addWriteOptions, examples, type WriteLayerOptions } from "./options.js";
import { remark, writeJson } from "./output.js";

export function addImageDelete(image: Command, context: Context): void {
  const command = image.command("delete").description("delete an image from a layer").argument("<tag>", "the image's tag");
  addWriteOptions(command, context)
    .addHelpText("after", examples("dl7450 image delete logo", "dl7450 image delete logo --store ephemeral"))
    .action(async (tag: string, _local: unknown, command: Command) => {
      await imageDelete(context, tag, command.optsWithGlobals<WriteLayerOptions>());
    });
}

async function imageDelete(context: Context, tag: string, options: WriteLayerOptions): Promise<void> {
  const { store, dryRun } = options;
  const existed = await withDockToWrite(context, options, async (dock, to) =>
    dryRun ? (await dock.images.list(to)).some((image) => image.tag === tag) : dock.images.delete(tag, to),
  );
  if (!existed) {
    const message = `There is no image ${quoted(tag)} in the layer ${store}. \`dl7450 ls\` lists those that there are.`;
    throw new CliError("NOT_FOUND", message);
  }
  if (options.json) return writeJson(context, { tag, store, ...(dryRun ? { dryRun } : {}) });
  remark(context, options, `${tag}: ${dryRun ? "would be deleted" : "deleted"}, ${store}`);
}
