/** The results of a run as JUnit XML, as CI servers read it: with the reasons of skips, which vitest's own reporter leaves out. */
import { printable } from "../../visible.js";
import { byGroup, countsOf, type Failure, type Run, type TestResult } from "./results.js";

/** @param properties what was tested; each group gets them, since a reader may look at one alone */
export function junitText(
  { tests, troubles, notRun, begun, duration }: Run,
  properties: Readonly<Record<string, string>>,
): string {
  const suites = [...byGroup(tests)].map(([group, its]) => suiteLines(group, its, begun, properties));
  const errors = troubles.length > 0 || notRun > 0 ? [troubleLines(troubles, notRun)] : [];
  const { failed, skipped } = countsOf(tests);
  const counts = { tests: tests.length + errors.length, failures: failed, errors: errors.length, skipped };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    element("testsuites", { name: "dl7450 conformance", ...counts, time: seconds(duration) }, [...suites, ...errors].flat()),
    "",
  ]
    .flat()
    .join("\n");
}

function suiteLines(
  group: string,
  tests: readonly TestResult[],
  begun: Date,
  properties: Readonly<Record<string, string>>,
): string[] {
  const { failed, skipped } = countsOf(tests);
  const time = seconds(tests.reduce((sum, { duration }) => sum + duration, 0));
  const counts = { tests: tests.length, failures: failed, errors: 0, skipped, time, timestamp: begun.toISOString() };
  const entries = Object.entries(properties).flatMap(([name, value]) => element("property", { name, value }, []));
  return element("testsuite", { name: group, ...counts }, [...element("properties", {}, entries), ...tests.flatMap(caseLines)]);
}

function caseLines({ group, name, outcome, duration, printed }: TestResult): string[] {
  const about = outcome.kind === "skipped" ? element("skipped", { message: outcome.why }, []) : [];
  const failures = outcome.kind === "failed" ? outcome.failures.map(failureLine) : [];
  const output = printed === "" ? [] : [textElement("system-out", {}, printed)];
  return element("testcase", { classname: group, name, time: seconds(duration) }, [...about, ...failures, ...output]);
}

function failureLine({ type, message, difference, stack }: Failure): string {
  const text = [...(difference === "" ? [] : [difference]), stack === "" ? `${type}: ${message}` : stack].join("\n\n");
  return textElement("failure", { type, message }, text);
}

/** What went wrong beside the tests, as a test of its own: so that nobody takes the rest for all. */
function troubleLines(troubles: readonly string[], notRun: number): string[] {
  const name = "all tests are run";
  const message = [...troubles, ...(notRun === 0 ? [] : [`tests that weren't run: ${notRun}`])].join("; ");
  const error = element("error", { type: "Error", message }, []);
  const testcase = element("testcase", { classname: "the run", name, time: "0.000" }, error);
  return element("testsuite", { name: "the run", tests: 1, failures: 0, errors: 1, skipped: 0, time: "0.000" }, testcase);
}

type Attributes = Readonly<Record<string, string | number>>;

/** Elements within an element. */
function element(name: string, attributes: Attributes, lines: readonly string[]): string[] {
  const begin = `<${name}${attributesText(attributes)}`;
  return lines.length === 0 ? [`${begin}/>`] : [`${begin}>`, ...lines.map((line) => `  ${line}`), `</${name}>`];
}

/** Text within an element: its lines stay as they are. */
function textElement(name: string, attributes: Attributes, text: string): string {
  const lines = text.split(/\r?\n/).map((line) => safe(line));
  return `<${name}${attributesText(attributes)}>${lines.join("\n")}</${name}>`;
}

function attributesText(attributes: Attributes): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${safe(String(value))}"`)
    .join("");
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** What XML has no character for is an escape, as everything else that can't be seen. */
function safe(text: string): string {
  return printable(text).replace(/[&<>"]/g, (character) => ENTITIES[character] ?? "");
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1_000).toFixed(3);
}
