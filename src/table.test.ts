import { expect, test } from "vitest";
import { table } from "./table.js";

const WIDE = Number.POSITIVE_INFINITY;
const columns = [{ title: "name" }, { title: "size", align: "right" as const }, { title: "type" }];

test("columns are as wide as their widest cell, with no blanks at the end of a line", async () => {
  const rows = [
    ["default", 1192248, "png"],
    ["日本", 5, ""],
  ];
  expect(await table(columns, rows, WIDE)).toBe("name        size  type\ndefault  1192248  png\n日本           5\n");
});

test("a row is one line, whatever is in its cells", async () => {
  const text = await table(columns, [["a\nb\u001b[31mc\u202e", 1, "png"]], WIDE);
  expect(text).toBe("name                   size  type\na\\nb\\x1b[31mc\\u{202e}     1  png\n");
});

test("no rows are no lines", async () => {
  expect(await table(columns, [], WIDE)).toBe("");
});

test("what is wider than the screen is cut where most is lost to it, and a column stays wide enough to tell something", async () => {
  const rows = [["a".repeat(30), 1192248, "日本".repeat(10)]];
  const [, line = ""] = (await table(columns, rows, 40)).split("\n");
  expect(line).toBe(`${"a".repeat(13)}…  1192248  ${"日本".repeat(3)}日…`);
  const [, narrow = ""] = (await table(columns, rows, 5)).split("\n");
  expect(narrow).toBe(`${"a".repeat(9)}…  1192248  日本日本…`);
});
