/** Options that come from callers, who may write JavaScript. */
import { DockError } from "./errors.js";

/** A duration or rate: above 0, and small enough for a timer. Fails with `USAGE`. */
export function positive(name: string, value: number): number {
  if (typeof value === "number" && value > 0 && value < 2 ** 31) return Math.ceil(value);
  throw new DockError({ code: "USAGE", message: `\`${name}\` is a number above 0 and below 2^31.` });
}

/** A yes or no, or neither. Fails with `USAGE`. */
export function yesOrNo(name: string, value: boolean | undefined): boolean | undefined {
  if (value === undefined || typeof value === "boolean") return value;
  throw new DockError({ code: "USAGE", message: `\`${name}\` is true or false.` });
}

/** Fails with `ABORTED` once the signal has come. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new DockError({ code: "ABORTED", message: "It was aborted.", cause: signal.reason });
}

/** A signal, or none. Fails with `USAGE`. */
export function abortSignal(value: AbortSignal | undefined): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw new DockError({ code: "USAGE", message: "`signal` is an AbortSignal." });
}
