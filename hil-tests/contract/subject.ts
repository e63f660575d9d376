/** The dock under test, and what all groups of the contract need to look at it. */
import type { TestContext } from "vitest";
import type { Dock, ImageEntry, OpenOptions } from "../../src/index.js";
import { LARGE } from "./reading.js";

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
