/** What rules of the contract write: names of their own, bytes, and to which layers. */
import { createHash } from "node:crypto";
import type { Dock, Layer } from "../../src/index.js";
import { byBytes } from "./reading.js";

/** What the names of tests begin with. What is found under another is the dock's own. */
const PREFIX = "dl7450-test ";

/** From the layer that is asked first. */
const LAYERS = ["ephemeral", "runtime", "factory"] as const;

export function named(name: string): string {
  return `${PREFIX}${name}`;
}

/** The names of the tests in a list, ordered as lists are. */
export function ownNames(names: readonly string[]): string[] {
  return names.filter((name) => name.startsWith(PREFIX)).sort(byBytes);
}

/** Layers that can be written without further ado, from the one that is asked first. */
export function writableLayers(dock: Dock): Layer[] {
  return LAYERS.filter((layer) => layer !== "factory" && dock.features.includes(`write.${layer}`));
}

/** So many bytes, other ones for each `seed`, the same in each run. */
export function content(size: number, seed: string | number): Buffer {
  return createHash("shake256", { outputLength: size }).update(`${seed}`).digest();
}
