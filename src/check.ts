/** Options that come from callers, who may write JavaScript. */
import { DockError } from "./errors.js";

/** A duration or rate: above 0, and small enough for a timer. Fails with `USAGE`. */
export function positive(name: string, value: number): number {
  if (typeof value === "number" && value > 0 && value < 2 ** 31) return Math.ceil(value);
  throw new DockError({ code: "USAGE", message: `\`${name}\` is a number above 0 and below 2^31.` });
}
