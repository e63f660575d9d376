/** Which layers a call looks into, in which order, and what the SDK calls them. */
import { LAYERS, type Layer, type Limits, utf8Length } from "../protocol/index.js";
import { DockError } from "./errors.js";
import type { CallOptions, Session } from "./session.js";
import { quoted } from "./visible.js";

/** The SDK's `datastore.FACTORY_DATA`: what manufacturing has written. */
export const FACTORY_DATA = "factory";
/** The SDK's `datastore.APPLICATION_DATA`: what applications have written, ephemeral before runtime. */
export const APPLICATION_DATA = "application";

/** A layer by its name, or `APPLICATION_DATA` for two of them. */
export type LayerChoice = Layer | typeof APPLICATION_DATA;

/** What calls that look something up take. */
export interface LayerOption {
  /** Where to look. Unless told, in the lookup order: ephemeral, runtime, factory. Needs a dock with the feature `stores`. */
  readonly store?: LayerChoice | undefined;
}

/** One place to look: a layer, or the dock's own lookup order. */
export type Place = { readonly store?: Layer };

/** The places that a choice means, in order. Fails with `UNSUPPORTED` where layers can't be named or the dock lacks the layer. */
export function placesOf(session: Session, choice: LayerChoice | undefined): readonly Place[] {
  if (choice === undefined) return [{}];
  const wanted = choice === APPLICATION_DATA ? LAYERS.filter((layer) => layer !== FACTORY_DATA) : [choice];
  if (!wanted.every((layer) => LAYERS.includes(layer))) {
    throw new DockError({
      code: "USAGE",
      message: `There is no layer ${quoted(choice)}: it is one of ${LAYERS.join(", ")}, ${APPLICATION_DATA}.`,
    });
  }
  session.requireFeature("stores", `naming the layer ${choice}`);
  const there = wanted.filter((layer) => session.welcome.stores.includes(layer));
  if (there.length === 0) {
    const message = `This dock has no layer ${choice}. It has ${session.welcome.stores.join(", ")}.`;
    throw new DockError({ code: "UNSUPPORTED", message });
  }
  return there.map((store) => ({ store }));
}

/** What calls that write take. */
export interface WriteOptions extends CallOptions {
  /** The layer to write to. */
  readonly store: Layer;
  /** For the factory layer, the dock's name: so that no other dock is meant. */
  readonly confirm?: string | undefined;
}

/** The layer to write to. Fails with `USAGE`, or with `UNSUPPORTED` where the dock can't be written there. */
export function layerToWrite(session: Session, options: WriteOptions | undefined): Layer {
  const { store, confirm } = options ?? {};
  if (store === undefined || !LAYERS.includes(store)) {
    const message = `\`store\` names the layer to write to: ${LAYERS.join(", ")}.`;
    throw new DockError({ code: "USAGE", message });
  }
  const { stores, dock } = session.welcome;
  session.requireFeature(`write.${store}`, `writing to the layer ${store}`);
  if (!stores.includes(store)) {
    throw new DockError({ code: "UNSUPPORTED", message: `This dock has no layer ${store}. It has ${stores.join(", ")}.` });
  }
  if (store === FACTORY_DATA && confirm !== dock.name) {
    const message = `Factory data is overwritten for good: give the dock's name, ${quoted(dock.name)}, to confirm it.`;
    throw new DockError({ code: "USAGE", message });
  }
  return store;
}

/** Fails with `USAGE` when a tag or key can't be one, with `TOO_LARGE` when it is longer than the dock takes. */
export function checkName(kind: "tag" | "key", name: string, limits: Limits): void {
  if (typeof name !== "string" || name === "" || name.includes("\0") || !name.isWellFormed()) {
    throw new DockError({ code: "USAGE", message: `A ${kind} is text of at least one character, without U+0000.` });
  }
  const limit = kind === "tag" ? limits.tagBytes : limits.keyBytes;
  const length = utf8Length(name);
  if (length <= limit) return;
  const message = `The ${kind} is ${length} bytes long; this dock takes ${limit}.`;
  throw new DockError({ code: "TOO_LARGE", message, details: { limit } });
}
