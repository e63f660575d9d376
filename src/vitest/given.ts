/** What a matcher is given: a dock, and options that make sense. */
import type { MatcherState } from "vitest";
import { Dock } from "../dock.js";
import { meant } from "../rom/closest.js";
import { printable, quoted } from "../visible.js";
import { cut } from "./saying.js";

/** The dock that `expect` was given. Fails with a TypeError when it was given something else, or was left out. */
export function subjectOf(state: MatcherState, matcher: string, subject: unknown): Dock {
  // `toEqual({ dock: expect.not.toHaveKey("a") })` would hold for any dock, since it doesn't wait for the answer.
  if (state.promise === undefined) {
    throw new TypeError(`${matcher} asks a dock, and can't be part of another expectation: await expect(dock).${matcher}(…).`);
  }
  if (subject instanceof Dock) return subject;
  const better = isThenable(subject) ? ` Await it first: await expect(await …).${matcher}(…).` : "";
  throw new TypeError(`${matcher} is for a Dock, and was given ${kindOf(subject)}.${better}`);
}

/** An object of options, by their names. Fails with a TypeError when it is something else, or has others than `known`. */
export function optionsOf(matcher: string, given: unknown, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (given === undefined) return {};
  if (!isPlain(given)) {
    throw new TypeError(`${matcher} takes an object with ${known.join(", ")}, and was given ${kindOf(given)}.`);
  }
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return given;
  throw new TypeError(
    `${matcher} takes no option ${quoted(unknown)}: it is one of ${known.join(", ")}.${meant(unknown, known)}`,
  );
}

/** Fails with a TypeError when there are more arguments than a matcher takes: they would be ignored. */
export function nothingMore(matcher: string, more: readonly unknown[]): void {
  if (more.length > 0)
    throw new TypeError(`${matcher} was given ${more.length} more than it takes: put options into one object.`);
}

/** Whether it stands for any value that it matches, as `expect.any(String)` does. */
export function isMatcher(value: unknown): value is { asymmetricMatch(other: unknown): boolean } {
  return (
    typeof value === "object" && value !== null && "asymmetricMatch" in value && typeof value.asymmetricMatch === "function"
  );
}

/** Whether it is an object with names of its own: no array, no bytes, no instance of a class. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || isMatcher(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** What something is, with its article. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return "an array";
  if (isThenable(value)) return "a promise";
  if (typeof value !== "object") return withArticle(typeof value);
  const made: unknown = value.constructor;
  return typeof made === "function" && made !== Object && made.name !== "" ? withArticle(printable(made.name)) : "an object";
}

/** What was given where something else belongs. */
export function givenText(value: unknown): string {
  if (typeof value === "string") return cut(quoted(value));
  return typeof value === "number" ? String(value) : kindOf(value);
}

function isThenable(value: unknown): boolean {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function withArticle(name: string): string {
  return `${/^[aeiou]/i.test(name) ? "an" : "a"} ${name}`;
}
