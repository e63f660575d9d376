/** What any dock must do, whatever it is made of: SPEC.md as a suite of tests, through the public API. */
import { describe } from "vitest";
import { ending } from "./contract/ending.js";
import { identity } from "./contract/identity.js";
import { images } from "./contract/images.js";
import { keys } from "./contract/keys.js";
import { layers } from "./contract/layers.js";
import { leaving } from "./contract/leaving.js";
import { lists } from "./contract/lists.js";
import { names } from "./contract/names.js";
import { parts } from "./contract/parts.js";
import { readOnly } from "./contract/read-only.js";
import { space } from "./contract/space.js";
import { startingAgain } from "./contract/starting-again.js";
import type { Subject } from "./contract/subject.js";
import { together } from "./contract/together.js";
import { transactions } from "./contract/transactions.js";
import { writingImages } from "./contract/writing-images.js";
import { writingKeys } from "./contract/writing-keys.js";

const GROUPS = {
  "says who it is": identity,
  "lists what it holds": lists,
  "gives its images": images,
  "gives parts of its images": parts,
  "gives its keys": keys,
  "has layers": layers,
  "takes any name": names,
  "answers many at once": together,
  "can be left at any time": leaving,
  "can be closed": ending,
  "takes keys": writingKeys,
  "takes images": writingImages,
  "has room for what fits": space,
  "takes several writes as one": transactions,
  "keeps what is to last": startingAgain,
  "is written only where it says so": readOnly,
} as const;

/** Declares the tests of the contract for one dock. Each opens the dock for itself and leaves it as it was, so they run in any order, one at a time. */
export function contract(subject: Subject): void {
  for (const [name, group] of Object.entries(GROUPS)) {
    describe(name, { timeout: subject.timeout }, () => group(subject));
  }
}
