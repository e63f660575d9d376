/** `dl7450 image list`: the images. */
import type { Command } from "commander";
import type { Context } from "./context.js";
import { withDock } from "./open-dock.js";
import { examples, type StoreOptions, storeOption } from "./options.js";
import { remark, writeJson } from "./output.js";
import { writeTable } from "./table.js";

export function addImageList(image: Command, context: Context): void {
  image
    .command("list")
    .description("list the images, each tag once")
    .addOption(storeOption())
    .addHelpText("after", examples("dl7450 image list", "dl7450 image list --store factory --json"))
    .action(async (_local: unknown, command: Command) => {
      await imageList(context, command.optsWithGlobals<StoreOptions>());
    });
}

async function imageList(context: Context, options: StoreOptions): Promise<void> {
  const { store } = options;
  const { signal } = context;
  const images = await withDock(context, options, (dock) => dock.images.list({ store, signal }));
  if (options.json) return writeJson(context, images);
  if (images.length === 0) remark(context, options, "There are no images.");
  const columns = [
    { title: "tag" },
    { title: "layer" },
    { title: "size", align: "right" as const },
    { title: "type" },
    { title: "sha256" },
  ];
  const rows = images.map(({ tag, store, size, type, sha256 = "" }) => [tag, store, size, type, sha256]);
  await writeTable(context, columns, rows);
}
