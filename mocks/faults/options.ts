/** The keys that faults are given with, `key=value`: which values each has, and what it means. */
import * as v from "valibot";

/** What `lie` can be about. */
export const LIES = ["id", "offset", "size", "sha256", "credit", "type", "store", "generation"] as const;
export type LieField = (typeof LIES)[number];

/** Longest time, in milliseconds: an hour. */
const LONGEST = 3_600_000;

/** The values, out of the texts that were given. */
export const faultOptions = v.object({
  rate: v.exactOptional(number(Number.MIN_VALUE, 1)),
  every: v.exactOptional(number(1, 1e12)),
  at: v.exactOptional(whole(1, 1e12)),
  times: v.exactOptional(whole(1, 1e9)),
  way: v.exactOptional(v.picklist(["toDock", "toHost"])),
  ms: v.exactOptional(whole(0, LONGEST)),
  back: v.exactOptional(whole(1, LONGEST)),
  bytes: v.exactOptional(whole(1, 1e9)),
  field: v.exactOptional(v.picklist(LIES)),
  frames: v.exactOptional(v.literal("")),
});
export type FaultOptions = Readonly<v.InferOutput<typeof faultOptions>>;
export type OptionKey = keyof FaultOptions;

export const OPTIONS: Readonly<Record<OptionKey, string>> = {
  rate: "the share of its chances at which it happens, above 0 and at most 1",
  every: "in place of rate: how many chances go by until it happens, on average, 1 to 1e12",
  at: "in place of rate: it happens once, at this chance, 1 to 1e12",
  times: "it happens at most so often, 1 to 1e9",
  way: "only what goes toDock or toHost",
  ms: `milliseconds, 0 to ${LONGEST}`,
  back: `milliseconds until the line is back, 1 to ${LONGEST}; without it, it never is`,
  bytes: "bytes a second, 1 to 1e9",
  field: `only ${LIES.join(", ")}; without it, any of them`,
  frames: "whole frames and not bytes; the key has no value",
};

export function isOptionKey(key: string): key is OptionKey {
  return Object.hasOwn(OPTIONS, key);
}

function number(least: number, most: number) {
  const decimal = v.pipe(v.string(), v.regex(/^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i), v.transform(Number));
  return v.pipe(decimal, v.minValue(least), v.maxValue(most));
}

function whole(least: number, most: number) {
  return v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number), v.minValue(least), v.maxValue(most));
}
