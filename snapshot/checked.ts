/** What stands in a manifest, made sure of: a snapshot's, or that of a mock's state. */
import * as v from "valibot";
import { type KvValue, valueOfJson } from "../protocol/index.js";

/** What is wrong with a manifest. */
export class ManifestError extends Error {
  override readonly name: string = "ManifestError";
}

/** What a schema makes of it. Throws a `ManifestError` that begins with the place, `at`. */
export function checked<T>(at: string, schema: v.GenericSchema<unknown, T>, it: unknown): T {
  const parsed = v.safeParse(schema, it);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const place = [at, v.getDotPath(issue) ?? ""].filter((part) => part !== "").join(".");
  throw new ManifestError(place === "" ? issue.message : `${place}: ${issue.message}`);
}

/** The value of a key, in its JSON form. Throws a `ManifestError` that begins with the place, `at`. */
export function checkedValue(at: string, json: unknown): KvValue {
  try {
    return valueOfJson(json);
  } catch (cause) {
    throw new ManifestError(`${at}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
