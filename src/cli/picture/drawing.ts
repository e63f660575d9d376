/** What is written to a terminal so that it shows an image. */
import { blocks } from "./blocks.js";
import { decode, type ImageFile, type Picture } from "./decode.js";
import { iterm2File } from "./iterm2.js";
import { kittyFile, kittyPixels } from "./kitty.js";
import { fitted, scaled } from "./scale.js";
import { sixels } from "./sixel.js";
import { coloursOf, type Way } from "./terminal.js";

/** Pixels of a character that isn't known: what many terminals begin with. */
const CELL_WIDTH = 8;
/** And the most that is of use, on screens of twice as many pixels. */
const FINE_CELL_WIDTH = 16;
/** A side; kitty draws no larger image (MAX_IMAGE_DIMENSION in its graphics.c). */
const KITTY_LONGEST_SIDE = 10_000;
/** A side; xterm draws no larger one unless its maxGraphicSize says so. */
const SIXEL_LONGEST_SIDE = 1_000;

/**
 * The image in pieces, none of which leaves a terminal in the middle of something. Fails with `PICTURE` when it can't be decoded: a
 * terminal that is given the file itself wouldn't say so.
 * @param widest in columns; the image is drawn no larger than it is
 */
export async function* drawing(
  file: ImageFile,
  way: Way,
  widest: number,
  env: Readonly<Record<string, string | undefined>>,
): AsyncGenerator<string> {
  const picture = await decode(file);
  const columns = Math.min(widest, Math.ceil(file.width / CELL_WIDTH));
  switch (way) {
    case "kitty":
      yield kittyTakesFile(file) ? kittyFile(file.data, columns) : kittyPixels(smallForKitty(picture, columns), columns);
      return;
    case "iterm2":
      yield iterm2File(file.data, columns);
      return;
    case "sixel":
      yield await sixels(smallForSixel(picture, columns));
      return;
    case "blocks":
      yield* blocks(picture, Math.min(widest, file.width), coloursOf(env));
  }
}

function kittyTakesFile({ type, width, height }: ImageFile): boolean {
  return type === "png" && width <= KITTY_LONGEST_SIDE && height <= KITTY_LONGEST_SIDE;
}

function smallForKitty(picture: Picture, columns: number): Picture {
  const width = Math.min(columns * FINE_CELL_WIDTH, KITTY_LONGEST_SIDE);
  return scaled(picture, fitted(picture, { width, height: KITTY_LONGEST_SIDE }));
}

function smallForSixel(picture: Picture, columns: number): Picture {
  const width = Math.min(columns * CELL_WIDTH, SIXEL_LONGEST_SIDE);
  return scaled(picture, fitted(picture, { width, height: SIXEL_LONGEST_SIDE }));
}
