/** `dl7450 image get`: the bytes of an image, to a file or to stdout. */
import { createHash } from "node:crypto";
import { type Command, InvalidArgumentError } from "commander";
import type { Dock, ImageInfo, ImageStream, ImageToken } from "../index.js";
import type { Context } from "./context.js";
import { withDock } from "./open-dock.js";
import { examples, type StoreOptions, storeOption } from "./options.js";
import { remark, writeJson } from "./output.js";
import { progressBar } from "./progress.js";
import { fileSink, type Sink, stdoutSink } from "./sink.js";

interface ImageGetOptions extends StoreOptions {
  /** A path, or `-` for stdout. */
  readonly output?: string;
  /** Hexadecimal. */
  readonly token?: string;
}

export function addImageGet(image: Command, context: Context): void {
  image
    .command("get")
    .description("write the bytes of an image to a file or to stdout, checked by SHA-256")
    .argument("[tag]", "the image's tag; or give --token")
    .option("-o, --output <file>", "where to: a file, which is replaced when all is there; - is stdout", outputPath)
    .option("--token <hex>", "what `dl7450 image token` printed, in place of a tag")
    .addOption(storeOption())
    .addHelpText(
      "after",
      examples("dl7450 image get default -o default.png", "dl7450 image get welcome --store factory | sha256sum"),
    )
    .action(async (tag: string | undefined, _local: unknown, command: Command) => {
      const options = command.optsWithGlobals<ImageGetOptions>();
      if ((tag === undefined) === (options.token === undefined)) command.error("give either a tag or --token");
      if (options.output === undefined && context.stdout.isTTY) {
        command.error("an image isn't for a terminal: give -o FILE, or -o - if you mean it");
      }
      await imageGet(context, await imageNamed(tag ?? "", options.token), options);
    });
}

function outputPath(text: string): string {
  if (text === "") throw new InvalidArgumentError("It is the path of a file, or -.");
  return text;
}

/** What a tag or a token names. */
export async function imageNamed(tag: string, token: string | undefined): Promise<string | ImageToken> {
  if (token === undefined) return tag;
  const { ImageToken } = await import("../image-store.js"); // not for --help
  return ImageToken.parse(token);
}

async function imageGet(context: Context, image: string | ImageToken, options: ImageGetOptions): Promise<void> {
  const { output = "-" } = options;
  const { type, size, store, sha256 } = await withDock(context, options, (dock) => fetchImage(dock, context, image, options));
  if (output !== "-" && options.json) return writeJson(context, { file: output, type, size, store, sha256 });
  remark(context, options, `${output === "-" ? "stdout" : output}: ${size} bytes, ${type}, ${store}, sha256 ${sha256}`);
}

/** Moves the image from the dock to where it is wanted. */
async function fetchImage(
  dock: Dock,
  context: Context,
  image: string | ImageToken,
  { output = "-", store, ...options }: ImageGetOptions,
): Promise<ImageInfo & { readonly sha256: string }> {
  const bar = await progressBar(context, options, typeof image === "string" ? image : "image");
  try {
    const stream = dock.images.stream(image, {
      store,
      signal: context.signal,
      onProgress: ({ received, size }) => bar.show(received, size),
    });
    const info = await stream.info(); // before anything is opened: there may be no such image
    const sink = output === "-" ? stdoutSink(context) : await fileSink(output, context);
    return { ...info, sha256: await pour(stream, sink) };
  } finally {
    bar.end();
  }
}

/** Gives the SHA-256 of what was written, in hexadecimal. */
async function pour(stream: ImageStream, sink: Sink): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of stream) {
      hash.update(chunk);
      await sink.write(chunk);
    }
    await sink.finish();
  } catch (error) {
    await sink.discard();
    throw error;
  }
  return hash.digest("hex");
}
