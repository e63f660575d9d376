/** Images on their way to files and pipes, and lines that break meanwhile. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { MockDock } from "./testing/mock-dock.js";
import { brokenOutput, type Ran, runCli } from "./testing/run-cli.js";

const SIZE = 500_000;
const data = { factory: { images: { big: { random: SIZE, type: "png" }, empty: { random: 0, type: "none" } } } };

let dock: MockDock;
let sha256 = "";
beforeAll(async () => {
  dock = await MockDock.start(data);
  sha256 = sha256Of((await run("image", "get", "big")).data);
});
afterAll(() => dock.stop());

let folder = "";
let file = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dl7450-cli-"));
  file = join(folder, "image.png");
});
afterEach(() => rm(folder, { recursive: true }));

function run(...argv: string[]): Promise<Ran> {
  return runCli(["--port", dock.target, ...argv]);
}

function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

describe("to stdout", () => {
  test("is the image and nothing else", async () => {
    const { exitCode, data, stderr } = await run("image", "get", "big");
    expect({ exitCode, sha256: sha256Of(data) }).toEqual({ exitCode: 0, sha256 });
    expect(stderr).toBe(`stdout: ${SIZE} bytes, png, factory, sha256 ${sha256}\n`);
  });

  test("a reader that leaves is no failure", async () => {
    const argv = ["image", "get", "big", "--port", dock.target];
    expect(await runCli(argv, { stdout: brokenOutput("EPIPE") })).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test("a reader that takes nothing doesn't keep it from being interrupted", async () => {
    const interrupt = new AbortController();
    const stdout = new Writable({ write: () => interrupt.abort() });
    const argv = ["image", "get", "big", "--port", dock.target];
    expect(await runCli(argv, { stdout, signal: interrupt.signal })).toMatchObject({ exitCode: 130 });
  });

  test("a reader that leaves doesn't hide what failed before", async () => {
    const argv = ["image", "get", "nope", "--port", dock.target];
    expect(await runCli(argv, { stdout: brokenOutput("EPIPE") })).toMatchObject({ exitCode: 4 });
  });
});

describe("to a file", () => {
  test("writes it whole, and says what it is", async () => {
    const { exitCode, stdout, stderr } = await run("image", "get", "big", "-o", file);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "" });
    expect(stderr).toBe(`${file}: ${SIZE} bytes, png, factory, sha256 ${sha256}\n`);
    expect(sha256Of(await readFile(file))).toBe(sha256);
    expect(await readdir(folder)).toEqual(["image.png"]);
  });

  test("an image of 0 bytes is a file of 0 bytes", async () => {
    expect(await run("image", "get", "empty", "-o", file)).toMatchObject({ exitCode: 0 });
    expect((await stat(file)).size).toBe(0);
  });

  test("--quiet says nothing, --json says it on stdout", async () => {
    expect(await run("image", "get", "big", "-o", file, "--quiet")).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
    const { stdout, stderr } = await run("image", "get", "big", "-o", file, "--json");
    expect(JSON.parse(stdout)).toEqual({ file, type: "png", size: SIZE, store: "factory", sha256 });
    expect(stderr).toBe("");
  });

  test("its name is made visible where it is said", async () => {
    const { stderr } = await run("image", "get", "empty", "-o", join(folder, "a\u001b[31m"));
    expect(stderr).toContain("a\\x1b[31m: 0 bytes");
  });

  test("replaces a file, which keeps its mode", async () => {
    await writeFile(file, "old");
    await chmod(file, 0o640);
    await run("image", "get", "big", "-o", file);
    expect(sha256Of(await readFile(file))).toBe(sha256);
    expect((await stat(file)).mode & 0o777).toBe(0o640);
  });

  test("replaces what a link points to, and leaves the link", async () => {
    const link = join(folder, "link");
    await writeFile(file, "old");
    await symlink(file, link);
    await run("image", "get", "big", "-o", link);
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(sha256Of(await readFile(file))).toBe(sha256);
  });

  test("a missing image leaves what is there alone", async () => {
    await writeFile(file, "old");
    expect(await run("image", "get", "nope", "-o", file)).toMatchObject({ exitCode: 4 });
    expect(await readFile(file, "utf8")).toBe("old");
  });

  test.each([
    ["a missing folder", "missing/image.png", "its folder doesn't exist"],
    ["a file as a folder", "file/image.png", "its folder isn't one"],
    ["a folder", ".", "it is a folder"],
    ["too long a name", "x".repeat(250), "its name is too long"],
  ])("%s is one clear error", async (_what, name, reason) => {
    await writeFile(join(folder, "file"), "");
    const path = `${folder}/${name}`;
    const { exitCode, stderr } = await run("image", "get", "big", "-o", path);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: `dl7450: ${path} can't be written: ${reason}.\n` });
    expect(await readdir(folder)).toEqual(["file"]);
  });
});

describe.skipIf(process.platform === "win32")("to what isn't a file", () => {
  /** As root, a fault of this program could put a file in the place of the machine's own device: root gets one to spoil. */
  function device(name: "null" | "full"): string {
    if (process.getuid?.() !== 0) return `/dev/${name}`;
    const path = join(folder, name);
    execFileSync("mknod", [path, "c", "1", name === "null" ? "3" : "7"]); // Linux's admin-guide/devices.txt
    return path;
  }

  test("a device is written into", async () => {
    const path = device("null");
    expect(await run("image", "get", "big", "-o", path)).toMatchObject({ exitCode: 0 });
    expect((await stat(path)).isCharacterDevice()).toBe(true);
  });

  test.runIf(process.platform === "linux")("a full disk is one clear error", async () => {
    const path = device("full");
    const stderr = `dl7450: ${path} can't be written: the disk is full.\n`;
    expect(await run("image", "get", "big", "-o", path)).toMatchObject({ exitCode: 1, stderr });
  });

  test("a FIFO is written into, once it has a reader", async () => {
    execFileSync("mkfifo", [file]);
    const [ran, read] = await Promise.all([run("image", "get", "big", "-o", file), readFile(file)]);
    expect({ exitCode: ran.exitCode, sha256: sha256Of(read) }).toEqual({ exitCode: 0, sha256 });
    expect((await stat(file)).isFIFO()).toBe(true);
  });

  test("a FIFO without a reader can be interrupted", async () => {
    execFileSync("mkfifo", [file]);
    const interrupt = new AbortController();
    const clock = {
      now: () => performance.now(),
      after: (_ms: number, then: () => void) => {
        interrupt.abort();
        setImmediate(then);
        return () => {};
      },
      soon: () => {},
    };
    const argv = ["image", "get", "big", "-o", file, "--port", dock.target];
    expect(await runCli(argv, { clock, signal: interrupt.signal })).toMatchObject({ exitCode: 130 });
  });
});

describe("when it breaks off", () => {
  test("a lost link leaves the old file, and nothing of the new one", async () => {
    await writeFile(file, "old");
    dock.after(SIZE / 2, () => dock.cut());
    const { exitCode, stdout } = await run("image", "get", "big", "-o", file);
    expect({ exitCode, stdout }).toEqual({ exitCode: 6, stdout: "" });
    expect(await readFile(file, "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["image.png"]);
  });

  test("an interrupt leaves nothing", async () => {
    const interrupt = new AbortController();
    let during: Promise<string[]> | undefined;
    dock.after(SIZE / 2, () => {
      during = readdir(folder).finally(() => interrupt.abort());
    });
    const argv = ["image", "get", "big", "-o", file, "--port", dock.target];
    const { exitCode, stderr } = await runCli(argv, { signal: interrupt.signal });
    expect({ exitCode, stderr }).toEqual({ exitCode: 130, stderr: "dl7450: interrupted\n" });
    expect(await during).toEqual([expect.stringMatching(/^image\.png\.[0-9a-f]{8}\.part$/)]);
    expect(await readdir(folder)).toEqual([]);
  });

  test("the dock is closed, as it is at a good end", async () => {
    const interrupt = new AbortController();
    dock.after(SIZE / 2, () => interrupt.abort());
    const runs: [exitCode: number, run: () => Promise<Ran>][] = [
      [0, () => run("image", "get", "big")],
      [1, () => run("image", "get", "big", "-o", folder)],
      [4, () => run("image", "get", "nope")],
      [130, () => runCli(["image", "get", "big", "--port", dock.target], { signal: interrupt.signal })],
    ];
    for (const [exitCode, run] of runs.reverse()) {
      expect(await run()).toMatchObject({ exitCode });
      await dock.left();
    }
  });
});
