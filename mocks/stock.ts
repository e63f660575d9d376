/** Fills a dock: from a description in JSON, by default the stock images and keys of `fixtures/stock/`, or from a snapshot. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { IMAGE_TYPES, isKvValue, type KvValue, LAYERS } from "../protocol/index.js";
import { imageBytes, type Snapshot } from "../snapshot/folder.js";
import type { DockModel } from "./dock.js";
import { Random } from "./random.js";

const image = v.union([
  /** A file beside the description. */
  v.strictObject({ file: v.string(), type: v.picklist(IMAGE_TYPES) }),
  /** So many random bytes. */
  v.strictObject({ random: v.pipe(v.number(), v.integer(), v.minValue(0)), type: v.picklist(IMAGE_TYPES) }),
]);
/** What only the dock itself knows, bytes in hexadecimal, or any value of JSON. */
const special = v.union([
  v.strictObject({ $dock: v.picklist(["name", "token"]) }),
  v.strictObject({ $bytes: v.pipe(v.string(), v.regex(/^([0-9a-f]{2})*$/)) }),
]);
const layer = v.strictObject({
  images: v.exactOptional(entries(image)),
  keys: v.exactOptional(entries(v.custom<KvValue>(isKvValue))),
});
const description = v.pipe(v.string(), v.parseJson(), v.record(v.picklist(LAYERS), layer));

/** The entries of an object; valibot's own record leaves out those called `__proto__` and the like, which a dock can have. */
function entries<T>(entry: v.GenericSchema<unknown, T>) {
  return v.pipe(
    v.custom<object>((it) => typeof it === "object" && it !== null && !Array.isArray(it)),
    v.transform((it): [string, unknown][] => Object.entries(it)),
    v.array(v.tuple([v.string(), entry])),
  );
}

/** Fills `dock` from the description in `file`, as far as it has the layers. `seed` makes random images repeatable. */
export function fill(dock: DockModel, file: string, seed: number): void {
  const layers = v.parse(description, readFileSync(file, "utf8"));
  for (const store of dock.profile.stores) {
    const { images = [], keys = [] } = layers[store] ?? {};
    for (const [tag, it] of images) {
      const bytes = "file" in it ? readFileSync(join(dirname(file), it.file)) : new Random(seed).bytes(it.random);
      dock.fillImage(store, tag, it.type, bytes);
    }
    for (const [key, it] of keys) {
      dock.fillKey(store, key, stockValue(it, dock));
    }
  }
}

/** Fills `dock` with what another one held, as far as it has the layers. Throws an Error where the snapshot isn't what it says. */
export async function fillFrom(dock: DockModel, { folder, layers }: Snapshot): Promise<void> {
  for (const { store, images, keys } of layers) {
    if (!dock.profile.stores.includes(store)) continue;
    for (const [tag, image] of images) dock.fillImage(store, tag, image.type, await imageBytes(folder, image));
    for (const [key, it] of keys) dock.fillKey(store, key, it);
  }
}

/** A value, and whether it is unique per dock. */
function stockValue(it: KvValue, dock: DockModel): { value: KvValue; upd: boolean } {
  const parsed = v.safeParse(special, it);
  if (!parsed.success) return { value: it, upd: false };
  if ("$bytes" in parsed.output) return { value: Buffer.from(parsed.output.$bytes, "hex"), upd: false };
  if (parsed.output.$dock === "name") return { value: dock.name, upd: false };
  return { value: createHash("sha256").update(`enrolment ${dock.id}`).digest("base64url"), upd: true };
}
