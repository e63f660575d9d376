/** `dl7450 image show`: draws an image in the terminal. */
import { createHash } from "node:crypto";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Dock, ImageToken } from "../index.js";
import type { Context } from "./context.js";
import { imageNamed } from "./image-get.js";
import { withDock } from "./open-dock.js";
import { examples, type StoreOptions, storeOption } from "./options.js";
import { remark, writeJson, writeOut } from "./output.js";
import type { ImageFile } from "./picture/decode.js";
import type { Way } from "./picture/terminal.js";
import { progressBar } from "./progress.js";

interface ImageShowOptions extends StoreOptions {
  /** Hexadecimal. */
  readonly token?: string;
  readonly as: Way | "auto";
  /** Columns. */
  readonly width?: number;
}

const WAYS: Readonly<Record<Way | "auto", true>> = { auto: true, kitty: true, iterm2: true, sixel: true, blocks: true };

const NOTES = `
auto takes kitty or iterm2 where the environment names such a terminal, sixel where the terminal
says that it draws it, and blocks otherwise, as in tmux and screen. blocks are half a character
each: in 24-bit colour where COLORTERM says truecolor or 24bit, else in 256 colours; with NO_COLOR
or TERM=dumb, letters and signs without colour. sixel is up to 1000 pixels wide and high.`;

export function addImageShow(image: Command, context: Context): void {
  image
    .command("show")
    .description("draw an image in the terminal: png, jpeg or bmp")
    .argument("[tag]", "the image's tag; or give --token")
    .addOption(new Option("--as <way>", "how it is drawn").choices(Object.keys(WAYS)).default("auto"))
    .option("--width <columns>", "how wide at most; unless told, as wide as the terminal", columns)
    .option("--token <hex>", "what `dl7450 image token` printed, in place of a tag")
    .addOption(storeOption())
    .addHelpText("after", NOTES)
    .addHelpText(
      "after",
      examples("dl7450 image show default", "dl7450 image show welcome --store factory --as blocks --width 60"),
    )
    .action(async (tag: string | undefined, _local: unknown, command: Command) => {
      const options = command.optsWithGlobals<ImageShowOptions>();
      if ((tag === undefined) === (options.token === undefined)) command.error("give either a tag or --token");
      if (!options.json && options.as === "auto" && !context.stdout.isTTY) {
        command.error("a picture is for a terminal: say how it is drawn, such as --as blocks, if you mean it");
      }
      await imageShow(context, tag, options);
    });
}

// Where no more is of use, and a mistake costs little.
const MOST_COLUMNS = 1_000;

function columns(text: string): number {
  const value = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (value > 0 && value <= MOST_COLUMNS) return value;
  throw new InvalidArgumentError(`It is a number of columns, from 1 to ${MOST_COLUMNS}.`);
}

async function imageShow(context: Context, tag: string | undefined, options: ImageShowOptions): Promise<void> {
  const named = await imageNamed(tag ?? "", options.token);
  const { file, store, sha256 } = await withDock(context, options, (dock) => fetchFile(dock, context, named, options));
  const { type, data, width, height } = file;
  const size = data.length;
  if (options.json) return writeJson(context, { tag, type, size, store, sha256, width, height });
  const way = options.as === "auto" ? await wayOf(context) : options.as;
  const { drawing } = await import("./picture/drawing.js"); // not for --help
  const widest = options.width ?? (context.stdout.columns || USUAL_COLUMNS);
  for await (const piece of drawing(file, way, widest, context.env)) await writeOut(context, piece);
  const name = tag === undefined ? "" : `${tag}: `;
  remark(context, options, `${name}${width} by ${height} pixels, ${size} bytes, ${type}, ${store}`);
}

const USUAL_COLUMNS = 80;

interface Fetched {
  readonly file: ImageFile;
  readonly store: string;
  readonly sha256: string;
}

/** The image, unless it is plain that it can't be drawn. */
async function fetchFile(
  dock: Dock,
  context: Context,
  image: string | ImageToken,
  { store, ...options }: ImageShowOptions,
): Promise<Fetched> {
  const { checkDrawable, measure } = await import("./picture/decode.js"); // not for --help
  const bar = await progressBar(context, options, typeof image === "string" ? image : "image");
  try {
    const stream = dock.images.stream(image, {
      store,
      signal: context.signal,
      onProgress: ({ received, size }) => bar.show(received, size),
    });
    const info = await stream.info();
    const type = checkDrawable(info); // before its bytes are asked for: the dock is closed next
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    const data = Buffer.concat(chunks);
    const sha256 = createHash("sha256").update(data).digest("hex");
    return { file: await measure(type, data), store: info.store, sha256 };
  } finally {
    bar.end();
  }
}

async function wayOf(context: Context): Promise<Way> {
  const { wayNamed } = await import("./picture/terminal.js"); // not for --help
  const named = wayNamed(context.env);
  if (named !== "ask") return named;
  const { drawsSixel } = await import("./picture/ask-sixel.js");
  return (await drawsSixel(context)) ? "sixel" : "blocks";
}
