/** Configs that are made to cost time, memory or stack. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkText } from "./check-config.js";
import { type Finding, Findings } from "./findings.js";
import { SAMPLE } from "./testing/config-folder.js";

function problemsIn(text: string): Finding[] {
  const findings = new Findings(text);
  checkText(text, "/c", findings);
  return findings.problems;
}

describe("is refused with one problem, before it is parsed", () => {
  const many = 100_000;
  test.each([
    ["brackets in one another", "[".repeat(many), "YAML"],
    ["brackets in one another, closed", "[".repeat(many) + "]".repeat(many), "YAML"],
    ["braces in one another", '{"a":'.repeat(many), "YAML"],
    ["lists in one another on a line", "- ".repeat(many), "YAML"],
    ["lists in one another after an open bracket", `a: [\n${"- ".repeat(many)}`, "YAML"],
    ["keys in one another on a line", "? ".repeat(many), "YAML"],
    ["maps in one another, each on a line", stairs((indent) => `${indent}a:\n`), "YAML"],
    [
      "maps in one another, with block text between them",
      stairs((indent, i) => `${indent}x: |\n${indent}  t\n${indent}a${i}:\n`),
      "YAML",
    ],
    ["maps in one another, with comments between them", stairs((indent, i) => `${indent}a${i}:\n# c\n\n`), "YAML"],
    ["anchors", "&a ".repeat(many), "TOO_LARGE"],
    ["brackets that close nothing", "]".repeat(2 * many), "TOO_LARGE"],
    ["line ends", "\n".repeat(2 * many), "TOO_LARGE"],
  ])("%s", (_, text, code) => {
    expect(problemsIn(text).map((problem) => problem.code)).toEqual([code]);
  });
});

/** Each step is further to the right than the one before. */
function stairs(step: (indent: string, i: number) => string): string {
  return Array.from({ length: 500 }, (_, i) => step(" ".repeat(i), i)).join("");
}

test.each([
  ["line", "\n"],
  ["Windows line", "\r\n"],
])("what is deep in one %s doesn't count in the next, nor does a comment far to the right", (_, end) => {
  const line = `  k: "v"${end}${" ".repeat(200)}# comment${end}`;
  const text = Array.from({ length: 300 }, (_, i) => line.replace("k", `k${i}`)).join("");
  expect(problemsIn(`kv_store:${end}${text}`)).toEqual([]);
});

test("the deepest that is parsed fits the stack", () => {
  const block = Array.from({ length: 100 }, (_, i) => `${" ".repeat(i)}a:\n${" ".repeat(i)}- `.trimEnd()).join("\n");
  const deepest = `${block}\n${" ".repeat(99)}- ${"[".repeat(100)}${"]".repeat(100)}`;
  expect(problemsIn(deepest)).toMatchObject([{ code: "UNKNOWN_KEY" }]);
});

test("aliases of aliases aren't written out", () => {
  const lists = Array.from({ length: 30 }, (_, i) => `  a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(",")}]`);
  const problems = problemsIn(`kv_store:\n  a0: &a0 x\n${lists.join("\n")}\n`);
  expect(problems.filter(({ code }) => code === "YAML")).toEqual([
    { code: "YAML", line: 6, column: 32, message: "There are more than 32 aliases: write out what they stand for." },
  ]);
});

test("of mistakes without end the first thousand are told, and how many more there are", () => {
  const text = `kv_store:\n${Array.from({ length: 3_000 }, (_, i) => `  k${i}: 5\n`).join("")}`;
  const problems = problemsIn(text);
  expect(problems).toHaveLength(1_001);
  expect(problems.at(-1)).toMatchObject({ code: "MORE", message: expect.stringContaining("2000 more") });
});

test(`a path of \${ takes no time`, () => {
  const text = `code:\n  path: ${"${".repeat(400_000)}\n`;
  expect(problemsIn(text)).toMatchObject([{ code: "PATH" }]);
});

test("any text is checked without an error, and each place is one in it", () => {
  const yaml = fc.array(
    fc.constantFrom(..."ab:-?[]{},&*!|>'\"%@`# \n\t\r<=~0$".split(""), "\n  ", ": ", "- ", "images:", "kv_store:", "type: "),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary" }),
        yaml.map((parts) => parts.join("")),
      ),
      (text) => expectPlaces(text),
    ),
    { numRuns: 150 },
  );
});

test("a good config with any part of it changed is checked without an error, and each place is one in it", () => {
  const edit = fc.record({
    at: fc.nat(SAMPLE.length),
    cut: fc.nat(12),
    put: fc.oneof(fc.string(), fc.constantFrom("\t", ": ", "*a", "&a ", "[", "{", '"', "\n", "---\n", "<<: ", "!!x ", "| ")),
  });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), (edits) => {
      expectPlaces(edits.reduce((text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut), SAMPLE));
    }),
    { numRuns: 250 },
  );
});

function expectPlaces(text: string): void {
  const lines = text.split("\n");
  for (const { line, column = 0, message } of problemsIn(text)) {
    if (line === undefined) continue;
    const there = lines[line - 1];
    expect(there, message).toBeDefined();
    expect(column).toBeGreaterThan(0);
    expect(column, message).toBeLessThanOrEqual((there?.length ?? 0) + 1);
  }
}
