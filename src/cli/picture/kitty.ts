/** Pictures for kitty's graphics protocol (https://sw.kovidgoyal.net/kitty/graphics-protocol/), which Ghostty speaks as well. */
import type { Picture } from "./decode.js";

/** Of base64, in one escape sequence. */
const MOST_CHARACTERS = 4_096;

/** A PNG, drawn as many columns wide. The terminal decodes it. */
export function kittyFile(png: Uint8Array, columns: number): string {
  return sequences(`a=T,f=100,c=${columns}`, png);
}

/** Pixels, drawn as many columns wide. */
export function kittyPixels(picture: Picture, columns: number): string {
  const { width, height, data } = picture;
  const opaque = isOpaque(data);
  return sequences(`a=T,f=${opaque ? 24 : 32},s=${width},v=${height},c=${columns}`, opaque ? withoutAlpha(data) : data);
}

/** In one text, so that no terminal is left with half a picture. q=2: it doesn't answer, not even that it can't. */
function sequences(control: string, data: Uint8Array): string {
  const base64 = Buffer.from(data.buffer, data.byteOffset, data.length).toString("base64");
  let text = "";
  for (let at = 0; at < base64.length; at += MOST_CHARACTERS) {
    const more = at + MOST_CHARACTERS < base64.length ? "m=1" : "m=0";
    const keys = at === 0 ? `${control},q=2,${more}` : `q=2,${more}`;
    text += `\u001b_G${keys};${base64.slice(at, at + MOST_CHARACTERS)}\u001b\\`;
  }
  return `${text}\n`;
}

function isOpaque(rgba: Uint8Array): boolean {
  for (let at = 3; at < rgba.length; at += 4) if (rgba[at] !== 255) return false;
  return true;
}

function withoutAlpha(rgba: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) rgb.set(rgba.subarray(from, from + 3), to);
  return rgb;
}
