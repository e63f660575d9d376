import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { replaceFile } from "./replace-file.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dl7450-file-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

test("a file is made, then replaced, and nothing is left beside it", () => {
  for (const content of ["old", "new"]) {
    replaceFile(join(folder, "file"), content);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe(content);
  }
  expect(readdirSync(folder)).toEqual(["file"]);
});

test("what a write that was cut off has left is written over", () => {
  writeFileSync(join(folder, "file.next"), "longer than what follows");
  replaceFile(join(folder, "file"), "new");
  expect(readFileSync(join(folder, "file"), "utf8")).toBe("new");
});

test("a file whose new content can't be written stays as it is", () => {
  replaceFile(join(folder, "file"), "old");
  mkdirSync(join(folder, "file.next"));
  expect(() => replaceFile(join(folder, "file"), "new")).toThrow("EISDIR: illegal operation on a directory, open");
  expect(readFileSync(join(folder, "file"), "utf8")).toBe("old");
});

test("whoever has the file open keeps the old one whole: it is never written in place", () => {
  replaceFile(join(folder, "file"), "old");
  const old = openSync(join(folder, "file"), "r");
  replaceFile(join(folder, "file"), "a new one, and longer");
  expect(readFileSync(old, "utf8")).toBe("old");
  closeSync(old);
});
