/** Pictures for terminals that draw sixel. */
import type { Picture } from "./decode.js";
import { onBlack } from "./on-black.js";

/** What a terminal can have at a time (DEC STD 070). */
const MOST_COLOURS = 256;

/** Drawn pixel by pixel. What can be seen through is drawn on black. */
export async function sixels({ width, height, data }: Picture): Promise<string> {
  const { FINALIZER, image2sixel, introducer, sixelEncode } = await import("sixel");
  const opaque = onBlack(data);
  const palette = fewColours(opaque);
  if (palette === undefined) return `${image2sixel(opaque, width, height, MOST_COLOURS)}\n`;
  return `${introducer()}${sixelEncode(opaque, width, height, palette)}${FINALIZER}\n`;
}

/** The colours, unless some have to be left out. That is left to image2sixel, which would mix those of a small picture, too. */
function fewColours(rgba: Uint8Array): number[] | undefined {
  const colours = new Set<number>();
  for (const pixel of new Uint32Array(rgba.buffer, rgba.byteOffset, rgba.length / 4)) {
    colours.add(pixel);
    if (colours.size > MOST_COLOURS) return undefined;
  }
  return [...colours];
}
