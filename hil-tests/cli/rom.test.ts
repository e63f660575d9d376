/** The vendor's provisioning file against a dock: rom push, rom verify, rom pull. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { configFolder, PROGRAM, png, SAMPLE } from "../../src/rom/testing/config-folder.js";
import { type Bench, benchWith, cells, scratch } from "./bench.js";

const code = Buffer.from(PROGRAM);
const OLD = { images: { old: ["png", png(8, 8)] }, keys: { timezone: "CET", gone: "x" }, unique: { token: "mine" } } as const;
const CONFIRM = ["--confirm", "RW02-0005"];

/** A development dock with other factory data, and a config beside it. */
async function bench(options = { code }): Promise<Bench & { config: string; folder: string }> {
  const folder = await configFolder();
  return { ...(await benchWith("development", { factory: OLD }, options)), folder, config: join(folder, "config.yaml") };
}

describe("rom push", () => {
  test("has the factory layer hold what the config asks for, and what is unique per dock", async () => {
    const { dock, run, config, folder } = await bench();
    const ran = await run("rom", "push", config, ...CONFIRM);
    expect(ran).toMatchObject({ exitCode: 0, stderr: `${config}: pushed, 5 images and keys\n` });
    expect(cells(ran.stdout).map(([, , name]) => name)).toEqual(["name", "default", "old", "dock_name", "gone", "timezone"]);
    const image = new Uint8Array(await readFile(join(folder, "background.png")));
    expect(dock.held("factory")).toEqual({
      images: { default: ["png", image] },
      keys: { dock_name: "IoT Demo Dock", timezone: "GMT", token: "mine" },
    });
    expect(dock.model.key("token", "factory")?.upd).toBe(true);
  });

  test("of what is there already sends less than 20 kB, and writes nothing", async () => {
    const { dock, run, config } = await bench();
    await run("rom", "push", config, ...CONFIRM);
    const before = { received: dock.received, generation: dock.model.generation() };
    const { stderr } = await run("rom", "push", config, ...CONFIRM);
    expect(stderr).toBe(`${config}: images and keys are the same, nothing was sent\n`);
    expect(dock.received - before.received).toBeLessThan(20_000);
    expect(dock.model.generation()).toBe(before.generation);
  });

  test("is all or nothing", async () => {
    const folder = await configFolder({ "large.png": Buffer.concat([png(), Buffer.alloc(9_000_000)]) });
    const config = join(folder, "config.yaml");
    await writeFile(config, SAMPLE.replace("background.png", "large.png"));
    const { dock, run } = await benchWith("development", { factory: OLD }, { code, capacities: { factory: 5_000_000 } });
    const before = dock.held("factory");
    expect(await run("rom", "push", config, ...CONFIRM)).toMatchObject({ exitCode: 7 });
    expect(dock.held("factory")).toEqual(before);
  });

  test("--dry-run says what would be done", async () => {
    const { dock, run, config } = await bench();
    const before = dock.model.generation();
    const { exitCode, stderr } = await run("rom", "push", config, "--dry-run");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: `${config}: would be pushed, 5 images and keys\n` });
    expect(dock.model.generation()).toBe(before);
  });

  test("with other code on the dock ends with 8: images and keys are there, the code isn't", async () => {
    const { dock, run, config } = await bench({ code: Buffer.from("other") });
    const { exitCode, stderr } = await run("rom", "push", config, ...CONFIRM);
    expect(exitCode).toBe(8);
    expect(stderr).toContain(
      `code: 5 bytes, CRC-32 ${hex(crc32("other"))} on the dock, ${code.length} bytes, CRC-32 ${hex(crc32(code))} in`,
    );
    expect(stderr).toContain("dl7450: The dock's code is another: only the vendor's service can write it.\n");
    expect(dock.held("factory").keys).toMatchObject({ timezone: "GMT" });
  });

  test("a config with problems isn't pushed: they are listed, and it ends with 7", async () => {
    const { dock, run, config } = await bench();
    await writeFile(config, SAMPLE.replace('"GMT"', "12"));
    const before = dock.received;
    const { exitCode, stdout, stderr } = await run("rom", "push", config, ...CONFIRM);
    expect({ exitCode, stdout }).toEqual({ exitCode: 7, stdout: "" });
    expect(stderr).toMatch(/config\.yaml:7:15: error: .*\ndl7450: .*config\.yaml: 1 problem\n$/);
    expect(dock.received).toBe(before);
  });

  test("to another dock, or one that isn't for development, isn't done", async () => {
    const { dock, run, config } = await bench();
    expect(await run("rom", "push", config, "--confirm", "RW02-0006")).toMatchObject({ exitCode: 2 });
    expect(await run("rom", "push", config)).toMatchObject({ exitCode: 2 });
    expect(dock.held("factory").keys).toMatchObject({ timezone: "CET" });
    const full = await benchWith("full", { factory: OLD });
    expect(await full.run("rom", "push", config, ...CONFIRM)).toMatchObject({ exitCode: 7 });
    expect(full.dock.held("factory").keys).toMatchObject({ timezone: "CET" });
  });
});

describe("rom verify", () => {
  test("lists what differs and ends with 8, with 0 when nothing does; --json has the code too", async () => {
    const { run, json, config } = await bench();
    const different = await run("rom", "verify", config);
    expect(different).toMatchObject({
      exitCode: 8,
      stderr: `dl7450: The dock isn't as in ${config}: 5 of its images and keys differ.\n`,
    });
    expect(cells(different.stdout)).toContainEqual(["factory", "key", "timezone", '"CET"', '"GMT"']);
    await run("rom", "push", config, ...CONFIRM);
    expect(await run("rom", "verify", config)).toMatchObject({
      exitCode: 0,
      stdout: "",
      stderr: `${config}: the dock is the same\n`,
    });
    expect(await json("rom", "verify", config)).toEqual({ differences: [], code: { kind: "same" } });
  });

  test("other code makes it differ; where the dock doesn't tell its code, that is said", async () => {
    const { run, config } = await bench({ code: Buffer.from("other") });
    await run("rom", "push", config, ...CONFIRM);
    expect(await run("rom", "verify", config)).toMatchObject({
      exitCode: 8,
      stderr: expect.stringContaining("its code differ"),
    });
    const preview = await benchWith("preview", { factory: { keys: { timezone: "GMT", dock_name: "IoT Demo Dock" } } });
    const { stderr } = await preview.run("rom", "verify", config);
    expect(stderr).toContain("code: not compared, the dock doesn't tell its CRC-32\n");
  });

  test("a value that is unique per dock counts where the config names it", async () => {
    const { run, config } = await bench();
    await run("rom", "push", config, ...CONFIRM);
    await writeFile(config, SAMPLE.replace("kv_store:\n", 'kv_store:\n  "token": "another"\n'));
    expect(cells((await run("rom", "verify", config)).stdout)).toContainEqual([
      "factory",
      "key",
      "token",
      '"mine"',
      '"another"',
    ]);
  });
});

describe("rom pull", () => {
  const names = [
    "a b",
    "../../etc/passwd",
    "CON",
    "__proto__",
    "yes",
    "12",
    "null",
    "'",
    '"',
    "\\n",
    "#",
    "-",
    "画像",
    "\u2028",
    "\u{1f600}",
    "\u0085",
  ];

  test("gives a config that passes rom check, and from which nothing differs, whatever the names and values", async () => {
    const keys = Object.fromEntries(names.flatMap((name) => [[name, name] as const]));
    const images = Object.fromEntries(names.map((name, i) => [name, ["png", png(8, 8 + i)] as const]));
    const { run } = await benchWith("development", { factory: { keys, images, unique: { token: "mine" } } }, { code });
    const folder = join(await scratch(), "pulled");
    const pulled = await run("rom", "pull", folder);
    expect(pulled).toMatchObject({ exitCode: 0, stdout: "" });
    expect(pulled.stderr).toBe(
      `left out: the key "token" (unique per dock)\n${folder}: ${names.length} images, ${names.length} keys\n`,
    );
    const config = join(folder, "config.yaml");
    expect(await run("rom", "check", config)).toMatchObject({ exitCode: 0 });
    expect(await run("rom", "verify", config)).toMatchObject({ exitCode: 0, stdout: "" });
    expect(await readdir(folder)).toEqual(["config.yaml", "images"]);
    expect(await readFile(config, "utf8")).toContain(
      `# The dock runs ${code.length} bytes of code, CRC-32 ${hex(crc32(code))}, `,
    );
  });

  test("says what the vendor's script would make something else of", async () => {
    const { run } = await benchWith("full", { factory: { keys: { price: "$$5", plain: "$5" } } });
    const folder = join(await scratch(), "pulled");
    const { exitCode, stderr } = await run("rom", "pull", folder);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/config\.yaml:5:12: warning: .*one \$ in place of \$\$/);
    expect(stderr.split("\n")).toHaveLength(3);
  });

  test("refuses what a config has no form for, unless --partial leaves it out", async () => {
    const keys = { text: "x", number: 1 };
    const { run, json } = await benchWith("full", { factory: { keys, images: { raw: ["none", Buffer.from("raw")] } } });
    const folder = join(await scratch(), "pulled");
    const refused = await run("rom", "pull", folder);
    expect(refused.exitCode).toBe(7);
    expect(refused.stderr).toContain('no form for the image "raw" (of no type), the key "number" (no text). --partial leaves');
    await expect(readdir(folder)).rejects.toThrow("ENOENT");
    expect(await json("rom", "pull", folder, "--partial")).toMatchObject({
      images: 0,
      keys: 1,
      leftOut: [{ name: "raw" }, { name: "number" }],
    });
  });

  test("into a folder of something else isn't done", async () => {
    const { run } = await bench();
    const folder = await scratch();
    await writeFile(join(folder, "thesis.tex"), "");
    expect(await run("rom", "pull", folder)).toMatchObject({ exitCode: 1 });
    expect(await readdir(folder)).toEqual(["thesis.tex"]);
  });
});

function hex(number: number): string {
  return number.toString(16).padStart(8, "0");
}
