/** The layer that is expected to have something: asked for where layers can be named, else compared with the one that the dock says. */
import { LAYERS, type Layer } from "../../protocol/index.js";
import type { Dock } from "../dock.js";
import { APPLICATION_DATA, FACTORY_DATA, type LayerChoice } from "../layers.js";
import { givenText } from "./given.js";

/** What can be chosen. */
export const LAYER_CHOICES: readonly LayerChoice[] = [...LAYERS, APPLICATION_DATA];

/** Fails with a TypeError when it is neither a layer nor "application". */
export function choiceOf(matcher: string, given: unknown): LayerChoice | undefined {
  if (given === undefined) return undefined;
  const choice = LAYER_CHOICES.find((it) => it === given);
  if (choice !== undefined) return choice;
  throw new TypeError(`${matcher}: \`store\` is one of ${LAYER_CHOICES.join(", ")}, and was given as ${givenText(given)}.`);
}

/** What to give to a call that looks something up. */
export function placeOf<Choice extends LayerChoice>(dock: Dock, choice: Choice | undefined): { readonly store?: Choice } {
  return choice !== undefined && canName(dock) ? { store: choice } : {};
}

/** Whether a layer is the one, or one of those, that were chosen. */
export function isIn(store: Layer, choice: LayerChoice | undefined): boolean {
  if (choice === undefined || choice === store) return true;
  return choice === APPLICATION_DATA && store !== FACTORY_DATA;
}

/** The other layers that the dock can be asked about. */
export function othersThan(dock: Dock, choice: LayerChoice | undefined): Layer[] {
  return canName(dock) ? dock.stores.filter((store) => !isIn(store, choice)) : [];
}

/** " in the layer runtime". */
export function inLayer(choice: LayerChoice | undefined): string {
  return choice === undefined ? "" : ` in the layer ${choice}`;
}

function canName(dock: Dock): boolean {
  return dock.features.includes("stores");
}
