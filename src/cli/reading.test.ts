/** The commands that read, on a dock whose names and values are made to do harm. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MockDock } from "./testing/mock-dock.js";
import { type Ran, runCli, unsafeLines } from "./testing/run-cli.js";

const EVIL = "x\u001b[31m\n\u009b1m\u202e\\";
const EVIL_SHOWN = "x\\x1b[31m\\n\\x9b1m\\u{202e}\\\\";

const data = {
  factory: {
    images: { [EVIL]: { random: 10, type: "png" }, logo: { random: 20, type: "bmp" } },
    keys: {
      [EVIL]: EVIL,
      empty: "",
      mode: "factory",
      nested: { $a: [1, null, "\u001b"], b: { $bytes: "0102" } },
      token: { $dock: "token" },
    },
  },
  runtime: { images: { logo: { random: 30, type: "jpeg" } }, keys: { mode: "runtime" } },
  ephemeral: { images: {}, keys: { mode: "ephemeral" } },
};

let dock: MockDock;
let preview: MockDock;
beforeAll(async () => {
  [dock, preview] = await Promise.all([MockDock.start(data), MockDock.start(data, "--profile", "preview")]);
});
afterAll(async () => {
  await Promise.all([dock.stop(), preview.stop()]);
});

function run(...argv: string[]): Promise<Ran> {
  return runCli(["--port", dock.target, ...argv]);
}

/** The cells of a listing. */
function cells({ stdout }: Ran): string[][] {
  const lines = stdout.split("\n").slice(0, -1);
  return lines.map((line) => line.split(/ {2,}/));
}

describe("ls", () => {
  test("lists every layer, and marks what a layer earlier in the lookup order answers for", async () => {
    expect(cells(await run("ls"))).toEqual([
      ["kind", "name", "layer", "size", "type", "shadowed"],
      ["image", "logo", "runtime", "30", "jpeg"],
      ["image", "logo", "factory", "20", "bmp", "shadowed"],
      ["image", EVIL_SHOWN, "factory", "10", "png"],
      ["key", "empty", "factory", "1", "value"],
      ["key", "mode", "ephemeral", "10", "value"],
      ["key", "mode", "factory", "8", "value", "shadowed"],
      ["key", "mode", "runtime", "8", "value", "shadowed"],
      ["key", "nested", "factory", expect.any(String), "value"],
      ["key", "token", "factory", expect.any(String), "value"],
      ["key", EVIL_SHOWN, "factory", expect.any(String), "value"],
    ]);
  });

  test("--store lists one layer, and still knows what is shadowed", async () => {
    expect(cells(await run("ls", "--store", "runtime"))).toEqual([
      ["kind", "name", "layer", "size", "type", "shadowed"],
      ["image", "logo", "runtime", "30", "jpeg"],
      ["key", "mode", "runtime", "8", "value", "shadowed"],
    ]);
  });

  test("--store application is ephemeral before runtime", async () => {
    const listed = cells(await run("ls", "--store", "application"));
    expect(listed.slice(1).map(([, name, layer]) => `${name} ${layer}`)).toEqual(["logo runtime", "mode ephemeral"]);
  });

  test("--json gives images and keys with all that is known", async () => {
    const { stdout } = await run("ls", "--json", "--store", "factory");
    expect(unsafeLines(stdout)).toEqual([]);
    const sha256 = expect.stringMatching(/^[0-9a-f]{64}$/);
    const listed: unknown = JSON.parse(stdout);
    expect(listed).toEqual({
      images: [
        { tag: "logo", type: "bmp", size: 20, store: "factory", sha256, shadowed: true },
        { tag: EVIL, type: "png", size: 10, store: "factory", sha256, shadowed: false },
      ],
      keys: expect.arrayContaining([
        { key: "mode", store: "factory", bytes: 8, upd: false, shadowed: true },
        { key: "token", store: "factory", bytes: 45, upd: true, shadowed: false },
      ]),
    });
  });

  test("on a dock that can't name layers lists what answers", async () => {
    const listed = cells(await runCli(["ls", "--port", preview.target]));
    expect(listed.filter(([, name]) => name === "logo" || name === "mode")).toEqual([
      ["image", "logo", "factory", "20", "bmp"],
      ["key", "mode", "factory", "8", "value"],
    ]);
  });

  test("--store on a dock that can't name layers is refused", async () => {
    expect(await runCli(["ls", "--store", "factory", "--port", preview.target])).toMatchObject({ exitCode: 7, stdout: "" });
  });
});

describe("kv list", () => {
  test("lists each key once, from the layer that answers", async () => {
    const listed = cells(await run("kv", "list"));
    expect(listed[0]).toEqual(["key", "layer", "size", "per dock"]);
    expect(listed.slice(1).map(([key]) => key)).toEqual(["empty", "mode", "nested", "token", EVIL_SHOWN]);
    expect(listed).toContainEqual(["mode", "ephemeral", "10"]);
    expect(listed).toContainEqual(["token", "factory", "45", "unique"]);
  });

  test("--json is an array", async () => {
    const { stdout } = await run("kv", "list", "--json", "--store", "runtime");
    expect(JSON.parse(stdout)).toEqual([{ key: "mode", store: "runtime", bytes: 8, upd: false }]);
  });
});

describe("kv get", () => {
  test("prints text as it is, made visible, and all else in diagnostic notation", async () => {
    expect(await run("kv", "get", "mode")).toEqual(expect.objectContaining({ exitCode: 0, stdout: "ephemeral\n", stderr: "" }));
    expect((await run("kv", "get", EVIL)).stdout).toBe(`${EVIL_SHOWN}\n`);
    expect((await run("kv", "get", "nested")).stdout).toBe(`{"$a": [1, null, "\\u001b"], "b": {"$bytes": "0102"}}\n`);
  });

  test("looks where --store says", async () => {
    expect((await run("kv", "get", "mode", "--store", "factory")).stdout).toBe("factory\n");
    expect(await run("kv", "get", "token", "--store", "runtime")).toMatchObject({ exitCode: 4 });
  });

  test("tells an empty value, which is there, from a key that is missing", async () => {
    expect(await run("kv", "get", "empty")).toMatchObject({ exitCode: 0, stdout: "\n" });
    const { exitCode, stdout, stderr } = await run("kv", "get", "no\u001b[31m");
    expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: "" });
    expect(stderr).toMatch(/^dl7450: There is no key "no\\x1b\[31m" on the dock\./);
  });

  test("--json gives the value with where it came from", async () => {
    const { stdout } = await run("--json", "kv", "get", "nested");
    expect(unsafeLines(stdout)).toEqual([]);
    const value = { $$a: [1, null, "\u001b"], b: { $$bytes: "0102" } };
    expect(JSON.parse(stdout)).toEqual({ key: "nested", store: "factory", upd: false, value });
  });

  test("--json tells a missing key on stderr", async () => {
    const { exitCode, stdout, stderr } = await run("kv", "get", "nope", "--json");
    expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: "" });
    expect(JSON.parse(stderr)).toEqual({ error: { code: "NOT_FOUND", message: expect.any(String), exitCode: 4 } });
  });

  test("a key that can't be one is wrong usage", async () => {
    expect(await run("kv", "get", "")).toMatchObject({ exitCode: 2, stdout: "" });
  });
});

describe("image list", () => {
  test("lists each tag once, made visible", async () => {
    const sha256 = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(cells(await run("image", "list"))).toEqual([
      ["tag", "layer", "size", "type", "sha256"],
      ["logo", "runtime", "30", "jpeg", sha256],
      [EVIL_SHOWN, "factory", "10", "png", sha256],
    ]);
  });

  test("--json is an array; a layer without images is an empty one", async () => {
    const { stdout } = await run("image", "list", "--json", "--store", "runtime");
    expect(JSON.parse(stdout)).toEqual([{ tag: "logo", type: "jpeg", size: 30, store: "runtime", sha256: expect.any(String) }]);
    expect((await run("image", "list", "--json", "--store", "ephemeral")).stdout).toBe("[]\n");
  });

  test("of a layer without images is nothing, and a remark", async () => {
    const none = { exitCode: 0, stdout: "", stderr: "There are no images.\n" };
    expect(await run("image", "list", "--store", "ephemeral")).toMatchObject(none);
  });
});

describe("image token", () => {
  test("prints hexadecimal that image get takes in place of a tag", async () => {
    const { stdout } = await run("image", "token", "logo", "--store", "factory");
    expect(stdout).toMatch(/^[0-9a-f]+\n$/);
    const { exitCode, data } = await run("image", "get", "--token", stdout.trim());
    expect({ exitCode, length: data.length }).toEqual({ exitCode: 0, length: 20 });
  });

  test("of a missing image ends with 4, an unknown token with 7", async () => {
    expect(await run("image", "token", "nope")).toMatchObject({ exitCode: 4, stdout: "" });
    expect(await run("image", "get", "--token", "00")).toMatchObject({ exitCode: 7, stdout: "" });
  });
});

describe("info", () => {
  test("tells a line for each thing", async () => {
    const { stdout } = await run("info");
    expect(stdout).toMatch(/^name {8}MOCK-0001$/m);
    expect(stdout).toMatch(/^runtime {5}\d+ of 13000000 bytes used$/m);
  });

  test("--json is what the library gives", async () => {
    const info: unknown = JSON.parse((await run("info", "--json")).stdout);
    expect(info).toMatchObject({ name: "MOCK-0001", features: expect.arrayContaining(["stores"]), bootId: expect.any(String) });
  });
});
