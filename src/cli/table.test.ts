import { expect, test } from "vitest";
import { table } from "./table.js";

const columns = [{ title: "name" }, { title: "size", align: "right" as const }, { title: "type" }];

test("columns are as wide as their widest cell, with no blanks at the end of a line", async () => {
  const rows = [
    ["default", 1192248, "png"],
    ["日本", 5, ""],
  ];
  expect(await table(columns, rows)).toBe("name        size  type\ndefault  1192248  png\n日本           5\n");
});

test("a row is one line, whatever is in its cells", async () => {
  const text = await table(columns, [["a\nb\u001b[31mc\u202e", 1, "png"]]);
  expect(text).toBe("name                   size  type\na\\nb\\x1b[31mc\\u{202e}     1  png\n");
});

test("no rows are no lines", async () => {
  expect(await table(columns, [])).toBe("");
});
