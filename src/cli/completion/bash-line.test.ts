/** Lines as bash has them, and what is put into them. */
import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { insertion, readBashLine } from "./bash-line.js";

describe("a line is read as bash reads it", () => {
  test.each([
    ["dl7450 ", [""]],
    ["dl7450 im", ["im"]],
    ["dl7450\timage  get a", ["image", "get", "a"]],
    ["dl7450 --port=id:RW02 ls ", ["--port=id:RW02", "ls", ""]],
    ["dl7450 kv get 'a b' c", ["kv", "get", "a b", "c"]],
    ['dl7450 "a \\" \\$ \\x" b', ['a " $ \\x', "b"]],
    ["dl7450 a\\ b\\$c", ["a b$c"]],
    ["dl7450 --as='a'\"b\"\\c", ["--as=abc"]],
    ["dl7450 'a b", ["a b"]],
    ['dl7450 --as="a b', ["--as=a b"]],
    ["dl7450 $PORT $(date) ", undefined],
    ["dl7450 --port $PORT ls ", ["--port", "$PORT", "ls", ""]],
    ["dl7450 image get > a.png x", ["image", "get", "x"]],
    ["dl7450 image get 2>&1 >>a.png x", ["image", "get", "x"]],
    ["dl7450 image get &>a.png 2x<b x", ["image", "get", "2x", "x"]],
    ["dl7450 größe\u00a0x", ["größe\u00a0x"]],
  ])("%s", (line, words) => {
    const read = readBashLine(line);
    expect(read.kind === "words" ? [...read.before, read.word.value] : undefined).toEqual(words);
  });

  test.each(["dl7450 ls > ", "dl7450 ls 2>fi", "dl7450 ls < 'a b", "dl7450 ls &> x"])("%s is where to redirect", (line) => {
    expect(readBashLine(line)).toEqual({ kind: "redirection" });
  });

  test.each([
    "",
    "dl7450",
    "dl7450 $HO",
    "dl7450 $(da",
    'dl7450 "$HO',
    'dl7450 "`da',
    "dl7450 `da",
    "dl7450 ~",
    "dl7450 a*",
    "dl7450 {a,",
    "dl7450 a\\",
    "dl7450 ls; echo ",
    "dl7450 ls | cat ",
    "dl7450 ls & ",
    "dl7450 a\nb",
    "dl7450 <(ls) ",
  ])("of %j nothing is known", (line) => {
    expect(readBashLine(line)).toEqual({ kind: "unclear" });
  });
});

/** What comes of a line, at whose end `replaced` makes room. */
function completed(line: string, text: string, replaced: string): string | undefined {
  const read = readBashLine(line);
  if (read.kind !== "words") return undefined;
  const inserted = insertion(read.word, text, replaced);
  return inserted === undefined ? undefined : line.slice(0, line.length - replaced.length) + inserted;
}

describe("what is put in", () => {
  test.each([
    ["dl7450 ", "a b", "", "dl7450 a\\ b"],
    ["dl7450 a\\ ", "a b", "a\\ ", "dl7450 a\\ b"],
    ["dl7450 'a ", "a b", "a ", "dl7450 'a b"],
    ['dl7450 "it', `it's "x"`, "it", `dl7450 "it's \\"x\\"`],
    ['dl7450 "a', "a!b", "a", `dl7450 "a"'!'"b`],
    ["dl7450 'it", "it's", "it", "dl7450 'it'\\''s"],
    ["dl7450 --port=id:RW", "--port=id:RW02", "RW", "dl7450 --port=id:RW02"],
    ['dl7450 --port="id:RW', "--port=id:RW02", "id:RW", 'dl7450 --port="id:RW02'],
    ["dl7450 a:b", "a:b:c", "b", "dl7450 a:b:c"],
    ["dl7450 a:b", "a:b:c", "a:b", "dl7450 a:b:c"], // without : in COMP_WORDBREAKS
    ["dl7450 größ", "größe", "größ", "dl7450 größe"],
  ])("into %s, of %s, is quoted as the line is", (line, text, replaced, so) => {
    expect(completed(line, text, replaced)).toBe(so);
  });

  test("is nothing where what stays isn't its beginning", () => {
    expect(completed("dl7450 a:b", "x:b", "b")).toBeUndefined();
    expect(completed("dl7450 ab", "ab", "another")).toBeUndefined();
  });

  test("is to bash what it is to the dock, whatever it is, within quotes and without", () => {
    const ascii = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join("");
    const texts = [
      "$(touch x)",
      "`touch x`",
      "a b",
      '"; touch x; "',
      "'; touch x; '",
      "~",
      "#a",
      "*",
      "{a,b}",
      "!!",
      "\\",
      ascii,
    ];
    const lines = texts.flatMap((text) => ["", "'", '"'].map((mark) => `${completed(`x ${mark}`, text, "")?.slice(2)}${mark}`));
    const script = `printf '%s\\n' ${lines.join(" ")}`;
    const said = execFileSync("bash", ["--norc", "-c", script], { encoding: "utf8" });
    expect(said.trimEnd().split("\n")).toEqual(texts.flatMap((text) => [text, text, text]));
  });
});
