/** The contract on the dock at `DL7450_PORT`, which is only read unless `DL7450_WRITE` says otherwise. Without one there is nothing to test, and the report says so. */
import { describe, test } from "vitest";
import { Dock } from "../src/index.js";
import type { Subject } from "./contract/subject.js";
import { contract } from "./contract.js";

/** Longest time for one test, in milliseconds: at 115,200 bit/s a megabyte takes 90 s. */
const TIMEOUT = 3_600_000;

const port = process.env.DL7450_PORT ?? "";

/** What `DL7450_WRITE` allows; anything else allows nothing. */
const WRITES = new Map<string, Subject["writes"]>([
  ["1", "own names"],
  ["all", "anything"],
]);
const writes = WRITES.get(process.env.DL7450_WRITE ?? "") ?? "nothing";

describe("the dock at DL7450_PORT", () => {
  if (port === "") test("keeps the contract", (context) => context.skip("DL7450_PORT names no dock"));
  else contract({ open: (options) => Dock.open(port, options), complete: false, writes, timeout: TIMEOUT });
});
