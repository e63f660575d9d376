/** `dl7450/snapshot`: what a dock holds, in a folder. Beside the driver, since YAML takes as long to load as all of that. */
export type { ImageContent } from "../contents.js";
export type { Difference, LayerDifference } from "../difference.js";
export { compareSnapshot, planRestore, type RestoreOptions, restoreSnapshot } from "./restore.js";
export { type OnProgress, type SavedLayer, type SaveOptions, type SnapshotOptions, saveSnapshot } from "./save.js";
