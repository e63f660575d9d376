/** What a dock holds when a run is over, beside what the reference says it may hold. */

import type { DockModel } from "../../mocks/dock.js";
import { Refusal } from "../../mocks/refusal.js";
import { fingerprint, type Reference } from "../soak/reference.js";

const STORES = ["runtime", "ephemeral"] as const;
type Store = (typeof STORES)[number];

/**
 * What can't be: a value that nobody has written or that was written over, a change too few or too many, room that is still held.
 * @param faults how often what went wrong: restarts and replaced images are changes that nobody has asked for
 */
export function problemsOf(dock: DockModel, reference: Reference, faults: ReadonlyMap<string, number>): string[] {
  const isReplaced = faults.has("replace");
  return STORES.flatMap((store) => [
    ...wrongNames(dock, reference, store, isReplaced),
    ...(store === "ephemeral" && faults.has("restart") ? [] : wrongCount(dock, reference, store, faults.get("replace") ?? 0)),
    ...whatIsHeld(dock, store),
  ]);
}

function wrongNames(dock: DockModel, reference: Reference, store: Store, isReplaced: boolean): string[] {
  const layer = reference.layer(store);
  const there = new Map<string, string>();
  for (const { key, value } of dock.keys(store)) there.set(key, String(value));
  for (const { tag, bytes } of isReplaced ? [] : dock.images(store)) there.set(tag, fingerprint(bytes));
  const names = new Set([...layer.names, ...there.keys()]);
  return [...names]
    .filter((name) => !(isReplaced && name.includes(" image ")) && !layer.possible(name).has(there.get(name)))
    .map((name) => `${store} ${name} is ${there.get(name)}, not one of ${[...layer.possible(name)].join(", ")}`);
}

function wrongCount(dock: DockModel, reference: Reference, store: Store, replaced: number): string[] {
  const { least, most } = reference.layer(store).changes;
  const made = dock.generation(store);
  if (made < least) return [`${store}: ${made} changes were made, ${least} were told of`];
  if (made > most + replaced) return [`${store}: ${made} changes were made, at most ${most} were asked for`];
  return [];
}

/** Nobody is there any more: no upload holds room, no transaction holds the layer. */
function whatIsHeld(dock: DockModel, store: Store): string[] {
  try {
    dock.reserve(store, "rest", dock.capacity(store) - dock.used(store) - "rest".length)();
    return [];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [`${store} is still held: ${error.message}`];
  }
}
