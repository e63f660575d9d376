/** What a matcher says. */
import type { MatcherState } from "vitest";
import { DockError } from "../errors.js";
import { closest } from "../rom/closest.js";
import { printable, quoted } from "../visible.js";

/** What a matcher found. With `actual` and `expected`, vitest shows how they differ. */
export interface Verdict {
  readonly pass: boolean;
  readonly message: () => string;
  readonly actual?: unknown;
  readonly expected?: unknown;
}

/** The call as vitest shows it, above what was found. */
export function said(state: MatcherState, matcher: string, [first = "", ...rest]: readonly string[], found: string): string {
  const { isNot, promise, utils } = state;
  const more = rest.length === 0 ? {} : { secondArgument: rest.join(", ") };
  return `${utils.matcherHint(matcher, "dock", first, { isNot, promise, ...more })}\n\n${found}`;
}

/** Something of the author's own in a line: it may have matchers in it. */
export function lineOf(state: MatcherState, value: unknown): string {
  return printable(state.utils.stringify(value, 5, { min: true }));
}

/** Longer text is cut. */
const LONGEST = 200;

/** The beginning of a text. */
export function cut(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST).toWellFormed()}…`;
}

/** Names in a message. */
const MOST_NAMES = 8;
/** Names that look like another, in a message. */
const MOST_NEAR = 3;
/** Names among which those are looked for: comparing takes time. */
const MOST_COMPARED = 5_000;

/** What there is instead of `name`: what looks like it, else the first of all. */
export function namesText(kind: "image" | "key", name: string, there: readonly string[]): string {
  if (there.length === 0) return `It has no ${kind}s.`;
  const near: string[] = [];
  for (let left = there.slice(0, MOST_COMPARED); near.length < MOST_NEAR; ) {
    const next = closest(name, left);
    if (next === undefined) break;
    near.push(next);
    left = left.filter((it) => it !== next);
  }
  if (near.length > 0) return `Did you mean ${joined(near.map(nameText), "or")}?`;
  const rest = there.length - MOST_NAMES;
  const first = there.slice(0, MOST_NAMES).map(nameText);
  return `It has ${rest > 0 ? `${first.join(", ")} and ${rest} more` : joined(first, "and")}.`;
}

/** A name from a dock. */
export function nameText(name: string): string {
  return cut(quoted(name));
}

/** "a, b and c". */
export function joined(parts: readonly string[], last: "and" | "or"): string {
  const [end = "", ...before] = parts.toReversed();
  return before.length === 0 ? end : `${before.reverse().join(", ")} ${last} ${end}`;
}

/** What else there is to say of a mismatch. That it is one has been found already, so that it is told even if the dock is lost now. */
export async function helpfully(look: () => Promise<string>): Promise<string> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof DockError)) throw error;
    return `What else it has couldn't be read: ${error.message}`;
  }
}
