/** The program as a process: `bin/dl7450.ts`, out of the build in `dist/`. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageFolder } from "../version.js";
import { MockDock } from "./testing/mock-dock.js";

const SIZE = 1_000_000; // more than fits into a pipe that nobody reads

let dock: MockDock;
beforeAll(async () => {
  dock = await MockDock.start({ factory: { images: { big: { random: SIZE, type: "png" } } } });
});
afterAll(() => dock.stop());

function start(...argv: string[]): ChildProcessByStdio<null, Readable, null> {
  const program = join(packageFolder, "dist", "bin", "dl7450.js");
  return spawn(process.execPath, [program, "--port", dock.target, ...argv], { stdio: ["ignore", "pipe", "ignore"] });
}

test("ends by itself when it is done, with all data written", async () => {
  const child = start("image", "get", "big");
  let length = 0;
  child.stdout.on("data", (bytes: Buffer) => {
    length += bytes.length;
  });
  expect(await once(child, "close")).toEqual([0, null]);
  expect(length).toBe(SIZE);
});

test("ends with 0 when its reader leaves", async () => {
  const child = start("image", "get", "big");
  child.stdout.once("data", () => child.stdout.destroy());
  expect(await once(child, "exit")).toEqual([0, null]);
});

test("ends with 130 on SIGINT, though nobody reads what it writes", async () => {
  const child = start("image", "get", "big");
  dock.after(1, () => child.kill("SIGINT"));
  expect(await once(child, "exit")).toEqual([130, null]);
});
