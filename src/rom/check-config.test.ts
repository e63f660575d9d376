import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, symlink, truncate } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { crc32 } from "../../protocol/index.js";
import { type CheckedConfig, checkConfig, ROM_CAPACITY } from "./check-config.js";
import { configFolder, PROGRAM, png, SAMPLE } from "./testing/config-folder.js";

const IMAGE = `images:\n  a:\n    path: \${CONFIG_PATH}/it\n    type: png\n`;

/** Checks a config beside a file that is called `it`. */
async function checkBeside(it: Uint8Array | string, config = IMAGE): Promise<CheckedConfig> {
  return checkConfig(join(await configFolder({ it, "config.yaml": config }), "config.yaml"));
}

test("the documented sample is good, and comes with what is known of its files", async () => {
  const folder = await configFolder();
  const checked = await checkConfig(join(folder, "config.yaml"));
  const background = png();
  const image = {
    file: join(folder, "background.png"),
    type: "png",
    size: background.length,
    sha256: createHash("sha256").update(background).digest("hex"),
    width: 1920,
    height: 1080,
  };
  expect(checked).toEqual({
    kind: "good",
    warnings: [],
    config: {
      images: new Map([["default", image]]),
      keys: new Map([
        ["dock_name", "IoT Demo Dock"],
        ["timezone", "GMT"],
      ]),
      code: { file: join(folder, "app.py"), size: PROGRAM.length, crc32: crc32(Buffer.from(PROGRAM)) },
      // The names, the image, the program, and each value with the byte that its encoding begins with.
      bytes: "default".length + background.length + PROGRAM.length + "dock_name".length + 14 + "timezone".length + 4,
    },
  });
});

test("names that objects have of their own are names like any other", async () => {
  const checked = await checkBeside(png(), `${IMAGE.replace("a:", "__proto__:")}kv_store: {__proto__: v, toString: w}\n`);
  if (checked.kind !== "good") throw new Error("it isn't good");
  expect([...checked.config.images.keys()]).toEqual(["__proto__"]);
  expect([...checked.config.keys]).toEqual([
    ["__proto__", "v"],
    ["toString", "w"],
  ]);
});

describe("the content of an image", () => {
  const size = { width: 4, height: 3 };
  const bmp = Buffer.alloc(54);
  bmp.write("BM");
  bmp.writeUInt32LE(40, 14);
  bmp.writeInt32LE(size.width, 18);
  bmp.writeInt32LE(-size.height, 22); // from the top down
  const jpeg = Buffer.from("ffd8ffe000040000ffc0000b080003000401011100ffd9", "hex");

  test.each([
    ["png", png(size.width, size.height)],
    ["bmp", bmp],
    ["jpeg", jpeg],
  ])("is %s, and its size is read and warned of", async (type, bytes) => {
    const checked = await checkBeside(bytes, IMAGE.replace("type: png", `type: ${type}`));
    expect(checked).toMatchObject({ kind: "good", warnings: [{ code: "DIMENSIONS", line: 3, column: 11 }] });
    expect(checked.kind === "good" && checked.config.images.get("a")).toMatchObject({ type, ...size });
  });

  test.each([
    ["of another type", bmp, 4, "is bmp by its content, and the type here is png: write bmp."],
    ["of no type", "GIF89a", 4, "is none of png, bmp, jpeg by its content"],
    ["of no bytes", "", 4, "is none of png, bmp, jpeg by its content"],
    ["that is cut off", png().subarray(0, 20), 3, "has no width and height that can be read"],
    ["that has no width", png(1, 1).fill(0, 16, 20), 3, "has no width and height that can be read"],
  ])("%s is a problem", async (_, bytes, line, message) => {
    const checked = await checkBeside(bytes);
    expect(checked).toMatchObject({
      kind: "bad",
      problems: [{ code: "CONTENT", line, message: expect.stringContaining(message) }],
    });
  });
});

test.each([
  ["isn't there", () => {}, "there is no such file"],
  ["is a FIFO, which isn't waited for", (path: string) => execFileSync("mkfifo", [path]), "it is a FIFO, not a file"],
  ["is a folder", (path: string) => mkdir(path), "it is a folder, not a file"],
])("a file that %s is a problem at its path", async (_, make, why) => {
  const folder = await configFolder({ "config.yaml": IMAGE });
  await make(join(folder, "it"));
  const problem = { code: "FILE", line: 3, column: 11, message: `"${join(folder, "it")}" can't be used: ${why}.` };
  expect(await checkConfig(join(folder, "config.yaml"))).toEqual({ kind: "bad", problems: [problem], warnings: [] });
});

test("a file that is larger than the layer is a problem, and isn't read", async () => {
  const folder = await configFolder({ it: "", "config.yaml": IMAGE });
  await truncate(join(folder, "it"), 2 ** 40);
  const problem = { code: "NO_SPACE", line: 3, message: expect.stringContaining("it has 1099511627776 bytes") };
  expect(await checkConfig(join(folder, "config.yaml"))).toMatchObject({ kind: "bad", problems: [problem] });
});

test("files that don't fit into the layer together are a problem of no place, and one that stands there twice counts twice", async () => {
  const half = new Uint8Array(ROM_CAPACITY / 2);
  half.set(png(1920, 1080).subarray(0, 33));
  const twice = `${IMAGE}  b:\n    path: \${CONFIG_PATH}/it\n    type: png\n`;
  const message = "All of it takes 13000002 bytes, and a dock has 13000000: that is 2 too many.";
  expect(await checkBeside(half, twice)).toEqual({ kind: "bad", problems: [{ code: "NO_SPACE", message }], warnings: [] });
});

describe("a symbolic link", () => {
  test("that leads out of the config's folder is warned of", async () => {
    const other = await configFolder();
    const folder = await configFolder({ "config.yaml": IMAGE });
    await symlink(join(other, "background.png"), join(folder, "it"));
    const warning = { code: "LINK", line: 3, message: expect.stringContaining(join(other, "background.png")) };
    expect(await checkConfig(join(folder, "config.yaml"))).toMatchObject({ kind: "good", warnings: [warning] });
  });

  test("that stays in the folder isn't, nor is a folder that is one, nor a path that leads out by itself", async () => {
    const other = await configFolder();
    await symlink(join(await configFolder(), "background.png"), join(other, "out.png"));
    const out = `${IMAGE}  b:\n    path: ${other}/out.png\n    type: png\n`;
    const folder = await configFolder({ "config.yaml": out });
    await symlink("background.png", join(folder, "it"));
    await symlink(folder, join(other, "link"));
    expect(await checkConfig(join(other, "link", "config.yaml"))).toMatchObject({ kind: "good", warnings: [] });
  });
});

describe("a config", () => {
  test.each([
    ["isn't there", "nowhere.yaml", "there is no such file"],
    ["is a folder", ".", "it is a folder, not a file"],
    ["has U+0000 in its name", "a\0b", "its name has U+0000 in it"],
  ])("that %s is unreadable", async (_, name, why) => {
    expect(await checkConfig(`${await configFolder()}/${name}`)).toEqual({ kind: "unreadable", why });
  });

  test("that is too large is bad", async () => {
    expect(await checkBeside("", "#".repeat(4_000_001))).toMatchObject({ kind: "bad", problems: [{ code: "TOO_LARGE" }] });
  });

  test("that isn't UTF-8 is bad", async () => {
    const folder = await configFolder({ "config.yaml": Buffer.from(SAMPLE, "utf16le") });
    expect(await checkConfig(join(folder, "config.yaml"))).toMatchObject({ kind: "bad", problems: [{ code: "ENCODING" }] });
  });

  test("with Windows line ends and a byte order mark is good", async () => {
    const folder = await configFolder({ "config.yaml": `\ufeff${SAMPLE.replaceAll("\n", "\r\n")}` });
    expect(await checkConfig(join(folder, "config.yaml"))).toMatchObject({ kind: "good", warnings: [] });
  });
});

test("a check is ABORTED by its signal", async () => {
  const folder = await configFolder();
  await expect(checkConfig(join(folder, "config.yaml"), { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: "ABORTED",
  });
});
