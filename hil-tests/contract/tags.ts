/** What rules of the contract are about: the tags of its tests. Each has one or more. */
import type { TestTagDefinition } from "vitest/config";

/** As the names of features in SPEC §3.3, but for the first. */
export const TAGS = [
  { name: "reading", description: "what any dock can do, and what is only read of it" },
  { name: "stores", description: "layers, named one by one" },
  { name: "code", description: "the dock's application" },
  { name: "log", description: "what the dock says of what it does" },
  { name: "write.ephemeral", description: "writes to ephemeral, or to runtime where that is the only one" },
  { name: "write.runtime", description: "writes to runtime, or to ephemeral where that comes first" },
  { name: "write.factory", description: "writes to factory data" },
  { name: "txn", description: "several writes as one" },
  { name: "restart", description: "restarts the dock" },
  { name: "reset", description: "clears what isn't factory data" },
] as const satisfies readonly TestTagDefinition[];

export type Tag = (typeof TAGS)[number]["name"];
