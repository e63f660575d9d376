/** `contractTest`: a test of the contract, which is `dockTest` with what rules need beyond it. */
import type { TestAPI } from "vitest";
import type { Layer } from "../../src/index.js";
import { quoted } from "../../src/visible.js";
import { type DockTestFixtures, dockTest } from "../../src/vitest/dock-test.js";
import { skipFor } from "../../src/vitest/report.js";
import type { Found } from "./reading.js";
import { writableLayers } from "./writing.js";

/** What a rule is given beside what any test with a dock is. */
interface Own {
  /** Whether the dock should have something for every rule: then a rule that finds nothing to look at fails instead of being skipped. */
  readonly complete: boolean;
  /** Gives what there is to look at; where there is none the test ends here. */
  readonly found: Found;
  /** The layers that can be written without further ado, from the one that is asked first. Skips the test where there is none, or it isn't to be written. */
  readonly writable: readonly [Layer, ...Layer[]];
  /** The first of them. */
  readonly store: Layer;
  /** Ends the test where its rule doesn't apply. The reason is in every report. */
  readonly skipFor: (reason: string) => never;
}

/** Rules of the contract. */
export const contractTest: TestAPI<DockTestFixtures & Own> = dockTest.extend<Own>({
  complete: [false, { injected: true }],
  skipFor: async ({ annotate, skip, task }, use) => use((reason) => skipFor({ annotate, skip, task }, reason)),
  found: async ({ complete, skipFor }, use) =>
    use((what, first) => {
      if (first !== undefined) return first;
      if (complete) throw new Error(`this dock should have ${what}, or the rule isn't tested`);
      return skipFor(`this dock doesn't have ${what}`);
    }),
  writable: async ({ dock, needs, skipFor }, use) => {
    const [first, ...others] = writableLayers(dock);
    if (first === undefined) return skipFor(`${quoted(dock.name)} has no layer that can be written`);
    needs(`write.${first}`); // which it has, but it may not be allowed
    await use([first, ...others]);
  },
  store: async ({ writable }, use) => use(writable[0]),
});
