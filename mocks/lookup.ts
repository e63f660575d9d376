/** A dock's layers together: which of them answers, and in what order things are listed (SPEC §6). */
import { LAYERS, type Layer } from "../protocol/index.js";
import type { Named } from "./by-name.js";
import { LayerContents } from "./layer.js";

/** A layer as it is seen now. */
export interface LayerState {
  readonly store: Layer;
  readonly capacity: number;
  contents: LayerContents;
  generation: number;
}

/** In lookup order. */
export type Layers = ReadonlyMap<Layer, LayerState>;

export function emptyLayers(stores: readonly Layer[], capacityOf: (store: Layer) => number): Layers {
  const layers = new Map<Layer, LayerState>();
  for (const store of LAYERS) {
    if (!stores.includes(store)) continue;
    const capacity = capacityOf(store);
    layers.set(store, { store, capacity, contents: new LayerContents(store, capacity), generation: 0 });
  }
  return layers;
}

/** Counts a change of a layer, and returns the generation that it makes. */
export function countChange(layer: LayerState): number {
  layer.generation = (layer.generation + 1) % 2 ** 32;
  return layer.generation;
}

/** The layer that is named, or all. */
export function layersAsked(layers: Layers, store: Layer | undefined): LayerState[] {
  return [...layers.values()].filter((layer) => store === undefined || layer.store === store);
}

/** What the first layer answers that has an answer. */
export function find<T>(layers: readonly LayerState[], answer: (contents: LayerContents) => T | undefined): T | undefined {
  for (const { contents } of layers) {
    const found = answer(contents);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Each name once, from the layer that answers, ordered by the bytes of the names. */
export function list<T>(
  layers: readonly LayerState[],
  things: (contents: LayerContents) => Named<T>,
  nameOf: (thing: T) => string,
): T[] {
  const found = layers.map(({ contents }) => things(contents)).filter(({ size }) => size > 0);
  const [only] = found;
  if (only === undefined || found.length === 1) return [...(only ?? [])];
  const seen = new Map<string, { readonly name: Buffer; readonly thing: T }>();
  for (const thing of found.flatMap((it) => [...it])) {
    const name = nameOf(thing);
    if (!seen.has(name)) seen.set(name, { name: Buffer.from(name), thing });
  }
  return [...seen.values()].sort((a, b) => Buffer.compare(a.name, b.name)).map(({ thing }) => thing);
}
