/** JPEG, decoded by jpeg-js, which is given only what it can bear. */
import type { Picture } from "./decode.js";

/** Marks a scan. It can't be in the middle of a scan's data (T.81 §B.1.1.5), but in a small picture inside of the large one. */
const START_OF_SCAN = Buffer.from([0xff, 0xda]);
/** A progressive image has about ten. Each may pass over all pixels, though it has a few bytes only. */
const MOST_SCANS = 32;
/**
 * The marker of the end, again and again: jpeg-js would read what lies behind the end as zeros until it has all pixels. No header of a
 * scan is as long.
 */
const END = Buffer.alloc(1_024, Buffer.from([0xff, 0xd9]));
/** Enough for any image whose dimensions are bearable. */
const LIMITS = { maxResolutionInMP: 17, maxMemoryUsageInMB: 512 };

/** Fails with what is wrong. */
export async function decodeJpeg(data: Buffer): Promise<Picture> {
  let scans = 0;
  for (let at = data.indexOf(START_OF_SCAN); at !== -1; at = data.indexOf(START_OF_SCAN, at + 2)) scans++;
  if (scans > MOST_SCANS) throw new Error(`it has ${scans} scans, and ${MOST_SCANS} are allowed`);
  const { default: jpeg } = await import("jpeg-js");
  const { width, height, data: pixels } = jpeg.decode(Buffer.concat([data, END]), { useTArray: true, ...LIMITS });
  return { width, height, data: pixels };
}
