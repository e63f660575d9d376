/** The dock under test, and what all groups of the contract need to look at it. */
import { createHash } from "node:crypto";
import { expect, type TestContext } from "vitest";
import {
  type CallOptions,
  type Dock,
  DockError,
  type DockErrorCode,
  type ImageEntry,
  type ImageInfo,
  type ImageToken,
  type Layer,
  type LayerOption,
  type OpenOptions,
} from "../../src/index.js";

export interface Subject {
  /** Opens the dock, which nothing else has open. */
  open(options?: OpenOptions): Promise<Dock>;
  /** Whether it should have something for every rule: then a rule that finds nothing to look at fails instead of being skipped. */
  readonly complete: boolean;
  /** What may be written, if the dock can: what is the tests' own, by its name, or anything, which may be lost if a test is killed. */
  readonly writes: "nothing" | "own names" | "anything";
  /** Longest time for one test, in milliseconds: reading everything off a slow line takes long. */
  readonly timeout: number;
}

/** Larger than what is under way when the first piece comes, in bytes: such an image can be left before its end. */
export const LARGE = 200_000;
/** Larger than what the driver ever has under way, in bytes. */
export const HUGE = 1_000_000;

/** The first that fits; without one the test ends here, see `Subject.complete`. */
export function found<T>(subject: Subject, context: TestContext, what: string, first: T | undefined): T {
  if (first !== undefined) return first;
  if (subject.complete) throw new Error(`this dock should have ${what}, or the rule isn't tested`);
  return context.skip(`this dock doesn't have ${what}`);
}

/** Ends the test where layers can't be named, which is nothing that a dock should have. */
export function needLayers(context: TestContext, dock: Dock): void {
  if (!dock.features.includes("stores")) context.skip("this dock's layers can't be named");
}

/** An image so large that it doesn't come all at once; the smallest of them. */
export async function largeImage(subject: Subject, context: TestContext, dock: Dock, least = LARGE): Promise<ImageEntry> {
  const large = (await dock.images.list()).filter(({ size }) => size >= least);
  return found(subject, context, `an image of ${least} bytes`, large.toSorted((a, b) => a.size - b.size)[0]);
}

/** The smallest image that has bytes. */
export async function smallImage(subject: Subject, context: TestContext, dock: Dock): Promise<ImageEntry> {
  const withBytes = (await dock.images.list()).filter(({ size }) => size > 0);
  return found(subject, context, "an image that isn't empty", withBytes.toSorted((a, b) => a.size - b.size)[0]);
}

/** Fails unless the dock still answers, and right. */
export async function expectAnswers(dock: Dock): Promise<void> {
  expect(await dock.info()).toMatchObject({ id: dock.id });
}

/** How many frames the driver sends while something is done. */
export async function framesSent(dock: Dock, act: () => Promise<void>): Promise<number> {
  const { framesOut } = dock.link.counters;
  await act();
  await new Promise(setImmediate); // what is sent goes out at the end of the turn
  return dock.link.counters.framesOut - framesOut;
}

/** The code of the error that a call fails with; undefined when it doesn't fail. */
export async function codeOf(call: Promise<unknown>): Promise<DockErrorCode | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (error instanceof DockError) return error.code;
    throw error;
  }
}

/** What an image is, without its bytes. */
export async function infoOf(dock: Dock, image: string | ImageToken, options: LayerOption = {}): Promise<ImageInfo> {
  const stream = dock.images.stream(image, options);
  const info = await stream.info();
  await stream.cancel();
  return info;
}

/** How many calls are made at once where many are to be made: few enough that none waits for its turn for long. */
const AT_ONCE = 16;

/** What `call` gives for each item, some at once. */
export async function inTurns<T, R>(items: readonly T[], call: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < items.length; i += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(i, i + AT_ONCE).map((item) => call(item)))));
  }
  return results;
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

type Options = CallOptions & LayerOption;

/** Each call that looks for something in the layers. */
export const LOOKUPS: Readonly<Record<string, (dock: Dock, options: Options) => Promise<unknown>>> = {
  "images.list": (dock, options) => dock.images.list(options),
  "images.get": (dock, options) => dock.images.get("a", options),
  "images.getToken": (dock, options) => dock.images.getToken("a", options),
  "images.stream, its info": (dock, options) => dock.images.stream("a", options).info(),
  "images.stream, its bytes": (dock, options) => all(dock.images.stream("a", options)),
  "kv.list": (dock, options) => dock.kv.list(options),
  "kv.get": (dock, options) => dock.kv.get("a", options),
  "kv.find": (dock, options) => dock.kv.find("a", options),
  "kv.entries": (dock, options) => all(dock.kv.entries(options)),
};

/** Each call that asks the dock something. */
export const CALLS: typeof LOOKUPS = { info: (dock, options) => dock.info(options), ...LOOKUPS };

/** Each call that changes something, with the feature that it needs. */
export const WRITES = {
  "write.ephemeral": writesTo("ephemeral"),
  "write.runtime": writesTo("runtime"),
  "write.factory": writesTo("factory"),
  txn: { transaction: (dock) => dock.transaction("ephemeral", async () => {}) },
  restart: { restart: (dock) => dock.restart() },
  reset: { reset: (dock) => dock.reset() },
} as const satisfies Record<string, typeof LOOKUPS>;

function writesTo(store: Layer): typeof LOOKUPS {
  const options = (dock: Dock) => ({ store, confirm: dock.name });
  return {
    "kv.set": (dock) => dock.kv.set("a", 1, options(dock)),
    "kv.delete": (dock) => dock.kv.delete("a", options(dock)),
    "images.put": (dock) => dock.images.put("a", Buffer.from("a"), { type: "none", ...options(dock) }),
    "images.delete": (dock) => dock.images.delete("a", options(dock)),
  };
}

/** What each call fails with, all begun at once. */
export async function codesOf(calls: typeof LOOKUPS, dock: Dock, options: Options = {}): Promise<Record<string, unknown>> {
  const codes = Object.entries(calls).map(async ([name, call]) => [name, await codeOf(call(dock, options))]);
  return Object.fromEntries(await Promise.all(codes));
}

/** The same code for each call, to compare `codesOf` with. */
export function allOf(calls: typeof LOOKUPS, code: DockErrorCode): Record<string, unknown> {
  return Object.fromEntries(Object.keys(calls).map((name) => [name, code]));
}
