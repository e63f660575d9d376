/** Gives `expect` the matchers for docks, when it is imported, and its type with them: a declaration of types alone is left out of what imports it. */
import { expect } from "vitest";
import { type DockMatchers, matchers } from "./matchers.js";

declare module "vitest" {
  // Its parameter has to be declared as vitest has it.
  interface Matchers<T> extends DockMatchers {}
}

expect.extend(matchers);
