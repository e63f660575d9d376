/** The results of a run, for people and for programs. */
import { printable } from "../../visible.js";
import type { Context } from "../context.js";
import { writeOut } from "../output.js";
import { writeTable } from "../table.js";
import {
  byGroup,
  countsOf,
  countsText,
  type Failure,
  failuresOf,
  fullName,
  type Run,
  skipsOf,
  type TestResult,
} from "./results.js";

/** Lines of a failure that are printed, and characters of each: the JUnit file has all of it. */
const MOST_LINES = 12;
const MOST_CHARACTERS = 200;
/** Tests that are named for each reason to skip. */
const MOST_NAMES = 3;

/** Writes the groups as a table, then what has failed, what was skipped and why, and at the end how many of each. */
export async function writeResults(context: Context, { tests }: Run): Promise<void> {
  const columns = [{ title: "group" }, ...["passed", "failed", "skipped"].map((title) => ({ title, align: "right" as const }))];
  const rows = [...byGroup(tests)].map(([group, its]) => {
    const { passed, failed, skipped } = countsOf(its);
    return [group, passed, failed, skipped];
  });
  await writeTable(context, columns, rows);
  const failed = failuresOf(tests).map(({ test, failures }) => failureText(test, failures));
  const skipped = [...skipsOf(tests)].map(([why, its]) => skipText(why, its));
  await writeOut(context, [...failed, ...skipped, `\n${countsText(countsOf(tests))}\n`].join(""));
}

/** The same as data. */
export function resultsJson({ tests, troubles, notRun, duration }: Run): object {
  return {
    ...countsOf(tests),
    notRun,
    duration: Math.round(duration),
    groups: [...byGroup(tests)].map(([group, its]) => ({ group, ...countsOf(its) })),
    failures: failuresOf(tests).map(({ test, failures }) => ({
      ...{ group: test.group, name: test.name },
      errors: failures.map(({ type, message, difference }) => ({
        type,
        message,
        ...(difference === "" ? {} : { difference }),
      })),
    })),
    skips: [...skipsOf(tests)].map(([why, its]) => ({ why, tests: its.map(({ group, name }) => ({ group, name })) })),
    troubles,
  };
}

function failureText(test: TestResult, failures: readonly Failure[]): string {
  const lines = failures.flatMap(({ type, message, difference }) => [
    ...`${type}: ${message}`.split("\n"),
    ...(difference === "" ? [] : difference.split("\n")),
  ]);
  const shown = lines
    .slice(0, MOST_LINES)
    .map((line) => (line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS)}…` : line));
  const more = lines.length > MOST_LINES ? [`and ${lines.length - MOST_LINES} more lines`] : [];
  return `\nfailed: ${printable(fullName(test))}\n${indented([...shown, ...more])}`;
}

function skipText(why: string, tests: readonly TestResult[]): string {
  const more = tests.length > MOST_NAMES ? [`and ${tests.length - MOST_NAMES} more`] : [];
  return `\n${tests.length} skipped: ${printable(why)}\n${indented([...tests.slice(0, MOST_NAMES).map(fullName), ...more])}`;
}

function indented(lines: readonly string[]): string {
  return lines
    .map((line) => `  ${printable(line)}`.trimEnd())
    .join("\n")
    .concat("\n");
}
