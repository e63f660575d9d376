import { expect, test } from "vitest";
import type { TestResult as VitestResult } from "vitest/node";
import { ResultCollector, type SeenModule, type SeenParent, type SeenTest } from "./collector.js";
import type { Counts } from "./results.js";

const PASSED: VitestResult = { state: "passed", errors: undefined };
const PENDING: VitestResult = { state: "pending", errors: undefined };
const MODULE: SeenParent = { type: "module" };

function group(name: string, parent: SeenParent = MODULE): Extract<SeenParent, { type: "suite" }> {
  return { type: "suite", name, parent };
}

function skippedFor(note?: string): VitestResult {
  return { state: "skipped", errors: undefined, note };
}

function seen(name: string, result: VitestResult, more: Partial<SeenTest> = {}): SeenTest {
  const options = { mode: "run" };
  return { id: name, name, parent: group("g"), options, result: () => result, diagnostic: () => ({ duration: 5 }), ...more };
}

function moduleOf(tests: readonly SeenTest[], ...errors: readonly string[]): SeenModule {
  const inGroups = { errors: () => errors.map((message) => ({ message })) };
  return { errors: () => [], children: { allTests: () => tests, allSuites: () => [inGroups] } };
}

/** What is collected of tests that all end. */
function collected(...tests: readonly SeenTest[]): ResultCollector {
  const collector = new ResultCollector(() => {});
  for (const it of tests) collector.onTestCaseResult(it);
  return collector;
}

test("a test has its outermost group, and those within in its name", () => {
  const inner = seen("c", PASSED, { parent: group("b", group("a")) });
  const [first, second] = collected(inner, seen("alone", PASSED, { parent: MODULE })).results();
  expect(first).toEqual({ group: "a", name: "b > c", outcome: { kind: "passed" }, duration: 5, printed: "" });
  expect(second).toMatchObject({ group: "", name: "alone" });
});

test("what a filter leaves out doesn't count, nor does it as not run", () => {
  const tests = [seen("in", PASSED), seen("out", skippedFor(), { options: { mode: "skip" } })];
  const collector = collected(...tests);
  collector.onTestRunEnd([moduleOf(tests)], []);
  expect(collector.run(new Date(), 1)).toMatchObject({ tests: [{ name: "in" }], notRun: 0, troubles: [] });
});

test("a skip has its reason; without one the test wasn't run", () => {
  const tests = [seen("told", skippedFor("it can't")), seen("untold", skippedFor())];
  const collector = collected(...tests);
  collector.onTestRunEnd([moduleOf(tests, "no set-up.")], []);
  expect(collector.run(new Date(), 1)).toMatchObject({
    ...{ tests: [{ name: "told", outcome: { kind: "skipped", why: "it can't" } }] },
    ...{ notRun: 1, troubles: ["no set-up"] },
  });
});

test("a failure has the error's code, no colours, and what caused it", () => {
  const cause = { name: "Error", message: "deep", stack: "Error: deep" };
  const error = {
    name: "DockError",
    code: "STALE",
    message: "\u001b[31mred",
    diff: "\u001b[32m- 1",
    stack: "DockError: red\n    at f",
  };
  const [failing] = collected(seen("a", { state: "failed", errors: [{ ...error, cause }] })).results();
  expect(failing?.outcome).toEqual({
    kind: "failed",
    failures: [
      { type: "DockError STALE", message: "red", difference: "- 1", stack: "DockError: red\n    at f\ncaused by Error: deep" },
    ],
  });
});

test("a failure that is huge is cut", () => {
  const [failing] = collected(seen("a", { state: "failed", errors: [{ message: "x".repeat(1e6) }] })).results();
  expect(JSON.stringify(failing).length).toBeLessThan(25_000);
});

test("what was printed is kept of a test that failed, its end", () => {
  const collector = collected(seen("bad", { state: "failed", errors: [] }), seen("good", PASSED));
  for (const taskId of ["bad", "good"]) collector.onUserConsoleLog({ taskId, content: `${"x".repeat(1e5)}\u001b[1mend\n` });
  expect(collector.results().map(({ printed }) => printed.slice(-5))).toEqual(["xend\n", ""]);
  expect(collector.results()[0]?.printed.length).toBeLessThan(1e5);
});

test("a worker that dies is told by what killed it, and the test that was running", () => {
  const tests = [seen("a", PASSED), seen("b", PENDING), seen("c", PENDING)];
  const collector = collected(seen("a", PASSED));
  collector.onTestCaseReady(seen("b", PENDING));
  const death = { message: "emitted error", cause: { message: "Worker exited unexpectedly" } };
  collector.onTestRunEnd(
    [moduleOf(tests)],
    [{ message: "Errors occurred", errors: [death] }, { message: "Worker exited unexpectedly" }],
  );
  expect(collector.run(new Date(), 1)).toMatchObject({
    ...{ notRun: 2, troubles: ["Worker exited unexpectedly", "while g > b was running"] },
  });
});

test("errors that cause one another come to an end", () => {
  const collector = new ResultCollector(() => {});
  const error: { message: string; cause?: unknown } = { message: "round" };
  error.cause = error;
  collector.onTestRunEnd([], [error]);
  expect(collector.run(new Date(), 1).troubles).toEqual(["round"]);
});

test("a group is told when it is through, unless nothing of it was run", () => {
  const told: [string, Counts][] = [];
  const collector = new ResultCollector((name, counts) => told.push([name, counts]));
  collector.onTestCaseResult(seen("a", PASSED));
  for (const it of [group("g"), group("within", group("g")), group("left out")]) collector.onTestSuiteResult(it);
  expect(told).toEqual([["g", { passed: 1, failed: 0, skipped: 0 }]]);
});

test("frozen, it takes nothing more: that is what is left to run", () => {
  const tests = [seen("a", PASSED), seen("b", { state: "failed", errors: [] })];
  const collector = collected(...tests.slice(0, 1));
  collector.freeze();
  for (const it of tests.slice(1)) collector.onTestCaseResult(it);
  collector.onTestRunEnd([moduleOf(tests)], []);
  expect(collector.run(new Date(), 1)).toMatchObject({ tests: [{ name: "a" }], notRun: 1 });
});
