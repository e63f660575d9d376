/** `dl7450/vitest`: tests with a dock in them, for vitest 4.1. */
import "./register-matchers.js";

export { type DockTestFixtures, type DockTestOptions, dockTest } from "./dock-test.js";
export type { ExpectedImage } from "./expected-image.js";
export type { Faults } from "./faults.js";
export type { ExpectedPlace } from "./key-matcher.js";
export type { DockMatchers } from "./matchers.js";
export type { Need, Needs } from "./needs.js";
export type { Isolation } from "./putting-back.js";
export type { ComparedLayers } from "./snapshot-matcher.js";
