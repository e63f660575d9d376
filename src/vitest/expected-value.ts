/** The value that a key is expected to have, in which a matcher of vitest's can stand for any part. */
import { types } from "node:util";
import type { MatcherState } from "vitest";
import { type KvValue, VALUE_DEPTH } from "../../protocol/index.js";
import { isArray } from "../../protocol/item.js";
import { diagnostic } from "../diagnostic.js";
import { jsonText } from "../json-text.js";
import { kvValue, sameValue } from "../kv-value.js";
import { visible } from "../visible.js";
import { isMatcher, isPlain } from "./given.js";
import { cut, lineOf } from "./saying.js";

/** Fails as `kv.set` does with what can be the value of no key, matchers aside. */
export function checkExpected(wanted: unknown): void {
  kvValue(withoutMatchers(wanted, VALUE_DEPTH));
}

/** Whether a value is as expected: what isn't up to a matcher is the same as the driver takes it to be. */
export function isAsExpected(state: MatcherState, is: KvValue, wanted: unknown): boolean {
  if (isMatcher(wanted)) return state.equals(is, wanted, state.customTesters);
  if (Array.isArray(wanted)) {
    if (typeof is !== "object" || is === null || !isArray(is) || is.length !== wanted.length) return false;
    return is.every((item, i) => isAsExpected(state, item, wanted[i]));
  }
  if (!isPlain(wanted)) return sameValue(is, kvValue(wanted));
  if (typeof is !== "object" || is === null || is instanceof Uint8Array || isArray(is)) return false;
  const entries = Object.entries(is);
  const isSame = ([key, inner]: [string, KvValue]): boolean =>
    Object.hasOwn(wanted, key) && isAsExpected(state, inner, wanted[key]);
  return entries.length === Object.keys(wanted).length && entries.every(isSame);
}

/** Both in a line each, at the place where they begin to differ. */
export function valueTexts(state: MatcherState, is: KvValue, wanted: unknown): readonly [is: string, wanted: string] {
  const texts = [diagnostic(is), wantedText(state, wanted)] as const;
  const at = sharedLength(...texts);
  return at <= FEW ? [cut(texts[0]), cut(texts[1])] : [excerpt(texts[0], at), excerpt(texts[1], at)];
}

/** What was expected, in a line. */
export function wantedText(state: MatcherState, wanted: unknown): string {
  if (isMatcher(wanted)) return lineOf(state, wanted);
  if (Array.isArray(wanted)) return `[${wanted.map((item: unknown) => wantedText(state, item)).join(", ")}]`;
  if (!isPlain(wanted)) return diagnostic(kvValue(wanted));
  return `{${Object.entries(wanted)
    .map(([key, inner]) => `${jsonText(key)}: ${wantedText(state, inner)}`)
    .join(", ")}}`;
}

/** Characters that are the same can stand before the first that isn't. */
const FEW = 100;
const BEFORE = 20;

function excerpt(text: string, at: number): string {
  return `…${cut(text.slice(at - BEFORE).toWellFormed())}`;
}

function sharedLength(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}

/** Longer values aren't compared by lines: it would take long, and nobody reads it. In characters of a line. */
const MOST_TO_COMPARE = 1_000;

/** What vitest is to show the difference of, with nothing raw in it; nothing for what is long. */
export function diffed(state: MatcherState, is: KvValue, wanted: unknown): { actual?: unknown; expected?: unknown } {
  const longest = Math.max(diagnostic(is).length, wantedText(state, wanted).length);
  return longest > MOST_TO_COMPARE ? {} : { actual: shown(is), expected: shown(wanted) };
}

/** Bytes for vitest, which would print each on a line. */
class Bytes {
  readonly hex: string;

  constructor(bytes: Uint8Array) {
    this.hex = Buffer.from(bytes).toString("hex");
  }
}

function shown(value: unknown): unknown {
  if (typeof value === "string") return visible(value);
  if (types.isUint8Array(value)) return new Bytes(value);
  if (typeof value === "bigint" && Number.isSafeInteger(Number(value))) return Number(value); // which is the same there
  if (Array.isArray(value)) return value.map(shown);
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [visible(key), shown(inner)]));
}

/** With null in the place of each matcher. What is nested too deep stays as it is, for `kvValue` to refuse. */
function withoutMatchers(value: unknown, depth: number): unknown {
  if (isMatcher(value)) return null;
  if (depth < 0) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => withoutMatchers(item, depth - 1));
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutMatchers(inner, depth - 1)]));
}
