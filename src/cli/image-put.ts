/** `dl7450 image put`: an image out of a file or stdin, into a layer. */
import { parse } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Dock, ImageInfo, ImageSource, ImageType } from "../index.js";
import type { Context } from "./context.js";
import { withDock } from "./open-dock.js";
import { addWriteOptions, examples, type WriteLayerOptions } from "./options.js";
import { remark, writeJson } from "./output.js";
import { progressBar } from "./progress.js";

interface ImagePutOptions extends WriteLayerOptions {
  /** The tag. */
  readonly as?: string;
  readonly type?: ImageType;
}

export function addImagePut(image: Command, context: Context): void {
  const command = image
    .command("put")
    .description("put an image into a layer, in place of one that has the tag; it is there whole or not at all")
    .argument("<file>", "the image; - is stdin", inputPath)
    .option("--as <tag>", "the tag; unless told, the file's name without its ending")
    .addOption(new Option("--type <type>", "what it must be; unless told, what its content says").choices(Object.keys(TYPES)));
  addWriteOptions(command)
    .addHelpText(
      "after",
      examples("dl7450 image put logo.png", "dl7450 image put - --as logo --type none --store ephemeral < logo.raw"),
    )
    .action(async (file: string, _local: unknown, command: Command) => {
      const options = command.optsWithGlobals<ImagePutOptions>();
      if (file === "-" && options.as === undefined) command.error("stdin has no name: give the tag with --as");
      const tag = options.as ?? parse(file).name;
      await imagePut(context, tag, file === "-" ? context.stdin() : { file }, options);
    });
}

const TYPES: Readonly<Record<ImageType, true>> = { png: true, bmp: true, jpeg: true, none: true };

function inputPath(text: string): string {
  if (text === "") throw new InvalidArgumentError("It is the path of a file, or -.");
  return text;
}

async function imagePut(context: Context, tag: string, source: ImageSource, options: ImagePutOptions): Promise<void> {
  const { type, size, store, sha256 } = await withDock(context, options, (dock) =>
    sendImage(dock, context, tag, source, options),
  );
  if (options.json) return writeJson(context, { tag, type, size, store, sha256 });
  remark(context, options, `${tag}: ${size} bytes, ${type}, ${store}, sha256 ${sha256}`);
}

/** Moves the image to the dock. */
async function sendImage(
  dock: Dock,
  context: Context,
  tag: string,
  source: ImageSource,
  { store, confirm, type, ...options }: ImagePutOptions,
): Promise<ImageInfo> {
  const { signal } = context;
  const bar = await progressBar(context, options, tag);
  try {
    return await dock.images.put(tag, source, {
      store,
      confirm,
      type,
      signal,
      onProgress: ({ sent, size }) => bar.show(sent, size),
    });
  } finally {
    bar.end();
  }
}
