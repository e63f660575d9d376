/** What any dock must do, whatever it is made of: SPEC.md as a suite of tests, through the public API. */
import { describe } from "vitest";
import { contractTest } from "./contract/contract-test.js";
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
import type { Tag } from "./contract/tags.js";
import { together } from "./contract/together.js";
import { transactions } from "./contract/transactions.js";
import { writingImages } from "./contract/writing-images.js";
import { writingKeys } from "./contract/writing-keys.js";

interface Group {
  readonly rules: () => void;
  /** Of each of its tests; some have more. */
  readonly tags: readonly Tag[];
}

/** Where tests write when it doesn't matter where. */
const WRITES = ["write.ephemeral", "write.runtime"] as const;

const GROUPS: Readonly<Record<string, Group>> = {
  "says who it is": { rules: identity, tags: ["reading"] },
  "lists what it holds": { rules: lists, tags: ["reading"] },
  "gives its images": { rules: images, tags: ["reading"] },
  "gives parts of its images": { rules: parts, tags: ["reading"] },
  "gives its keys": { rules: keys, tags: ["reading"] },
  "has layers": { rules: layers, tags: ["reading", "stores"] },
  "takes any name": { rules: names, tags: ["reading"] },
  "answers many at once": { rules: together, tags: ["reading"] },
  "can be left at any time": { rules: leaving, tags: ["reading"] },
  "can be closed": { rules: ending, tags: ["reading"] },
  "takes keys": { rules: writingKeys, tags: WRITES },
  "takes images": { rules: writingImages, tags: WRITES },
  "has room for what fits": { rules: space, tags: WRITES },
  "is written only where it says so": { rules: readOnly, tags: ["reading"] },
  "takes several writes as one": { rules: transactions, tags: ["txn", ...WRITES] },
  "keeps what is to last": { rules: startingAgain, tags: WRITES },
};

/**
 * Declares the tests of the contract, for the dock of `contractTest` where this is called. Each leaves the dock as it was, so they run in any order, one at
 * a time.
 */
export function contract(): void {
  for (const [name, { rules, tags }] of Object.entries(GROUPS)) {
    describe(name, { tags: [...tags] }, () => {
      // Looking for what has changed takes longer than most reading.
      contractTest.override("isolate", tags.includes("reading") ? "none" : "snapshot");
      rules();
    });
  }
}
