/** `dl7450 image put`: an image out of a file or stdin, into a layer. */
import { parse } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { ImageType, PutImage } from "../index.js";
import type { Context } from "./context.js";
import { readBytes } from "./input.js";
import { withDockToWrite } from "./open-dock.js";
import { addWriteOptions, examples, type WriteLayerOptions } from "./options.js";
import { remark, writeJson } from "./output.js";
import { progressBar } from "./progress.js";

interface ImagePutOptions extends WriteLayerOptions {
  /** The tag. */
  readonly as?: string;
  readonly type?: ImageType;
}

/** What became of it. */
type Outcome = "put" | "is there already" | "would be put";

export function addImagePut(image: Command, context: Context): void {
  const command = image
    .command("put")
    .description(
      "put an image into a layer, in place of one that has the tag; it is there whole or not at all. Nothing is written where it is there already",
    )
    .argument("<file>", "the image; - is stdin", inputPath)
    .option("--as <tag>", "the tag; unless told, the file's name without its ending")
    .addOption(new Option("--type <type>", "what it must be; unless told, what its content says").choices(Object.keys(TYPES)));
  addWriteOptions(command, context)
    .addHelpText(
      "after",
      examples("dl7450 image put logo.png", "dl7450 image put - --as logo --type none --store ephemeral < logo.raw"),
    )
    .action(async (file: string, _local: unknown, command: Command) => {
      const options = command.optsWithGlobals<ImagePutOptions>();
      if (file === "-" && options.as === undefined) command.error("stdin has no name: give the tag with --as");
      const tag = options.as ?? parse(file).name;
      await imagePut(context, tag, file, options);
    });
}

const TYPES: Readonly<Record<ImageType, true>> = { png: true, bmp: true, jpeg: true, none: true };

function inputPath(text: string): string {
  if (text === "") throw new InvalidArgumentError("It is the path of a file, or -.");
  return text;
}

async function imagePut(context: Context, tag: string, file: string, options: ImagePutOptions): Promise<void> {
  const source = file === "-" ? await readBytes(file, context) : { file }; // it is looked at before it is sent
  const { image, outcome } = await sendImage(context, tag, source, options);
  const { type, size, store, sha256 } = image;
  if (options.json) return writeJson(context, { tag, type, size, store, sha256, outcome });
  const said = `${size} bytes, ${type}, ${store}, sha256 ${sha256}`;
  remark(context, options, outcome === "put" ? `${tag}: ${said}` : `${tag}: ${outcome}, ${said}`);
}

/** Moves the image to the dock, unless it is there. */
async function sendImage(
  context: Context,
  tag: string,
  source: Uint8Array | { readonly file: string },
  options: ImagePutOptions,
): Promise<{ image: PutImage; outcome: Outcome }> {
  const bar = await progressBar(context, options, tag);
  try {
    return await withDockToWrite(context, options, async (dock, to) => {
      const [{ contentOfImage }, { wouldPut }] = await Promise.all([import("../contents.js"), import("./would-write.js")]);
      const image = { ...(await contentOfImage(source, options.type, { signal: context.signal })), store: to.store };
      if (!(await wouldPut(dock, tag, image, to))) return { image, outcome: "is there already" };
      if (options.dryRun) return { image, outcome: "would be put" };
      const onProgress = ({ sent, size }: { sent: number; size: number }): void => bar.show(sent, size);
      return { image: await dock.images.put(tag, source, { ...to, type: options.type, onProgress }), outcome: "put" };
    });
  } finally {
    bar.end();
  }
}
