/** Results of a run of the contract suite, for tests of what is made of them. */
import type { Failure, Outcome, Run, TestResult } from "../conformance/results.js";

export function failed(message: string, more: Partial<Failure> = {}): Outcome {
  return { kind: "failed", failures: [{ type: "AssertionError", message, difference: "", stack: "", ...more }] };
}

export function skipped(why: string): Outcome {
  return { kind: "skipped", why };
}

export function result(group: string, name: string, outcome: Outcome = { kind: "passed" }, printed = ""): TestResult {
  return { group, name, outcome, duration: 12, printed };
}

export function runOf(tests: readonly TestResult[], more: Partial<Run> = {}): Run {
  return { tests, troubles: [], notRun: 0, begun: new Date(0), duration: 1_234.5, ...more };
}
