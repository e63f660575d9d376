/** What a test needs of its docks, and why they don't have it. */
import { DockError } from "../errors.js";
import { FEATURES, type Feature, isToChange } from "../features.js";
import { quoted } from "../visible.js";
import { howToAllow } from "./allowed.js";
import type { Place } from "./place.js";

/** A feature, or a dock that isn't hardware. */
export type Need = Feature | "mock";

const NEEDS: readonly Need[] = [...FEATURES, "mock"];

export type Needs = (...features: readonly Need[]) => void;

/** @param skip ends the test, with the reason */
export function needsOf(places: readonly Place[], skip: (reason: string) => never): Needs {
  return (...features) => {
    for (const place of places) {
      for (const feature of features) {
        checkNeed(feature);
        const why = lackOf(place, feature);
        if (why !== undefined) skip(why);
      }
    }
  };
}

/** By what the dock said when it was opened: the test may have closed it since. */
function lackOf({ info, isMock, mayWrite }: Place, feature: Need): string | undefined {
  if (info === undefined) return "the dock hasn't been opened";
  const name = quoted(info.name);
  if (feature === "mock") return isMock ? undefined : `${name} is no mock dock`;
  if (!info.features.includes(feature)) return `${name} lacks the feature ${quoted(feature)}`;
  return isToChange(feature) && !mayWrite ? `${name} is only read: ${howToAllow(info.name)}` : undefined;
}

/** Fails with `USAGE` for what is no feature: a test that waits for one would never run, and nobody would notice. */
function checkNeed(feature: string): void {
  if (NEEDS.some((known) => known === feature)) return;
  const message = `There is no feature ${quoted(feature)} to need: there are ${NEEDS.join(", ")}.`;
  throw new DockError({ code: "USAGE", message });
}
