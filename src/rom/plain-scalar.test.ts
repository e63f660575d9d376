import { expect, test } from "vitest";
import { otherThanText } from "./plain-scalar.js";

test.each([
  ["a boolean", "yes No ON off True FALSE"],
  ["nothing", "~ null Null NULL"],
  ["a number", "0 -1 +1 0123 1_000 0x1F 0b101 12:30:00 190:20:30.15 1. .5 -1.5 6.8e+5 .inf -.INF .nan"],
  ["a date", "2024-01-01 2024-1-1T1:02:03 2001-12-14t21:59:43.10-05:00"],
  ["a sign of its own", "= <<"],
  // As PyYAML has it, where the list of YAML 1.1 itself, or YAML 1.2, says otherwise.
  [undefined, "y n yEs 1e3 0o17 09 08 12:60 0x 1-2 2024-1-1 _1"],
])("PyYAML reads %s", (what, words) => {
  expect(words.split(" ").map((word) => [word, otherThanText(word)])).toEqual(words.split(" ").map((word) => [word, what]));
});

test("PyYAML reads nothing where nothing is written", () => {
  expect(otherThanText("")).toBe("nothing");
});
