/** A read of an image that has begun, and a dock that has been asked for it and said nothing yet. */
import { ImageStore, type ImageStreamOptions } from "../image-store.js";
import { type OpenBench, openSession } from "./open-session.js";
import { PIECE, picture, Serving } from "./picture.js";
import { readAll } from "./reader.js";
import { type Watched, watch } from "./watch.js";

/** An image of some pieces, the last of them a short one. */
export const image = picture(5 * PIECE + 100);
export const END = image.length;

export interface Reading extends OpenBench {
  readonly read: Watched<Buffer>;
  readonly serving: Serving;
}

export async function reading(
  what: Buffer = image,
  { holdsBack = false, ...options }: ImageStreamOptions & { holdsBack?: boolean } = {},
): Promise<Reading> {
  const bench = await openSession({ pair: { holdsBack } });
  const read = watch(readAll(new ImageStore(bench.session).stream("default", options)));
  await bench.clock.settle();
  return { ...bench, read, serving: new Serving(bench.dock, what) };
}
