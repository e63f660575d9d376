/** Snapshots of docks: saved, compared, put back, and folders that aren't what they say. */
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { runCli } from "../src/cli/testing/run-cli.js";
import { Dock, type DockErrorCode } from "../src/index.js";
import { compareSnapshot, planRestore, restoreSnapshot, saveSnapshot } from "../src/snapshot/index.js";
import { codeOf } from "./contract/calls.js";
import { type Held, ModelDock } from "./model-dock.js";

const PNG = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), Buffer.alloc(3_000, 7)]);
const OTHER = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), Buffer.alloc(2_000, 9)]);
const FACTORY: Held = { images: { default: ["png", PNG] }, keys: { timezone: "GMT" }, unique: { token: "only mine" } };
const RUNTIME: Held = {
  images: { logo: ["png", OTHER], "../../etc/passwd": ["none", Buffer.from("x")], CON: ["none", Buffer.from("y")] },
  keys: { room: "4.12", count: 2n ** 60n, ["__proto__"]: { a: [1, null, Uint8Array.of(1, 2)] } },
};

async function folderOf(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "dl7450-snapshot-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** A dock, opened, and the folder of a snapshot of it. */
async function saved(): Promise<{ bench: ModelDock; dock: Dock; folder: string }> {
  const bench = await ModelDock.start("full", { factory: FACTORY, runtime: RUNTIME });
  onTestFinished(() => bench[Symbol.asyncDispose]());
  const dock = await Dock.open(bench.target);
  onTestFinished(() => dock.close());
  const folder = join(await folderOf(), "snapshot");
  await saveSnapshot(dock, folder);
  return { bench, dock, folder };
}

async function filesIn(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((it) => it.isFile());
  const paths = names.map((it) => join(it.parentPath, it.name));
  const hashes = await Promise.all(
    paths.map(async (path) =>
      createHash("sha256")
        .update(await readFile(path))
        .digest("hex"),
    ),
  );
  return Object.fromEntries(paths.map((path, i) => [path.slice(folder.length + 1), hashes[i] ?? ""]));
}

describe("saving", () => {
  test("makes a manifest and a file for each image, none of them outside", async () => {
    const { folder } = await saved();
    const files = Object.keys(await filesIn(folder)).sort();
    expect(files).toEqual([
      "factory/default.png",
      expect.stringMatching(/^runtime\/_CON-[0-9a-f]{8}\.bin$/),
      expect.stringMatching(/^runtime\/etc_passwd-[0-9a-f]{8}\.bin$/),
      "runtime/logo.png",
      "snapshot.yaml",
    ]);
    expect((await readFile(join(folder, "factory", "default.png"))).equals(PNG)).toBe(true);
  });

  test("again changes nothing, and fetches no image again", async () => {
    const { dock, folder } = await saved();
    const before = await filesIn(folder);
    const received = dock.link.counters.bytesIn;
    await saveSnapshot(dock, folder);
    expect(await filesIn(folder)).toEqual(before);
    expect(dock.link.counters.bytesIn - received).toBeLessThan(PNG.length);
  });

  test("follows the dock, and removes what it has no more; files of somebody else stay", async () => {
    const { bench, dock, folder } = await saved();
    await writeFile(join(folder, "README"), "mine");
    bench.model.deleteImage("runtime", "logo");
    bench.hold("runtime", { keys: { room: "5.01" }, images: { new: ["png", OTHER] } });
    await saveSnapshot(dock, folder);
    const files = Object.keys(await filesIn(folder));
    expect(files).toContain("runtime/new.png");
    expect(files).toContain("README");
    expect(files).not.toContain("runtime/logo.png");
    expect(await compareSnapshot(dock, folder)).toEqual(
      ["factory", "runtime", "ephemeral"].map((store) => ({ store, differences: [] })),
    );
  });

  test("into a folder that is something else fails with OUTPUT", async () => {
    const { dock } = await saved();
    const folder = await folderOf();
    await writeFile(join(folder, "thesis.tex"), "");
    expect(await codeOf(saveSnapshot(dock, folder))).toBe("OUTPUT");
    expect(await codeOf(saveSnapshot(dock, join(folder, "thesis.tex")))).toBe("OUTPUT");
    expect(await codeOf(saveSnapshot(dock, join(folder, "no", "such")))).toBe("OUTPUT");
    expect(await readdir(folder)).toEqual(["thesis.tex"]);
  });

  test("doesn't follow a link that leads out of the folder", async () => {
    const { dock, folder } = await saved();
    const outside = await folderOf();
    await rm(join(folder, "runtime"), { recursive: true });
    await symlink(outside, join(folder, "runtime"));
    expect(await codeOf(saveSnapshot(dock, folder))).toBe("OUTPUT");
    expect(await readdir(outside)).toEqual([]);
  });

  test("that is aborted leaves the snapshot that was there", async () => {
    const { bench, dock, folder } = await saved();
    const before = await filesIn(folder);
    bench.hold("runtime", { images: { logo: ["png", PNG], large: ["none", Buffer.alloc(2_000_000, 1)] }, keys: { room: "?" } });
    const left = new AbortController();
    const saving = saveSnapshot(dock, folder, {
      signal: left.signal,
      onProgress: ({ moved }) => moved > 500_000 && left.abort(),
    });
    expect(await codeOf(saving)).toBe("ABORTED");
    expect(await filesIn(folder)).toEqual(before);
  });
});

describe("saving for the first time", () => {
  test("that is aborted leaves no folder, and can be done again", async () => {
    const { dock, folder } = await saved();
    const first = join(folder, "..", "first");
    const left = new AbortController();
    const saving = saveSnapshot(dock, first, { signal: left.signal, onProgress: () => left.abort() });
    expect(await codeOf(saving)).toBe("ABORTED");
    expect(await readdir(join(folder, ".."))).toEqual(["snapshot"]);
    await saveSnapshot(dock, first);
    expect(Object.keys(await filesIn(first))).toHaveLength(5);
  });

  test("into a folder that git has begun with", async () => {
    const { dock, folder } = await saved();
    const first = join(folder, "..", "first");
    await mkdir(join(first, ".git"), { recursive: true });
    await writeFile(join(first, ".git", "HEAD"), "ref: refs/heads/main");
    await saveSnapshot(dock, first);
    expect(await readdir(first)).toEqual([".git", "factory", "runtime", "snapshot.yaml"]);
  });

  test("that was killed is done again: what it has left is no other folder's", async () => {
    const { dock, folder } = await saved();
    const killed = join(folder, "..", "killed");
    await mkdir(join(killed, "factory"), { recursive: true });
    const part = join(killed, "factory", "default.png.0123abcd.part");
    await writeFile(part, "half");
    await utimes(part, 0, 0);
    await saveSnapshot(dock, killed);
    expect(await filesIn(killed)).toEqual(await filesIn(folder));
  });
});

describe("saving again", () => {
  test("one layer leaves the others as they were", async () => {
    const { bench, dock, folder } = await saved();
    bench.hold("runtime", { keys: { room: "5.01" } });
    bench.hold("factory", { keys: { timezone: "CET" } });
    await saveSnapshot(dock, folder, { stores: ["runtime"] });
    expect(await readdir(join(folder, "factory"))).toEqual(["default.png"]);
    const found = await compareSnapshot(dock, folder);
    expect(found.flatMap(({ differences }) => differences.map(({ name }) => name))).toEqual(["timezone"]);
  });

  test("over one that a newer version has made fails with OUTPUT, and leaves it", async () => {
    const { dock, folder } = await saved();
    const manifest = join(folder, "snapshot.yaml");
    await writeFile(manifest, (await readFile(manifest, "utf8")).replace("format: 1", "format: 2"));
    const before = await filesIn(folder);
    expect(await codeOf(saveSnapshot(dock, folder))).toBe("OUTPUT");
    expect(await filesIn(folder)).toEqual(before);
  });

  test("removes parts that were left long ago, and leaves those that may be written just now", async () => {
    const { dock, folder } = await saved();
    const [old, fresh] = ["0123abcd", "4567cdef"].map((random) => join(folder, "factory", `default.png.${random}.part`));
    for (const part of [old, fresh]) await writeFile(part ?? "", "half");
    await utimes(old ?? "", 0, 0);
    await saveSnapshot(dock, folder);
    expect((await readdir(join(folder, "factory"))).sort()).toEqual(["default.png", "default.png.4567cdef.part"]);
  });

  test("one layer over a manifest that can't be read fails with OUTPUT: the others would be lost", async () => {
    const { dock, folder } = await saved();
    await writeFile(join(folder, "snapshot.yaml"), "<<<<<<< HEAD\n");
    const before = await filesIn(folder);
    expect(await codeOf(saveSnapshot(dock, folder, { stores: ["runtime"] }))).toBe("OUTPUT");
    expect(await filesIn(folder)).toEqual(before);
    await saveSnapshot(dock, folder);
    expect((await compareSnapshot(dock, folder)).flatMap(({ differences }) => differences)).toEqual([]);
  });

  test("another dock over it fails with OUTPUT, and leaves it", async () => {
    const { folder } = await saved();
    const other = await ModelDock.start("full", {}, { name: "RW02-0006" });
    onTestFinished(() => other[Symbol.asyncDispose]());
    await using dock = await Dock.open(other.target);
    const before = await filesIn(folder);
    await expect(saveSnapshot(dock, folder)).rejects.toMatchObject({
      code: "OUTPUT",
      message: expect.stringContaining("RW02-0005"),
    });
    expect(await filesIn(folder)).toEqual(before);
  });
});

describe("restoring", () => {
  test("puts back what has changed, what is gone and what has come", async () => {
    const { bench, dock, folder } = await saved();
    const before = bench.held("runtime");
    bench.model.deleteImage("runtime", "logo");
    bench.hold("runtime", { images: { CON: ["png", PNG], new: ["png", PNG] }, keys: { room: "?", more: 1 } });
    const found = await compareSnapshot(dock, folder);
    expect(found.flatMap(({ differences }) => differences.map(({ kind, name }) => `${kind} ${name}`))).toEqual([
      "image CON",
      "image logo",
      "image new",
      "key more",
      "key room",
    ]);
    expect(await planRestore(dock, folder)).toEqual(found.filter(({ differences }) => differences.length > 0));
    expect(bench.held("runtime")).not.toEqual(before);
    await restoreSnapshot(dock, folder);
    expect(bench.held("runtime")).toEqual(before);
  });

  test("of what is the same sends next to nothing", async () => {
    const { dock, folder } = await saved();
    const sent = dock.link.counters.bytesOut;
    expect(await restoreSnapshot(dock, folder)).toEqual([]);
    expect(dock.link.counters.bytesOut - sent).toBeLessThan(2_000);
  });

  test("is all or nothing: what the dock refuses leaves the layer as it was", async () => {
    const { bench, dock, folder } = await saved();
    bench.hold("runtime", { images: { wrong: ["bmp", Buffer.from("no bitmap")] } });
    await saveSnapshot(dock, folder);
    bench.model.deleteImage("runtime", "wrong");
    bench.hold("runtime", { keys: { room: "?", more: 1 } });
    const before = bench.held("runtime");
    expect(await codeOf(restoreSnapshot(dock, folder))).toBe("INVALID");
    expect(bench.held("runtime")).toEqual(before);
  });

  test("factory asks for the dock's name before anything is changed", async () => {
    const bench = await ModelDock.start("development", { factory: FACTORY, runtime: RUNTIME });
    onTestFinished(() => bench[Symbol.asyncDispose]());
    await using dock = await Dock.open(bench.target);
    const folder = join(await folderOf(), "snapshot");
    await saveSnapshot(dock, folder);
    bench.hold("factory", { keys: { timezone: "CET" } });
    bench.hold("runtime", { keys: { room: "?" } });
    expect(await codeOf(restoreSnapshot(dock, folder))).toBe("USAGE");
    expect(bench.held("runtime").keys).toMatchObject({ room: "?" });
    await restoreSnapshot(dock, folder, { confirm: "RW02-0005" });
    expect(bench.held("factory").keys).toMatchObject({ timezone: "GMT" });
    expect(bench.held("runtime").keys).toMatchObject({ room: "4.12" });
  });

  test.each([
    ["a value that is too long", '"4.12"', JSON.stringify("x".repeat(5_000)), "TOO_LARGE"],
    ["an image that isn't of its type", "type: none", "type: bmp", "INVALID"],
    ["a name that is too long", "room:", `${"r".repeat(200)}:`, "TOO_LARGE"],
    ["more than there is room for", '"4.12"', JSON.stringify("x".repeat(4_000)), "NO_SPACE"],
  ])("%s in one layer is refused before another is written", async (_what, from, to, code) => {
    const capacities = { runtime: 5_000 };
    const bench = await ModelDock.start("development", { factory: FACTORY, runtime: RUNTIME }, { capacities });
    onTestFinished(() => bench[Symbol.asyncDispose]());
    await using dock = await Dock.open(bench.target);
    const folder = join(await folderOf(), "snapshot");
    await saveSnapshot(dock, folder);
    const manifest = await readFile(join(folder, "snapshot.yaml"), "utf8");
    expect(manifest).toContain(from);
    await writeFile(join(folder, "snapshot.yaml"), manifest.replace(from, to));
    await dock.transaction("runtime", async () => {}, { replace: true });
    bench.hold("factory", { keys: { timezone: "CET" } });
    const confirm = "RW02-0005";
    expect(await codeOf(planRestore(dock, folder, { confirm }))).toBe(code);
    expect(await codeOf(restoreSnapshot(dock, folder, { confirm }))).toBe(code);
    expect(bench.held("factory").keys).toMatchObject({ timezone: "CET" });
  });

  test("another dock takes it only when told, and keeps what is its own", async () => {
    const { folder } = await saved();
    const other = await ModelDock.start("development", { factory: { unique: { token: "another" } } }, { name: "RW02-0006" });
    onTestFinished(() => other[Symbol.asyncDispose]());
    await using dock = await Dock.open(other.target);
    expect(await codeOf(restoreSnapshot(dock, folder, { confirm: "RW02-0006" }))).toBe("USAGE");
    expect(other.held("runtime").keys).toEqual({});
    await restoreSnapshot(dock, folder, { confirm: "RW02-0006", otherDock: true });
    expect(other.held("factory").keys).toEqual({ token: "another", timezone: "GMT" });
    expect(other.held("runtime").keys).toEqual(RUNTIME.keys);
    expect((await compareSnapshot(dock, folder)).flatMap(({ differences }) => differences)).toEqual([]);
  });
});

describe("a folder that isn't what it says is SNAPSHOT, and the dock stays as it is", () => {
  const cases: [what: string, spoil: (folder: string) => Promise<void>, said: RegExp][] = [
    ["without a manifest", (it) => rm(join(it, "snapshot.yaml")), /holds no snapshot/],
    [
      "with one that is a folder",
      async (it) => {
        await rm(join(it, "snapshot.yaml"));
        await mkdir(join(it, "snapshot.yaml"));
      },
      /is no regular file/,
    ],
    [
      "an image that was changed",
      (it) => writeFile(join(it, "runtime/logo.png"), Buffer.alloc(OTHER.length)),
      /SHA-256 is [0-9a-f]{64}/,
    ],
    ["an image that was cut", (it) => writeFile(join(it, "runtime/logo.png"), "x"), /1 bytes instead of 2008/],
    ["an image that is gone", (it) => rm(join(it, "runtime/logo.png")), /not all of it/],
    [
      "an image that is a link out of it",
      async (it) => {
        await rename(join(it, "runtime/logo.png"), join(it, "..", "logo.png"));
        await symlink("../../logo.png", join(it, "runtime/logo.png"));
      },
      /leads out of the snapshot's folder/,
    ],
    [
      "an image above it",
      (it) => edit(it, "file: runtime/logo.png", "file: ../logo.png"),
      /is no file of the snapshot's folder/,
    ],
    ["of a newer version", (it) => edit(it, "format: 1", "format: 7"), /format 7/],
    ["with a value that can't be", (it) => edit(it, 'room: "4.12"', "room: {$bytes: 1}"), /a \$bytes that isn't/],
  ];
  test.each(cases)("%s", async (_what, spoil, said) => {
    const { bench, dock, folder } = await saved();
    await spoil(folder);
    bench.model.deleteImage("runtime", "logo");
    bench.hold("runtime", { keys: { room: "?" } });
    const before = bench.held("runtime");
    expect(await codeOf(compareSnapshot(dock, folder))).toBe("SNAPSHOT");
    const restoring = restoreSnapshot(dock, folder);
    await expect(restoring).rejects.toMatchObject({
      code: "SNAPSHOT" satisfies DockErrorCode,
      message: expect.stringMatching(said),
    });
    expect(bench.held("runtime")).toEqual(before);
  });

  async function edit(folder: string, from: string, to: string): Promise<void> {
    const text = await readFile(join(folder, "snapshot.yaml"), "utf8");
    expect(text).toContain(from);
    await writeFile(join(folder, "snapshot.yaml"), text.replace(from, to));
  }
});

describe("on the command line", () => {
  test("three changes, a diff that names them and ends with 8, the way back, a diff that ends with 0", async () => {
    const { bench, dock, folder } = await saved();
    await dock.close();
    const run = (...argv: string[]) => runCli(["snapshot", ...argv, "--port", bench.target]);
    expect(await run("save", folder)).toMatchObject({
      exitCode: 0,
      stderr: `${folder}: saved, factory 1 images, 2 keys; runtime 3 images, 3 keys; ephemeral 0 images, 0 keys\n`,
    });
    bench.model.deleteImage("runtime", "logo");
    bench.hold("runtime", { keys: { room: "\u001b[31mred", more: "m".repeat(100) } });
    const different = await run("diff", folder);
    expect(different).toMatchObject({ exitCode: 8, stderr: `dl7450: The dock isn't as in ${folder}: 3 differences.\n` });
    expect(different.stdout.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      ["layer", "kind", "name", "on the dock", "in the snapshot"],
      ["runtime", "image", "logo", "-", expect.stringMatching(/^png, 2008 bytes, [0-9a-f]{8}…$/)],
      ["runtime", "key", "more", `"${"m".repeat(39)}…`, "-"],
      ["runtime", "key", "room", '"\\u001b[31mred"', '"4.12"'],
      [""],
    ]);
    expect(JSON.parse((await run("diff", folder, "--json")).stdout)).toContainEqual({
      ...{ store: "runtime", kind: "key", name: "room" },
      ...{ is: "\u001b[31mred", wanted: "4.12" },
    });
    expect(await run("restore", folder, "--dry-run")).toMatchObject({
      exitCode: 0,
      stderr: `${folder}: would be restored, 3 differences\n`,
    });
    expect(await run("diff", folder)).toMatchObject({ exitCode: 8 });
    expect(await run("restore", folder)).toMatchObject({ exitCode: 0, stderr: `${folder}: restored, 3 differences\n` });
    expect(await run("diff", folder)).toMatchObject({ exitCode: 0, stdout: "", stderr: `${folder}: the dock is the same\n` });
    expect(await run("diff", join(folder, "runtime"))).toMatchObject({ exitCode: 7 });
  });
});
