/** What became of the tests of a run, and how it is judged. */
import { CliError } from "../cli-error.js";

export interface TestResult {
  /** The outermost group. */
  readonly group: string;
  readonly name: string;
  readonly outcome: Outcome;
  /** How long it took, in milliseconds. */
  readonly duration: number;
  /** What was printed while it ran: kept where it has failed, and bounded. */
  readonly printed: string;
}

export type Outcome =
  | { readonly kind: "passed" }
  | { readonly kind: "skipped"; readonly why: string }
  | { readonly kind: "failed"; readonly failures: readonly Failure[] };

/** Why a test has failed. All of it may be text from outside. */
export interface Failure {
  /** The error's name, and its code where it has one. */
  readonly type: string;
  readonly message: string;
  /** What was expected and what there was, line by line, or nothing. */
  readonly difference: string;
  readonly stack: string;
}

export interface Run {
  /** In the order in which they ended. */
  readonly tests: readonly TestResult[];
  /** What went wrong beside the tests, so that not all of them were run. */
  readonly troubles: readonly string[];
  /** How many were to be run and weren't. */
  readonly notRun: number;
  readonly begun: Date;
  /** In milliseconds. */
  readonly duration: number;
}

/** How many there are of each kind. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export function countsOf(tests: readonly TestResult[]): Counts {
  const count = (kind: Outcome["kind"]): number => tests.filter(({ outcome }) => outcome.kind === kind).length;
  return { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
}

/** "3 passed, 0 failed, 2 skipped". */
export function countsText({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** The tests of each group, in the order in which the first of each ended. */
export function byGroup(tests: readonly TestResult[]): ReadonlyMap<string, readonly TestResult[]> {
  return gathered(tests.map((test) => [test.group, test]));
}

/** The tests that were skipped, by the reason. */
export function skipsOf(tests: readonly TestResult[]): ReadonlyMap<string, readonly TestResult[]> {
  return gathered(tests.flatMap((test) => (test.outcome.kind === "skipped" ? [[test.outcome.why, test] as const] : [])));
}

/** The tests that have failed, each with why. */
export function failuresOf(tests: readonly TestResult[]): { test: TestResult; failures: readonly Failure[] }[] {
  return tests.flatMap((test) => (test.outcome.kind === "failed" ? [{ test, failures: test.outcome.failures }] : []));
}

/**
 * Why the run doesn't show that the dock keeps the contract; undefined when it does.
 * @param only what the run was confined to; empty for everything
 */
export function problemOf({ tests, troubles, notRun }: Run, only: readonly string[]): CliError | undefined {
  const { passed, failed, skipped } = countsOf(tests);
  if (troubles.length > 0 || notRun > 0) {
    const why = troubles.join("; ") || "nothing says why";
    const what = notRun > 0 ? `${notRun} of ${tests.length + notRun} tests weren't run` : "Something failed beside the tests";
    return new CliError("UNEXPECTED", `${what}: ${why}.`);
  }
  if (failed > 0)
    return new CliError("DIFFERS", `The dock doesn't keep the contract: ${failed} of ${tests.length} tests failed.`);
  if (passed > 0) return undefined;
  if (skipped > 0) return new CliError("UNSUPPORTED", `Nothing was tested: all ${skipped} tests were skipped.`);
  return new CliError(
    "USAGE",
    `There is no test of ${only.join(", ") || "anything"}: --only takes a feature, or part of a name.`,
  );
}

/** The group and the name, as vitest writes them. */
export function fullName({ group, name }: Pick<TestResult, "group" | "name">): string {
  return group === "" ? name : `${group} > ${name}`;
}

function gathered<T>(entries: readonly (readonly [string, T])[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const [name, item] of entries) {
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return groups;
}
