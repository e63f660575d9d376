/** Pictures made smaller. */
import type { Picture, Size } from "./decode.js";

/** The largest size of the same shape that fits into a box, and isn't larger than it was. */
export function fitted({ width, height }: Size, box: Size): Size {
  const factor = Math.min(1, box.width / width, box.height / height);
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}

/** A box filter: each pixel is the mean of the area that it stands for. What can be seen through has less weight. */
export function scaled(picture: Picture, size: Size): Picture {
  if (size.width === picture.width && size.height === picture.height) return picture;
  const data = new Uint8Array(size.width * size.height * 4);
  const [across, down] = [picture.width / size.width, picture.height / size.height];
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      const area = { left: x * across, right: (x + 1) * across, top: y * down, bottom: (y + 1) * down };
      data.set(mean(picture, area), (y * size.width + x) * 4);
    }
  }
  return { ...size, data };
}

/** In pixels and parts of them. */
interface Area {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function mean({ width, height, data }: Picture, { left, right, top, bottom }: Area): [number, number, number, number] {
  let [red, green, blue, alpha, weights] = [0, 0, 0, 0, 0];
  for (let y = Math.floor(top); y < Math.min(bottom, height); y++) {
    const rows = Math.min(y + 1, bottom) - Math.max(y, top);
    for (let x = Math.floor(left); x < Math.min(right, width); x++) {
      const at = (y * width + x) * 4;
      const weight = rows * (Math.min(x + 1, right) - Math.max(x, left));
      const seen = weight * (data[at + 3] ?? 0);
      red += seen * (data[at] ?? 0);
      green += seen * (data[at + 1] ?? 0);
      blue += seen * (data[at + 2] ?? 0);
      alpha += seen;
      weights += weight;
    }
  }
  if (alpha === 0) return [0, 0, 0, 0];
  return [Math.round(red / alpha), Math.round(green / alpha), Math.round(blue / alpha), Math.round(alpha / weights)];
}
