import { expect, test } from "vitest";
import { Recorder, unsafeLines, usualContext } from "../testing/run-cli.js";
import { failed, result, runOf, skipped } from "../testing/test-results.js";
import { resultsJson, writeResults } from "./result-text.js";
import type { TestResult } from "./results.js";

async function textOf(...tests: readonly TestResult[]): Promise<string> {
  const stdout = new Recorder();
  await writeResults({ ...usualContext(), stdout }, runOf(tests));
  return stdout.data.toString();
}

test("the groups come first, then what failed, then what was skipped by reason, at the end how many", async () => {
  const tests = [
    result("takes keys", "one"),
    result("takes keys", "two", failed("not so", { difference: "- 1\n+ 2" })),
    result("has layers", "three", skipped("it has none")),
  ];
  expect((await textOf(...tests)).split("\n")).toEqual([
    "group       passed  failed  skipped",
    "takes keys       1       1        0",
    "has layers       0       0        1",
    "",
    "failed: takes keys > two",
    "  AssertionError: not so",
    "  - 1",
    "  + 2",
    "",
    "1 skipped: it has none",
    "  has layers > three",
    "",
    "1 passed, 1 failed, 1 skipped",
    "",
  ]);
});

test("of many tests that are skipped for a reason three are named", async () => {
  const text = await textOf(...["a", "b", "c", "d", "e"].map((name) => result("g", name, skipped("no"))));
  expect(text).toContain("5 skipped: no\n  g > a\n  g > b\n  g > c\n  and 2 more\n");
});

test("a long failure is cut: its lines, and each of them", async () => {
  const text = await textOf(result("g", "a", failed(`${"x".repeat(1_000)}\n${"line\n".repeat(50)}end`)));
  expect(text.split("\n").filter((line) => line === "  line")).toHaveLength(11);
  expect(text).toContain("  and 40 more lines\n");
  expect(Math.max(...text.split("\n").map(({ length }) => length))).toBeLessThan(210);
});

test("nothing from outside is printed raw", async () => {
  const hostile = "\u001b[2J\r\u202e\u0000\ud800";
  const text = await textOf(
    result(hostile, hostile, failed(hostile, { type: hostile, difference: hostile })),
    result(hostile, "b", skipped(hostile)),
  );
  expect(unsafeLines(text)).toEqual([]);
});

test("as data it is the same, with all names", () => {
  const tests = [result("g", "a", failed("no")), ...["b", "c", "d", "e"].map((name) => result("g", name, skipped("so")))];
  expect(resultsJson(runOf(tests, { troubles: ["t"], notRun: 2 }))).toEqual({
    ...{ passed: 0, failed: 1, skipped: 4, notRun: 2, duration: 1_235, troubles: ["t"] },
    groups: [{ group: "g", passed: 0, failed: 1, skipped: 4 }],
    failures: [{ group: "g", name: "a", errors: [{ type: "AssertionError", message: "no" }] }],
    skips: [{ why: "so", tests: ["b", "c", "d", "e"].map((name) => ({ group: "g", name })) }],
  });
});
