import { expect, test } from "vitest";
import { failed, result, runOf, skipped } from "../testing/test-results.js";
import { problemOf } from "./results.js";

const [good, bad, left] = [result("g", "a"), result("g", "b", failed("no")), result("g", "c", skipped("it can't"))];

test("a run in which something has passed and nothing failed is one that shows it", () => {
  expect(problemOf(runOf([good, left]), [])).toBeUndefined();
});

test.for([
  ["a test that failed is DIFFERS", runOf([good, bad]), "DIFFERS", "1 of 2 tests failed"],
  ["a run of skipped tests alone is UNSUPPORTED", runOf([left, left]), "UNSUPPORTED", "all 2 tests were skipped"],
  ["a run of no test is USAGE, and says what was asked for", runOf([]), "USAGE", "no test of x, y:"],
  [
    "tests that weren't run are UNEXPECTED, though all others passed",
    runOf([good], { notRun: 3 }),
    "UNEXPECTED",
    "3 of 4 tests",
  ],
  [
    "trouble beside the tests is UNEXPECTED, and says what",
    runOf([good], { troubles: ["why", "so"] }),
    "UNEXPECTED",
    ": why; so.",
  ],
  ["a run that broke off is UNEXPECTED, whatever failed before", runOf([bad], { notRun: 1 }), "UNEXPECTED", "1 of 2 tests"],
] as const)("%s", ([, run, code, said]) => {
  expect(problemOf(run, ["x", "y"])).toMatchObject({ code, message: expect.stringContaining(said) });
});
