/** Pictures that can't be seen through. */

/** The same pixels in front of black, which most terminals are, and a dock's screen before it has a picture. */
export function onBlack(rgba: Uint8Array): Uint8Array {
  const opaque = new Uint8Array(rgba.length).fill(255);
  for (let at = 0; at < rgba.length; at++) {
    const alpha = rgba[at | 3] ?? 0;
    if (at % 4 !== 3) opaque[at] = Math.round(((rgba[at] ?? 0) * alpha) / 255);
  }
  return opaque;
}
