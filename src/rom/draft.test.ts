import { describe, expect, test } from "vitest";
import { checkText } from "./check-config.js";
import { type Finding, Findings } from "./findings.js";
import { SAMPLE } from "./testing/config-folder.js";

const IMAGE = "images:\n  a:\n    path: /a.png\n    type: png\n";

/** What is found in a config in the folder `/c`, as "LINE:COLUMN CODE". */
function found(text: string, folder = "/c"): { problems: string[]; warnings: string[]; messages: string } {
  const findings = new Findings(text);
  checkText(text, folder, findings);
  const { problems, warnings } = findings;
  const messages = [...problems, ...warnings].map(({ message }) => message).join("\n");
  return { problems: problems.map(place), warnings: warnings.map(place), messages };
}

function place({ line, column, code }: Finding): string {
  return line === undefined ? code : `${line}:${column} ${code}`;
}

describe("nothing is found in", () => {
  const longest = "x".repeat(128);
  const cases: [name: string, text: string][] = [
    ["the documented sample", SAMPLE],
    ["the sample with Windows line ends", SAMPLE.replaceAll("\n", "\r\n")],
    [
      "the sample in flow style",
      '{images: {a: {path: "/a.png", type: png}}, kv_store: {timezone: CET}, code: {path: /app.py}}',
    ],
    ["one section alone", IMAGE],
    ["a document between --- and ...", `---\n${IMAGE}...\n`],
    ["a type in capitals, as the vendor's script takes it", IMAGE.replace("png\n", "PNG\n").replace("type: png", "type: PNG")],
    ["quoted text that would be something else without", "kv_store:\n  'on': \"0123\"\n"],
    ["text with a tag that says so", "kv_store:\n  a: !!str 5\n"],
    ["names as long as a dock takes them", `kv_store:\n  ${longest}: v\n`],
    [
      "a name that objects have of their own",
      `${IMAGE.replace("a:", "__proto__:")}kv_store:\n  __proto__: v\n  constructor: v\n`,
    ],
    [
      "an anchor and its aliases",
      `images:\n  a: &a\n    path: &p /a.png\n    type: png\n  b: *a\n  c: {path: *p, type: png}\n`,
    ],
    [
      "an apostrophe in a path, which Python writes between double quotation marks",
      IMAGE.replace("/a.png", `\${CONFIG_PATH}/it's.png`),
    ],
    ["the folder's variable without braces, as Python has it", IMAGE.replace("/a.png", "$CONFIG_PATH/a.png")],
    ["a $ that begins no variable", "kv_store:\n  a: 5 $, or $b\n"],
  ];
  test.each(cases)("%s", (_, text) => {
    expect(found(text)).toEqual({ problems: [], warnings: [], messages: "" });
  });
});

describe("a problem is", () => {
  const cases: [name: string, text: string, problems: string[], message: string][] = [
    ["an empty file", "", ["EMPTY"], "The config is empty."],
    ["a file of comments", "# nothing\n", ["EMPTY"], "The config is empty."],
    ["a document with nothing in it", "---\n", ["EMPTY"], "The config is empty."],
    ["a list at the top", "- a\n", ["1:1 NOT_A_MAP"], "A config is a list, and should be a map."],
    ["text at the top", "hello\n", ["1:1 NOT_A_MAP"], "A config is text"],
    ["a section that isn't one", `${IMAGE}kvstore:\n  a: b\n`, ["5:1 UNKNOWN_KEY"], "Did you mean kv_store?"],
    ["a section without anything", "images:\n", ["1:8 NOT_A_MAP"], '"images" has nothing in it.'],
    ["a section that is text", "code: /app.py\n", ["1:7 NOT_A_MAP"], '"code" is text, and should be a map.'],
    ["a section twice", "code:\n  path: /a\ncode:\n  path: /b\n", ["3:1 DUPLICATE"], '"code" stands in line 1 already'],
    ["a key twice", "kv_store:\n  a: b\n  'a': c\n", ["3:3 DUPLICATE"], '"a" stands in line 2 already'],
    ["__proto__ twice", "kv_store:\n  __proto__: b\n  __proto__: c\n", ["3:3 DUPLICATE"], '"__proto__" stands in line 2'],
    [
      "a number",
      "kv_store:\n  a: 5\n",
      ["2:6 NOT_TEXT"],
      'The value of "a" is a number, and has to be text: put it between quotation marks.',
    ],
    ["a float", "kv_store:\n  a: 1e3\n", ["2:6 NOT_TEXT"], "is a number"],
    ["a boolean", "kv_store:\n  a: true\n", ["2:6 NOT_TEXT"], "is a boolean"],
    ["null", "kv_store:\n  a: null\n", ["2:6 NOT_TEXT"], "is nothing"],
    ["no value", "kv_store:\n  a:\n  b: c\n", ["2:5 NOT_TEXT"], "is nothing"],
    ["a map for a value", "kv_store:\n  a: {b: c}\n", ["2:6 NOT_TEXT"], "is a map"],
    ["a list for a value", "kv_store:\n  a: [b]\n", ["2:6 NOT_TEXT"], "is a list"],
    ["a key that is a number", "kv_store:\n  5: a\n", ["2:3 NOT_TEXT"], "A key is a number"],
    ["a tag that is nothing", "images:\n  : {path: /a, type: png}\n", ["2:3 NOT_TEXT"], "A tag is nothing"],
    ["a key that is a list", "kv_store:\n  ? [a]\n  : b\n", ["2:5 NOT_TEXT"], "A key is a list"],
    ["an empty key", "kv_store:\n  '': a\n", ["2:3 NAME"], "A key can't be empty."],
    ["a key with U+0000", 'kv_store:\n  "a\\0": a\n', ["2:3 NAME"], "U+0000"],
    [
      "a tag that is too long",
      `images:\n  ${"é".repeat(65)}: {path: /a, type: png}\n`,
      ["2:3 NAME"],
      "128 bytes at most, and this one has 130",
    ],
    ["half a surrogate pair", 'kv_store:\n  a: "\\ud800"\n', ["2:6 VALUE"], "half a surrogate pair"],
    [
      "a value that is too long",
      `kv_store:\n  a: ${"x".repeat(4_094)}\n`,
      ["2:6 VALUE"],
      "takes 4097 bytes, and a dock takes 4096",
    ],
    ["an image without a path", "images:\n  a:\n    type: png\n", ["2:3 MISSING_KEY"], 'The image "a" has no path.'],
    ["an image without a type", "images:\n  a:\n    path: /a\n", ["2:3 MISSING_KEY"], 'The image "a" has no type.'],
    ["an image that is a path", "images:\n  a: /a.png\n", ["2:6 NOT_A_MAP"], 'The image "a" is text'],
    ["an image with a key too many", `${IMAGE}    size: '5'\n`, ["5:5 UNKNOWN_KEY"], '"size" isn\'t a key of an image'],
    ["jpg", IMAGE.replace("type: png", "type: jpg"), ["4:11 IMAGE_TYPE"], "Did you mean jpeg?"],
    [
      "an image type beyond guessing",
      IMAGE.replace("type: png", "type: heif"),
      ["4:11 IMAGE_TYPE"],
      "it is one of png, bmp, jpeg.",
    ],
    [
      "code with a key too many",
      "code:\n  path: /a\n  crc: 'x'\n",
      ["3:3 UNKNOWN_KEY"],
      '"crc" isn\'t a key of "code", which has path.',
    ],
    ["code without a path", "code: {}\n", ["1:1 MISSING_KEY"], '"code" has no path.'],
    ["another variable", IMAGE.replace("/a.png", `\${HOME}/a.png`), ["3:11 PATH"], `There is no "\${HOME}" in a config`],
    ["a variable that isn't closed", IMAGE.replace("/a.png", "${CONFIG_PATH/a.png"), ["3:11 PATH"], "There is no"],
    ["a $$ in a path", IMAGE.replace("/a.png", () => "/a$$.png"), ["3:11 PATH"], "makes one $ of $$"],
    ["an empty path", IMAGE.replace("/a.png", "''"), ["3:11 PATH"], "The path is empty"],
    ["U+0000 in a path", IMAGE.replace("/a.png", '"/a\\0.png"'), ["3:11 PATH"], "U+0000"],
    ["a time zone that no dock knows", "kv_store:\n  timezone: Europe/Berlin\n", ["2:13 TIMEZONE"], "CET, CST6CDT, EET"],
    ["an anchor that isn't there", "kv_store:\n  a: *b\n", ["2:6 YAML"], 'There is no anchor "b" before this alias.'],
    ["an alias inside its own anchor", "kv_store: &a\n  a: *a\n", ["2:6 YAML"], "There is no anchor"],
    ["a merge key", "kv_store:\n  <<: {a: b}\n", ["2:3 YAML"], "write them out"],
    ["a YAML tag", "kv_store:\n  a: !!python/name:os.system x\n", ["2:30 YAML"], "can't stand in a config"],
    ["binary data", "kv_store:\n  a: !!binary aGk=\n", ["2:15 YAML"], "can't stand in a config"],
    ["a second document", `${IMAGE}---\nfoo: bar\n`, ["5:1 YAML"], "A second YAML document begins here"],
    ["a tab that indents", "images:\n\ta: b\n", ["2:1 YAML"], "Indent with spaces."],
    ["a quotation mark that isn't closed", 'kv_store:\n  a: "b\n', ["3:1 YAML"], "Is a quotation mark"],
    ["a colon in plain text", "kv_store:\n  a: b: c\n", ["2:6 YAML"], "between quotation marks"],
  ];
  test.each(cases)("%s", (_, text, problems, message) => {
    const { messages, ...places } = found(text);
    expect(places, messages).toEqual({ problems, warnings: [] });
    expect(messages).toContain(message);
  });
});

describe("a warning is", () => {
  const cases: [name: string, text: string, warnings: string[], message: string][] = [
    ["text that PyYAML reads as a boolean", "kv_store:\n  a: yes\n", ["2:6 VENDOR"], '"yes" is a boolean'],
    ["text that PyYAML reads as a time of 60s", "kv_store:\n  a: 12:30:00\n", ["2:6 VENDOR"], '"12:30:00" is a number'],
    ["a key that PyYAML reads as a boolean", "kv_store:\n  on: a\n", ["2:3 VENDOR"], '"on" is a boolean'],
    ["a date", "kv_store:\n  a: 2024-01-01\n", ["2:6 VENDOR"], "a date"],
    ["a path that isn't absolute", IMAGE.replace("/a.png", "a.png"), ["3:11 VENDOR"], `write "\${CONFIG_PATH}/a.png"`],
    ["a $$ in a value", "kv_store:\n  a: pa$$word\n", ["2:6 VENDOR"], "puts one $ in place of $$"],
    [
      "the folder's variable in a value",
      `kv_store:\n  a: \${CONFIG_PATH}/x\n`,
      ["2:6 VENDOR"],
      "the folder of this file in place of",
    ],
    ["a tag called path", IMAGE.replace("a:", "path:"), ["2:3 VENDOR"], "for the path of a file"],
    ["a tab between a key and its value", "kv_store:\n  a:\tb\n", ["2:5 VENDOR"], "doesn't take a tab here"],
    ["what a directive of YAML 1.1 doesn't change", "%YAML 1.1\n---\nkv_store: {a: yes}\n", ["3:15 VENDOR"], "a boolean"],
    ["nothing to do", "{}", ["1:1 EMPTY"], "a dock that gets it has nothing either"],
    ["a directive of another YAML", "%FOO\n---\nkv_store: {a: b}\n", ["1:1 YAML"], "Unknown directive"],
  ];
  test.each(cases)("%s", (_, text, warnings, message) => {
    const { messages, ...places } = found(text);
    expect(places, messages).toEqual({ problems: [], warnings });
    expect(messages).toContain(message);
  });
});

test("five mistakes are named at once, in the order of their lines", () => {
  const text = `imags:
  default:
    path: /a.png
    type: jpg
kv_store:
  timezone: Mars
  brightness: 80
code:
  file: /app.py
`;
  expect(found(text).problems).toEqual([
    "1:1 UNKNOWN_KEY",
    "4:11 IMAGE_TYPE",
    "6:13 TIMEZONE",
    "7:15 NOT_TEXT",
    "8:1 MISSING_KEY",
    "9:3 UNKNOWN_KEY",
  ]);
});

test("what stands before the place from which YAML can't be understood is told, and what seems to be wrong after it isn't", () => {
  expect(found('kv_store:\n  a: 5\n  b: "c\nimags:\n  d: 5\n').problems).toEqual(["2:6 NOT_TEXT", "6:1 YAML"]);
});

test("what may stand where YAML can't be understood isn't missing", () => {
  expect(found(IMAGE.replace("/a.png", "/a: b")).problems).toEqual(["3:11 YAML"]);
});

test("after a character that needs quotation marks the rest is read as it was meant", () => {
  expect(found("kv_store:\n  a: @b\n  c: 5\n").problems).toEqual(["2:6 YAML", "3:6 NOT_TEXT"]);
});

describe("the vendor's script fails on a folder", () => {
  const path = IMAGE.replace("/a.png", `\${CONFIG_PATH}/a.png`);
  test.each([
    ["with an apostrophe", path, "/o'b", ["3:11 VENDOR"]],
    ["with an apostrophe, unless the path has one too", path.replace("a.png", "it's.png"), "/o'b", []],
    ["with a double quotation mark, if the path has an apostrophe", path.replace("a.png", "it's.png"), '/o"b', ["3:11 VENDOR"]],
    ["with a double quotation mark, not otherwise", path, '/o"b', []],
    ["with a backslash", path, "/o\\nb", ["3:11 VENDOR"]],
    ["with an apostrophe, not if it isn't named", IMAGE, "/o'b", []],
  ])("%s", (_, text, folder, warnings) => {
    expect(found(text, folder)).toMatchObject({ problems: [], warnings });
  });

  test("and that is told once", () => {
    const twice = `${path}  b:\n    path: \${CONFIG_PATH}/b.png\n    type: png\n`;
    expect(found(twice, "/o'b").warnings).toEqual(["3:11 VENDOR"]);
  });
});

test("a message shows what can't be seen", () => {
  const { messages } = found('kv_store:\n  "\\u202e\\e[31m": 5\n');
  expect(messages).toContain('The value of "\\u{202e}\\x1b[31m" is a number');
});
