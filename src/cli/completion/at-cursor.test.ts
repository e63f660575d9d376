/** What is wanted at the cursor, of the program as it is. */
import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { createProgram } from "../program.js";
import { usualContext } from "../testing/run-cli.js";
import { type AtCursor, atCursor } from "./at-cursor.js";

function at(...words: readonly string[]): AtCursor {
  return atCursor(
    createProgram(usualContext(), () => {}),
    words,
  );
}

/** The words that are wanted, or what else is. */
function wanted(...words: readonly string[]): readonly string[] | string {
  const { wanted } = at(...words);
  return wanted.kind === "words" ? wanted.words.map(({ text }) => text) : wanted.kind;
}

describe("where a word of the program stands", () => {
  test.each([
    [[""], ["ports", "image", "kv", "completion", "help"]],
    [
      ["image", ""],
      ["get", "put", "delete", "help"],
    ],
    [["--port", "mock:", "--json", "kv", ""], ["get"]],
    [["--port=mock:", "kv", ""], ["get"]],
    [["--"], ["--port", "--json", "--no-dtr", "--version"]],
    [["-"], ["--port"]],
    [
      ["image", "get", "--"],
      ["--output", "--store", "--port", "--quiet", "--help"],
    ],
    [
      ["image", "get", "default", "--"],
      ["--output", "--port"],
    ],
  ])("%j may be, among others, %j", (words, some) => {
    expect(wanted(...words)).toEqual(expect.arrayContaining(some));
  });

  test.each([
    [
      ["image", "get", "--store", ""],
      ["factory", "runtime", "ephemeral", "application"],
    ],
    [
      ["image", "put", "--store="],
      ["factory", "runtime", "ephemeral"],
    ],
    [
      ["snapshot", "restore", "--store", ""],
      ["factory", "runtime", "ephemeral"],
    ],
    [
      ["image", "put", "--type", "p"],
      ["png", "bmp", "jpeg", "none"],
    ],
    [
      ["--progress", ""],
      ["auto", "json", "none"],
    ],
    [
      ["kv", "export", "--format", ""],
      ["json", "env"],
    ],
    [
      ["completion", ""],
      ["bash", "zsh", "fish"],
    ],
  ])("%j is one of %j", (words, all) => {
    expect(wanted(...words)).toEqual(all);
  });

  test("the commands and options have their descriptions", () => {
    expect(at("").wanted).toMatchObject({ words: expect.arrayContaining([{ text: "image", description: "images" }]) });
    const port = { text: "--port", description: expect.stringContaining("id:SERIAL") };
    expect(at("ls", "-").wanted).toMatchObject({ words: expect.arrayContaining([port]) });
  });
});

describe("where a name stands that only the dock, the machine or the shell has", () => {
  test.each([
    [["image", "get", ""], "tags"],
    [["image", "get", "--store", "factory", "-o", "x.png", "d"], "tags"],
    [["image", "get", "-ox.png", ""], "tags"],
    [["image", "get", "--", "--"], "tags"],
    [["--json", "image", "delete", ""], "tags"],
    [["image", "put", "a.png", "--as", ""], "tags"],
    [["kv", "get", ""], "keys"],
    [["kv", "set", "--json-value", ""], "keys"],
    [["--port", ""], "ports"],
    [["image", "get", "default", "--port=id:"], "ports"],
    [["image", "get", "x", "-o", ""], "files"],
    [["image", "get", "x", "--output="], "files"],
    [["kv", "set", "a", "--file", ""], "files"],
    [["image", "put", ""], "files"],
    [["rom", "check", ""], "files"],
    [["snapshot", "save", ""], "files"],
  ])("%j is one of the %s", (words, kind) => {
    expect(wanted(...words)).toBe(kind);
  });

  test.each([
    [["ls", ""]],
    [["image", "get", "default", ""]],
    [["kv", "set", "a", ""]],
    [["nonsense", ""]],
    [["image", "nonsense", ""]],
    [["--timeout", ""]],
    [["--timeout="]],
    [["--nonsense="]],
    [["--json="]],
  ])("%j can't be guessed", (words) => {
    expect(wanted(...words)).toEqual([]);
  });

  test("of a command that was never heard of, by the names in its help", () => {
    const program = new Command("x");
    program.command("paint").argument("<tag>").argument("[key...]").option("--on <target>");
    const kinds = [
      ["paint", ""],
      ["paint", "a", ""],
      ["paint", "a", "b", "c", ""],
      ["paint", "--on", ""],
    ].map((words) => atCursor(program, words).wanted.kind);
    expect(kinds).toEqual(["tags", "keys", "keys", "ports"]);
  });
});

test("what the word has before it stays", () => {
  expect(["--port=mo", "--port", "a=b"].map((word) => at(word).kept)).toEqual(["--port=", "", ""]);
});

test("a word like an option is one, but after -- and after an option that waits for its value", () => {
  expect(at("image", "get", "").takesDashes).toBe(false);
  expect(at("image", "get", "--", "").takesDashes).toBe(true);
  expect(at("image", "put", "--as", "").takesDashes).toBe(true);
});

test("the options on the line are told in their order, wherever they stand", () => {
  const { given } = at("--port", "a", "image", "--no-dtr", "get", "--port=--b", "-oc", "x", "");
  expect(given.map(({ option, value }) => [option.long, value])).toEqual([
    ["--port", "a"],
    ["--no-dtr", ""],
    ["--port", "--b"],
    ["--output", "c"],
  ]);
});

test("the layer is the last that is named, else the one that the command writes to", () => {
  expect(at("image", "get", "").store).toBeUndefined();
  expect(at("image", "get", "--store", "factory", "--store=runtime", "").store).toBe("runtime");
  expect(at("image", "delete", "").store).toBe("runtime");
});
