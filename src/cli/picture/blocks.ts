/** Pictures out of characters, for any terminal: two pixels each, which are square, since a character is about twice as high as wide. */
import type { Picture } from "./decode.js";
import { onBlack } from "./on-black.js";
import { dithered } from "./palette-256.js";
import { fitted, scaled } from "./scale.js";
import type { Colours } from "./terminal.js";

/** Of a picture that is much higher than wide, more than anybody scrolls back over. */
const MOST_LINES = 1_000;

/** The lines of a picture that is as many columns wide, or narrower. Each leaves the terminal's colours as they were. */
export function* blocks(picture: Picture, columns: number, colours: Colours): Generator<string> {
  const small = scaled(picture, fitted(picture, { width: columns, height: 2 * MOST_LINES }));
  const { width, height } = small;
  const opaque = onBlack(small.data);
  const bytes = (y: number): Uint8Array => opaque.subarray(4 * y * width, 4 * (y + 1) * width);
  const pixels = colours === "none" ? undefined : rowsOf(small, opaque, colours);
  for (let y = 0; y < height; y += 2) {
    yield pixels === undefined ? shadedLine(bytes(y), bytes(y + 1)) : colouredLine(pixels(y), pixels(y + 1));
  }
}

/** What SGR takes behind 38 and 48 (ECMA-48 §8.3.117), or undefined where the terminal's background is to be seen. */
type Pixel = string | undefined;

/** Gives a row of pixels; none below the last. */
function rowsOf(
  { width, height, data }: Picture,
  opaque: Uint8Array,
  colours: Exclude<Colours, "none">,
): (y: number) => readonly Pixel[] {
  const numbers = colours === "256" ? dithered(opaque, width) : undefined;
  const pixel = (i: number): Pixel => {
    if ((data[4 * i + 3] ?? 0) < 128) return undefined;
    return numbers === undefined ? `2;${opaque.subarray(4 * i, 4 * i + 3).join(";")}` : `5;${numbers[i]}`;
  };
  return (y) => (y < height ? Array.from({ length: width }, (_, x) => pixel(y * width + x)) : []);
}

/** The terminal's own colours (ECMA-48). */
const USUAL_FOREGROUND = "39";
const USUAL_BACKGROUND = "49";

/** A colour is told only where it changes. */
function colouredLine(above: readonly Pixel[], below: readonly Pixel[]): string {
  let line = "";
  let [foreground, background] = [USUAL_FOREGROUND, USUAL_BACKGROUND];
  for (const [x, top] of above.entries()) {
    const cell = cellOf(top, below[x]);
    const changes = [cell.foreground ?? foreground, cell.background].filter((it) => it !== foreground && it !== background);
    line += `${changes.length === 0 ? "" : `\u001b[${changes.join(";")}m`}${cell.glyph}`;
    [foreground, background] = [cell.foreground ?? foreground, cell.background];
  }
  return `${line}\u001b[0m\n`;
}

interface Cell {
  readonly glyph: string;
  /** Undefined where it doesn't matter. */
  readonly foreground: string | undefined;
  readonly background: string;
}

function cellOf(top: Pixel, bottom: Pixel): Cell {
  const background = top === undefined || bottom === undefined ? USUAL_BACKGROUND : `48;${bottom}`;
  if (top === bottom) return { glyph: " ", foreground: undefined, background };
  return { glyph: top === undefined ? "▄" : "▀", foreground: `38;${top ?? bottom}`, background };
}

/** From dark to bright, on a dark terminal. */
const SHADES = " .:-=+*#%@";

/** @param below nothing under the last line of an odd number */
function shadedLine(above: Uint8Array, below: Uint8Array): string {
  let line = "";
  for (let at = 0; at < above.length; at += 4) {
    const light = (brightness(above, at) + brightness(below.length === 0 ? above : below, at)) / 2;
    line += SHADES.charAt(Math.floor((light / 256) * SHADES.length));
  }
  return `${line}\n`;
}

/** 0 to 255, as Rec. 709 weighs the colours. */
function brightness(rgba: Uint8Array, at: number): number {
  return 0.2126 * (rgba[at] ?? 0) + 0.7152 * (rgba[at + 1] ?? 0) + 0.0722 * (rgba[at + 2] ?? 0);
}
