/** Commands that change: kv import, --file, what is there already, --dry-run, and asking for the dock's name. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { type Bench, benchWith, cells, scratch } from "./bench.js";

const PNG = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), Buffer.alloc(100)]);

async function fileWith(name: string, content: string | Uint8Array): Promise<string> {
  const file = join(await scratch(), name);
  await writeFile(file, content);
  return file;
}

function stdinWith(text: string): Readable {
  return Readable.from([Buffer.from(text.slice(0, 3)), Buffer.from(text.slice(3))]);
}

describe("kv import", () => {
  test("sets what differs, leaves other keys alone, and says what it did", async () => {
    const { dock, run } = await benchWith("full", { runtime: { keys: { a: "1", b: "2", c: "3" } } });
    const file = await fileWith("keys.json", '{"a": "1", "b": 2, "d": [null]}');
    const { generation } = { generation: dock.model.generation("runtime") };
    const { stdout, stderr } = await run("kv", "import", file);
    expect(cells(stdout).slice(1)).toEqual([
      ["runtime", "key", "b", '"2"', "2"],
      ["runtime", "key", "d", "-", "[null]"],
    ]);
    expect(stderr).toBe(`${file}: imported, 2 differences\n`);
    expect(dock.held("runtime").keys).toEqual({ a: "1", b: 2, c: "3", d: [null] });
    expect(dock.model.generation("runtime")).toBe(generation + 1);
    expect((await run("kv", "import", file)).stderr).toBe(`${file}: all 3 keys have these values already\n`);
    expect(dock.model.generation("runtime")).toBe(generation + 1);
  });

  test("takes stdin, and .env files by their name or when told", async () => {
    const { dock, run, runWith } = await benchWith("full");
    const env = await fileWith("bench.env", "A=1\n# no\nexport B='two words'\n");
    expect(await run("kv", "import", env)).toMatchObject({ exitCode: 0 });
    const given = { stdin: () => stdinWith("C=3") };
    expect(await runWith(given, "kv", "import", "-", "--format", "env")).toMatchObject({ exitCode: 0 });
    expect(await runWith({ stdin: () => stdinWith('{"D": 4}') }, "kv", "import", "-")).toMatchObject({ exitCode: 0 });
    expect(dock.held("runtime").keys).toEqual({ A: "1", B: "two words", C: "3", D: 4 });
  });

  test.each([
    ["{", 2, "isn't keys and values in JSON: "],
    ["[]", 2, "it isn't an object of keys and values"],
    ['{"a": {"$hex": "00"}}', 2, 'the value of "a": a $hex that isn\'t one of'],
    ['{"a": 12345678901234567}', 2, "12345678901234567 would lose digits"],
    ['{"ok": 1, "": 2}', 2, "A key is text of at least one character"],
    [`{"ok": 1, "a": "${"x".repeat(5_000)}"}`, 7, "this dock takes 4096"],
    ["\xff", 1, "isn't text in UTF-8"],
  ])("%s is refused, and nothing is set", async (content, exitCode, said) => {
    const { dock, run } = await benchWith("full");
    const ran = await run("kv", "import", await fileWith("keys.json", Buffer.from(content, "latin1")));
    expect(ran).toMatchObject({ exitCode, stdout: "" });
    expect(ran.stderr).toContain(said);
    expect(dock.held("runtime").keys).toEqual({});
  });

  test("is all or nothing", async () => {
    const { dock, run } = await benchWith("full", { runtime: { images: { large: ["none", Buffer.alloc(12_998_000)] } } });
    const file = await fileWith("keys.json", JSON.stringify({ a: "x", b: "x".repeat(3_000) }));
    expect(await run("kv", "import", file)).toMatchObject({ exitCode: 7 });
    expect(dock.held("runtime").keys).toEqual({});
  });
});

describe("kv set --file", () => {
  test("takes what the file has, to its last line end; with --json-value as JSON; - is stdin", async () => {
    const { dock, run, runWith } = await benchWith("full");
    await run("kv", "set", "pem", "--file", await fileWith("dock.pem", "a\nb\n"));
    await run("kv", "set", "list", "--json-value", "--file", await fileWith("list.json", "[1, 2]\n"));
    await runWith({ stdin: () => stdinWith("piped") }, "kv", "set", "stdin", "--file", "-");
    expect(dock.held("runtime").keys).toEqual({ pem: "a\nb\n", list: [1, 2], stdin: "piped" });
  });

  test("of a file that isn't text, or isn't there, ends with 1", async () => {
    const { run } = await benchWith("full");
    const binary = await fileWith("x", Uint8Array.of(0xff, 0xfe));
    expect(await run("kv", "set", "a", "--file", binary)).toMatchObject({
      exitCode: 1,
      stderr: `dl7450: ${binary} isn't text in UTF-8.\n`,
    });
    expect(await run("kv", "set", "a", "--file", `${binary}.no`)).toMatchObject({ exitCode: 1 });
  });
});

describe("image put of what is there already", () => {
  test("writes nothing, and says so", async () => {
    const { dock, run, json, runWith } = await benchWith("full", { runtime: { images: { logo: ["png", PNG] } } });
    const file = await fileWith("logo.png", PNG);
    const before = dock.model.generation("runtime");
    expect((await run("image", "put", file)).stderr).toMatch(/^logo: is there already, 108 bytes, png, runtime, sha256 /);
    expect(await json("image", "put", file)).toMatchObject({ tag: "logo", outcome: "is there already" });
    const given = { stdin: () => Readable.from([PNG]) };
    expect((await runWith(given, "image", "put", "-", "--as", "logo")).stderr).toContain("is there already");
    expect(dock.model.generation("runtime")).toBe(before);
  });

  test("as another type, under another tag or in another layer it is put", async () => {
    const { run, dock } = await benchWith("full", { runtime: { images: { logo: ["png", PNG] } } });
    const file = await fileWith("logo.png", PNG);
    await run("image", "put", file, "--type", "none");
    await run("image", "put", file, "--as", "other");
    await run("image", "put", file, "--store", "ephemeral");
    expect(dock.held("runtime").images).toMatchObject({ logo: ["none", expect.anything()], other: ["png", expect.anything()] });
    expect(Object.keys(dock.held("ephemeral").images)).toEqual(["logo"]);
  });
});

describe("--dry-run changes nothing, and says what would be done", () => {
  const held = { images: { logo: ["png", PNG] }, keys: { a: "1" } } as const;
  const commands: [argv: string[], exitCode: number, said: string][] = [
    [["kv", "set", "a", "2"], 0, "a: would be set, runtime\n"],
    [["kv", "set", "a", "1"], 0, "a: has that value already, runtime\n"],
    [["kv", "set", "a", "x".repeat(5_000)], 7, "dl7450: The value is 5003 bytes long, encoded; this dock takes 4096.\n"],
    [["kv", "set", "k".repeat(200), "x"], 7, "dl7450: The key is 200 bytes long; this dock takes 128.\n"],
    [
      ["kv", "set", "a", "2", "--store", "factory", "--confirm", "RW02-0005"],
      7,
      "dl7450: This dock can't do that: writing to the layer factory",
    ],
    [["kv", "delete", "a"], 0, "a: would be deleted, runtime\n"],
    [["kv", "delete", "b"], 4, 'dl7450: There is no key "b" in the layer runtime.'],
    [["image", "delete", "logo"], 0, "logo: would be deleted, runtime\n"],
    [["image", "delete", "b"], 4, 'dl7450: There is no image "b" in the layer runtime.'],
    [["restart"], 0, "RW02-0005: would restart\n"],
    [["reset", "--confirm", "RW02-0005"], 0, "RW02-0005: would be reset\n"],
    [["reset"], 0, "RW02-0005: would be reset\n"],
    [["reset", "--confirm", "RW02-0006"], 2, 'dl7450: This dock is "RW02-0005", not "RW02-0006": nothing was done.'],
  ];
  test.each(commands)("%j", async (argv, exitCode, said) => {
    const { dock, run } = await benchWith("full", { runtime: held });
    const before = { boot: dock.model.bootId, generation: dock.model.generation() };
    const ran = await run(...argv, "--dry-run");
    expect(ran).toMatchObject({ exitCode, stdout: "", stderr: expect.stringContaining(said) });
    expect({ boot: dock.model.bootId, generation: dock.model.generation() }).toEqual(before);
  });

  test("of files too: image put, kv import", async () => {
    const { dock, run, json } = await benchWith("full", { runtime: held });
    const before = dock.model.generation();
    const png = await fileWith("new.png", PNG);
    expect((await run("image", "put", png, "--dry-run")).stderr).toContain(
      "new: would be put, 108 bytes, png, runtime, sha256 ",
    );
    expect(await json("image", "put", png, "--dry-run")).toMatchObject({ outcome: "would be put" });
    const keys = await fileWith("keys.json", '{"a": 2}');
    expect((await run("kv", "import", keys, "--dry-run")).stderr).toBe(`${keys}: would be imported, 1 difference\n`);
    expect(dock.model.generation()).toBe(before);
  });

  test("and what can't be done on this dock says so", async () => {
    const { run } = await benchWith("preview");
    for (const argv of [["restart"], ["reset", "--confirm", "RW02-0005"], ["kv", "set", "a", "1"]]) {
      expect(await run(...argv, "--dry-run")).toMatchObject({ exitCode: 7, stdout: "" });
    }
  });
});

describe("what destroys asks for the dock's name", () => {
  const destroying: [what: string, argv: string[], isDone: (bench: Bench) => boolean][] = [
    ["reset", ["reset"], ({ dock }) => Object.keys(dock.held("runtime").keys).length === 0],
    ["a write to factory", ["kv", "set", "a", "2", "--store", "factory"], ({ dock }) => dock.held("factory").keys.a === "2"],
  ];
  test.each(destroying)("%s, on a terminal: typed, it is done", async (_what, argv, isDone) => {
    const bench = await benchWith("development", { runtime: { keys: { a: "1" } } });
    const asked: string[] = [];
    const ask = async (question: string): Promise<string> => {
      asked.push(question);
      return "RW02-0005";
    };
    expect(await bench.runWith({ ask }, ...argv)).toMatchObject({ exitCode: 0 });
    expect(asked).toEqual([expect.stringMatching(/^This dock is "RW02-0005": .* for good\.\nIts name, to go on: $/)]);
    expect(isDone(bench)).toBe(true);
  });

  test.each(destroying)("%s: another name, or none, ends with 2, and nothing is done", async (_what, argv, isDone) => {
    const bench = await benchWith("development", { runtime: { keys: { a: "1" } } });
    for (const answer of ["RW02-0006", "yes", ""]) {
      expect(await bench.runWith({ ask: async () => answer }, ...argv)).toMatchObject({ exitCode: 2, stdout: "" });
    }
    expect(await bench.run(...argv)).toMatchObject({ exitCode: 2, stdout: "" });
    expect(isDone(bench)).toBe(false);
  });
});
