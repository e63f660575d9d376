/** Commands that look: df, image which, kv export. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { benchWith, cells, scratch } from "./bench.js";

const PNG = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), Buffer.alloc(100)]);

describe("df", () => {
  test("tells of each layer its size, and what is used and free", async () => {
    const { run, json } = await benchWith("full", { runtime: { images: { a: ["none", Buffer.alloc(1_300_000)] } } });
    expect(cells((await run("df")).stdout)).toEqual([
      ["layer", "size", "used", "free", "use"],
      ["factory", "13000000", "0", "13000000", "0%"],
      ["runtime", "13000000", "1300001", "11699999", "11%"],
      ["ephemeral", "128000000", "0", "128000000", "0%"],
    ]);
    expect(await json("df")).toContainEqual({ store: "runtime", capacity: 13_000_000, used: 1_300_001, free: 11_699_999 });
  });
});

describe("image which", () => {
  test("names the layer that answers, and those that it hides", async () => {
    const held = { images: { logo: ["png", PNG] } } as const;
    const { run, json } = await benchWith("full", { factory: held, runtime: held });
    const { stdout } = await run("image", "which", "logo");
    expect(cells(stdout).map(([layer, answers]) => [layer, answers])).toEqual([
      ["layer", "size"],
      ["runtime", "answers"],
      ["factory", "hidden"],
    ]);
    expect(await json("image", "which", "logo")).toMatchObject([
      { tag: "logo", store: "runtime", answers: true },
      { tag: "logo", store: "factory", answers: false },
    ]);
  });

  test("on a dock whose layers can't be named, the one that answers", async () => {
    const { json } = await benchWith("preview", { factory: { images: { logo: ["png", PNG] } } });
    expect(await json("image", "which", "logo")).toMatchObject([{ store: "factory", answers: true }]);
  });

  test("a tag that isn't there ends with 4", async () => {
    expect(await (await benchWith("full")).run("image", "which", "logo")).toMatchObject({ exitCode: 4, stdout: "" });
  });
});

describe("kv export", () => {
  const keys = { a: "one two", b: "it's", ["__proto__"]: "c" };

  test("is what kv import takes: JSON that keeps every value", async () => {
    const all = { ...keys, n: 2n ** 60n, bytes: Uint8Array.of(1), list: [null, { a: 1.5 }], off: false };
    const from = await benchWith("full", { factory: { keys: all } });
    const file = join(await scratch(), "keys.json");
    expect(await from.run("kv", "export", file)).toMatchObject({ exitCode: 0, stdout: "", stderr: `${file}: 7 keys\n` });
    const to = await benchWith("full");
    expect(await to.run("kv", "import", file)).toMatchObject({ exitCode: 0 });
    expect(to.dock.held("runtime").keys).toEqual(all);
    expect(JSON.parse((await from.run("kv", "export")).stdout)).toEqual(JSON.parse(await readFile(file, "utf8")));
  });

  test("as .env it is what dotenv reads, whatever the text", async () => {
    const texts = [
      "",
      " ",
      "a b",
      "it's",
      'say "x"',
      "`",
      "#",
      "a\nb",
      "a\r\nb",
      "\\",
      "$HOME",
      "a=b",
      "'\"",
      "end\\",
      "'x",
      "y'",
      "z",
      '"',
      "a 'b",
    ];
    const values = Object.fromEntries(texts.map((text, i) => [`key_${i}`, text]));
    const from = await benchWith("full", { factory: { keys: values } });
    const { stdout } = await from.run("kv", "export", "--format", "env");
    const file = join(await scratch(), ".env");
    await writeFile(file, stdout);
    const to = await benchWith("full");
    expect(await to.run("kv", "import", file)).toMatchObject({ exitCode: 0 });
    expect(to.dock.held("runtime").keys).toEqual(values);
  });

  test("as .env what can't be in one is named, and nothing is written", async () => {
    const { run } = await benchWith("full", { factory: { keys: { ok: "x", "a b": "x", number: 1, all: "'\"`\n\\n" } } });
    const { exitCode, stdout, stderr } = await run("kv", "export", "--format", "env");
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain(`it can't have "a b", "all", "number". --format json can.`);
  });
});
