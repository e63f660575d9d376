/** Pictures in the 256 colours that a terminal numbers: of them the last 240, which are the same everywhere. */

/** A cube of six levels a side, and 24 greys (xterm's 256colres.pl). */
const LEVELS = [0, 95, 135, 175, 215, 255];
const CUBE_AT = 16;
const GREYS_AT = 232;
const GREYS = Array.from({ length: 24 }, (_, i) => 8 + 10 * i);

type Rgb = readonly [red: number, green: number, blue: number];

/** To whom the error of a pixel is handed on, and how many sixteenths of it (Floyd and Steinberg, 1976). */
const SHARES = [
  [1, 0, 7],
  [-1, 1, 3],
  [0, 1, 5],
  [1, 1, 1],
] as const;

/**
 * The number of the colour of each pixel. What a pixel is too bright or too dark the next ones make up for: dark colours would all be
 * grey otherwise.
 */
export function dithered(rgba: Uint8Array, width: number): Uint8Array {
  const wanted = Float32Array.from(rgba);
  const numbers = new Uint8Array(rgba.length / 4);
  for (const i of numbers.keys()) {
    const pixel: Rgb = [wanted[4 * i] ?? 0, wanted[4 * i + 1] ?? 0, wanted[4 * i + 2] ?? 0];
    const { number, rgb } = nearest(pixel);
    numbers[i] = number;
    for (const [right, down, share] of SHARES) {
      const x = (i % width) + right;
      if (x < 0 || x >= width) continue;
      const at = 4 * (i + right + down * width);
      for (const [channel, value] of pixel.entries()) {
        // Behind the last row there is nothing, and nothing is kept there.
        wanted[at + channel] = (wanted[at + channel] ?? 0) + ((value - (rgb[channel] ?? 0)) * share) / 16;
      }
    }
  }
  return numbers;
}

function nearest(pixel: Rgb): { readonly number: number; readonly rgb: Rgb } {
  const [red, green, blue] = [nearestLevel(LEVELS, pixel[0]), nearestLevel(LEVELS, pixel[1]), nearestLevel(LEVELS, pixel[2])];
  const inCube: Rgb = [LEVELS[red] ?? 0, LEVELS[green] ?? 0, LEVELS[blue] ?? 0];
  const grey = nearestLevel(GREYS, (pixel[0] + pixel[1] + pixel[2]) / 3);
  const level = GREYS[grey] ?? 0;
  const asGrey: Rgb = [level, level, level];
  if (distance(pixel, asGrey) < distance(pixel, inCube)) return { number: GREYS_AT + grey, rgb: asGrey };
  return { number: CUBE_AT + 36 * red + 6 * green + blue, rgb: inCube };
}

/** Its index. */
function nearestLevel(levels: readonly number[], wanted: number): number {
  let best = 0;
  for (const [i, level] of levels.entries()) if (Math.abs(level - wanted) < Math.abs((levels[best] ?? 0) - wanted)) best = i;
  return best;
}

function distance(a: Rgb, b: Rgb): number {
  return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;
}
