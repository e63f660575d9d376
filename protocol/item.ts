/** What a body can hold, and what the value of a key can be (SPEC §1.3). Loads nothing: the command line needs it before it needs a dock. */

/** Integers beyond ±(2⁵³ − 1) are bigints. */
export type Item = null | boolean | number | bigint | string | Uint8Array | readonly Item[] | { readonly [key: string]: Item };

/** `Array.isArray` that keeps read-only arrays apart from the rest of a union. */
export function isArray(item: Item): item is readonly Item[] {
  return Array.isArray(item);
}
