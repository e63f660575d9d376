import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DockError } from "../errors.js";
import { mockArguments } from "./mock-target.js";

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dl7450-mock-target-"));
  file = join(folder, "t.ndjson");
  await writeFile(file, "");
});
afterAll(() => rm(folder, { recursive: true }));

function refusal(text: string): DockError {
  try {
    mockArguments(text);
  } catch (error) {
    if (error instanceof DockError) return error;
    throw error;
  }
  throw new Error("it was taken");
}

describe("what follows mock: is what the program is started with:", () => {
  test.each([
    ["", []],
    ["full", ["--profile", "full"]],
    ["development?state=a%26b&name=RW02-0005", ["--profile", "development", "--state", "a&b", "--name", "RW02-0005"]],
    ["?state=./with+plus", ["--state", "./with+plus"]],
    ["?seed=12", ["--seed", "12"]],
  ])("%j", (text, args) => {
    expect(mockArguments(text)).toEqual(args);
  });

  test("a folder is a snapshot, a file a trace, wherever the program is started", () => {
    expect(mockArguments(folder)).toEqual(["--from", folder]);
    expect(mockArguments(file)).toEqual(["--replay", file]);
    expect(mockArguments(`${relative(".", file)}?seed=1`)).toEqual(["--replay", file, "--seed", "1"]);
    expect(mockArguments("micropython?name=B")).toEqual(["--engine", "micropython", "--name", "B"]);
    expect(mockArguments(`preview?from=${encodeURIComponent(folder)}`)).toEqual(["--profile", "preview", "--from", folder]);
    expect(mockArguments(`?replay=${encodeURIComponent(file)}`)).toEqual(["--replay", file]);
  });

  test("a path without any mark of one is one when it is there", () => {
    expect(mockArguments("src")).toEqual(["--from", resolve("src")]);
  });
});

describe("what it can't be is USAGE:", () => {
  test.each([
    ["micropython?state=S", "it takes no state"],
    ["other", "no profile, and no path that exists. A mock dock is mock:, mock:preview"],
    ["./none", `"./none" doesn't exist. A mock dock is mock:, mock:preview`],
    ["there\\is\\none", "doesn't exist"],
    ["a.\u001b[2J", '"a.\\x1b[2J" doesn\'t exist'],
    ["a.\0", "doesn't exist"],
    ["?profile=full", 'has no option "profile": there are state, name, from, replay, seed'],
    ["?", 'has no option ""'],
    ["?name=", "name needs a value"],
    ["?name=%zz", "name needs a value"],
    ["?seed=-1", "seed is a whole number"],
    ["?name=a&name=b", "name is given twice"],
    ["?from=./none", "doesn't exist"],
  ])("%j", (text, message) => {
    expect(refusal(text)).toMatchObject({ code: "USAGE", message: expect.stringContaining(message) });
  });

  test("a folder where a file belongs and the other way round", () => {
    expect(refusal(`?replay=${encodeURIComponent(folder)}`).message).toContain("replay is a file");
    expect(refusal(`?from=${encodeURIComponent(file)}`).message).toContain("from is a folder");
  });

  test("a trace with what would make the dock another one", () => {
    expect(refusal(`${file}?name=A`).message).toContain("it takes no name");
    expect(refusal(`preview?replay=${encodeURIComponent(file)}`).message).toContain("it takes no profile");
    expect(refusal(`${file}?replay=${encodeURIComponent(file)}`).message).toContain("given twice");
  });
});
