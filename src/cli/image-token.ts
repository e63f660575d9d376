/** `dl7450 image token`: something that stands for an image until the dock restarts. */
import type { Command } from "commander";
import type { Context } from "./context.js";
import { withDock } from "./open-dock.js";
import { examples, type StoreOptions, storeOption } from "./options.js";
import { writeJson, writeOut } from "./output.js";

export function addImageToken(image: Command, context: Context): void {
  image
    .command("token")
    .description("print a token, in hexadecimal, that stands for an image as it is until the dock restarts")
    .argument("<tag>", "the image's tag")
    .addOption(storeOption())
    .addHelpText(
      "after",
      examples("dl7450 image token default", "dl7450 image get --token $(dl7450 image token default) -o default.png"),
    )
    .action(async (tag: string, _local: unknown, command: Command) => {
      await imageToken(context, tag, command.optsWithGlobals<StoreOptions>());
    });
}

async function imageToken(context: Context, tag: string, options: StoreOptions): Promise<void> {
  const { store } = options;
  const { signal } = context;
  const token = await withDock(context, options, (dock) => dock.images.getToken(tag, { store, signal }));
  if (options.json) return writeJson(context, { tag, token: token.toString() });
  await writeOut(context, `${token}\n`);
}
