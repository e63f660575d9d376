import { execFileSync } from "node:child_process";
import { symlink } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fileTrouble, pathTrouble, readRegularFile } from "./regular-file.js";
import { configFolder, PROGRAM } from "./rom/testing/config-folder.js";

test("a file is read whole", async () => {
  const file = join(await configFolder(), "app.py");
  expect(await readRegularFile(file, PROGRAM.length, undefined)).toEqual({
    kind: "bytes",
    bytes: new Uint8Array(Buffer.from(PROGRAM)),
  });
});

test("a file above the limit isn't read", async () => {
  const file = join(await configFolder(), "app.py");
  const why = `it has ${PROGRAM.length} bytes, and 5 is the most`;
  expect(await readRegularFile(file, 5, undefined)).toEqual({ kind: "too large", why });
});

describe("what isn't a file is told", () => {
  const cases: [why: string, make: (path: string, folder: string) => unknown][] = [
    ["there is no such file", () => {}],
    ["it is a symbolic link to what isn't there", (path) => symlink("nowhere", path)],
    ["its symbolic links go round in a circle", (path) => symlink(path, path)],
    ["it is a folder, not a file", (path, folder) => symlink(folder, path)],
    ["it is a device, not a file", (path) => symlink("/dev/null", path)],
    ["it is a FIFO, not a file", (path) => execFileSync("mkfifo", [path])],
    ["it is a socket, not a file", (path) => new Promise<void>((done) => createServer().unref().listen(path, done))],
  ];
  test.each(cases)("%s", async (why, make) => {
    const folder = await configFolder();
    const path = join(folder, "it");
    await make(path, folder);
    expect(await readRegularFile(path, 100, undefined)).toEqual({ kind: "unreadable", why });
  });

  test("a file in a file", async () => {
    const file = join(await configFolder(), "app.py", "it");
    expect(await readRegularFile(file, 100, undefined)).toMatchObject({ why: "what stands before its last / isn't a folder" });
  });
});

test("a permission that is missing is named", () => {
  const denied = Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
  expect(fileTrouble(denied, 0o100200)).toBe("you may not read it: you need the permission r (its mode is 0200)");
  expect(pathTrouble(denied)).toContain("the permission x");
});

test("reading is ABORTED by its signal", async () => {
  const file = join(await configFolder(), "app.py");
  await expect(readRegularFile(file, 100, AbortSignal.abort())).rejects.toMatchObject({ code: "ABORTED" });
});
