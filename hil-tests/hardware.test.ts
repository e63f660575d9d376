/** The contract on the dock at `DL7450_PORT`, which is only read unless `DL7450_ALLOW_WRITE` has its name. Without one there is nothing to test, and the report says so. */
import { describe, test } from "vitest";
import { skipFor } from "../src/vitest/report.js";
import { contract } from "./contract.js";

/** Longest time for one test, in milliseconds: at 115,200 bit/s a megabyte takes 90 s. */
const TIMEOUT = 3_600_000;

describe("the dock at DL7450_PORT", { timeout: TIMEOUT }, () => {
  if ((process.env.DL7450_PORT ?? "") === "")
    test("keeps the contract", (context) => skipFor(context, "DL7450_PORT names no dock"));
  else contract();
});
