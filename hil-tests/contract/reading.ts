/** What rules of the contract look at, and how. */
import { createHash } from "node:crypto";
import { expect } from "vitest";
import type { Dock, ImageEntry, ImageInfo, ImageToken, LayerOption } from "../../src/index.js";

/** Larger than what is under way when the first piece comes, in bytes: such an image can be left before its end. */
export const LARGE = 200_000;
/** Larger than what the driver ever has under way, in bytes. */
export const HUGE = 1_000_000;

/** Gives the first that fits, of what is named so; without one the test ends. */
export type Found = <T>(what: string, first: T | undefined) => T;

/** An image so large that it doesn't come all at once; the smallest of them. */
export async function largeImage(found: Found, dock: Dock, least = LARGE): Promise<ImageEntry> {
  const large = (await dock.images.list()).filter(({ size }) => size >= least);
  return found(`an image of ${least} bytes`, large.toSorted((a, b) => a.size - b.size)[0]);
}

/** The smallest image that has bytes. */
export async function smallImage(found: Found, dock: Dock): Promise<ImageEntry> {
  const withBytes = (await dock.images.list()).filter(({ size }) => size > 0);
  return found("an image that isn't empty", withBytes.toSorted((a, b) => a.size - b.size)[0]);
}

/** Fails unless the dock still answers, and right. */
export async function expectAnswers(dock: Dock): Promise<void> {
  expect(await dock.info()).toMatchObject({ id: dock.id });
}

/** Reads all that there is, several things at once. Fails when anything was lost or broken on the line. Gives the line's counters. */
export async function expectCleanReading(dock: Dock): Promise<Dock["link"]["counters"]> {
  const images = await dock.images.list();
  await Promise.all([...images.map(({ tag }) => dock.images.get(tag)), all(dock.kv.entries())]);
  const { counters } = dock.link;
  const { oversize, cobs, crc, malformed, unknown, echo, noiseBytes, gaps } = counters;
  expect({ oversize, cobs, crc, malformed, unknown, echo, noiseBytes, gaps }).toEqual({
    ...{ oversize: 0, cobs: 0, crc: 0, malformed: 0, unknown: 0, echo: 0, noiseBytes: 0, gaps: 0 },
  });
  return counters;
}

/** What an image is, without its bytes. */
export async function infoOf(dock: Dock, image: string | ImageToken, options: LayerOption = {}): Promise<ImageInfo> {
  const stream = dock.images.stream(image, options);
  const info = await stream.info();
  await stream.cancel();
  return info;
}

/** Everything that is iterated over. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) taken.push(item);
  return taken;
}

/** The pieces of a stream, put together. */
export async function whole(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await all(stream));
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The order of names: by their bytes in UTF-8 (SPEC §7.3). */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
