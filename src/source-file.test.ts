import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readlinkSync, truncateSync } from "node:fs";
import { appendFile, rename, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openSource } from "./source.js";
import { picture } from "./testing/picture.js";
import { codeOf, fileOf, newFolder, readThrough, refusal } from "./testing/sources.js";

/** What a file is read by, in bytes. */
const BLOCK = 256 * 1024;
const image = picture(5 * BLOCK + 1_000);

describe("a file", () => {
  test("is read mostly at once, from the beginning to the end", async () => {
    await using source = await openSource({ file: await fileOf(image) });
    const { bytes, reads, waits } = await readThrough(source);
    expect(Buffer.compare(bytes, image)).toBe(0);
    expect(reads).toBeGreaterThan(160);
    expect(waits).toBeLessThanOrEqual(6);
  });

  test("is read ahead by one block, which is at hand when its turn comes, and no further", async () => {
    const source = await openSource({ file: await fileOf(image) });
    expect(await source.read(10, 20)).toEqual(Uint8Array.from(image.subarray(10, 30)));
    await source[Symbol.asyncDispose](); // which waits for what is being read
    expect(source.read(BLOCK, 20)).toEqual(Uint8Array.from(image.subarray(BLOCK, BLOCK + 20)));
    expect(await codeOf(source.read(2 * BLOCK, 20))).toBe("SOURCE");
  });

  test("gives parts that stay as they are while others are read", async () => {
    await using source = await openSource({ file: await fileOf(image) });
    const parts: Uint8Array[] = [];
    for (let at = 0; at < image.length; at += BLOCK) parts.push(await source.read(at, BLOCK));
    expect(Buffer.compare(Buffer.concat(parts), image)).toBe(0);
  });

  test("that became shorter is CHANGED to who reads what isn't there any more", async () => {
    const file = await fileOf(image);
    await using source = await openSource({ file });
    await truncate(file, 3 * BLOCK + 10);
    expect(await source.read(2 * BLOCK, 10)).toHaveLength(10);
    expect(await codeOf(source.read(3 * BLOCK, 10))).toBe("CHANGED");
    expect(await codeOf(source.read(4 * BLOCK, 10))).toBe("CHANGED");
    expect(await source.changed()).toMatchObject({ code: "CHANGED" });
  });

  test("that became longer is CHANGED, and gives no more than it was hashed with", async () => {
    const file = await fileOf(image);
    await using source = await openSource({ file });
    await appendFile(file, "more");
    expect(await source.changed()).toMatchObject({ code: "CHANGED" });
    expect(Buffer.compare((await readThrough(source)).bytes, image)).toBe(0);
  });

  test("that became longer is CHANGED, though its time was set back", async () => {
    const file = await fileOf(image);
    const { atime, mtime } = await stat(file);
    await using source = await openSource({ file });
    await appendFile(file, "more");
    await utimes(file, atime, mtime);
    expect(await source.changed()).toMatchObject({ code: "CHANGED" });
  });

  test("that was overwritten in its place is CHANGED", async () => {
    const file = await fileOf(image);
    await using source = await openSource({ file });
    await writeFile(file, Buffer.from(image).reverse(), { flag: "r+" });
    expect(await source.changed()).toMatchObject({ code: "CHANGED" });
  });

  test("that was replaced by another is read on as it was, and so is one that was removed", async () => {
    const file = await fileOf(image);
    await using source = await openSource({ file });
    await rename(await fileOf(image.subarray(1)), file);
    expect(await source.changed()).toBeUndefined();
    expect(Buffer.compare((await readThrough(source)).bytes, image)).toBe(0);
    await rm(file);
    expect(await source.changed()).toBeUndefined();
  });

  test.each<[string, (file: string) => void]>([
    ["shorter", (file) => truncateSync(file, 10)],
    ["longer", (file) => truncateSync(file, image.length + 1)],
  ])("that becomes %s while it is hashed is CHANGED", async (_, change) => {
    const file = await fileOf(image);
    expect((await refusal({ file }, { signal: askedFor(() => change(file)) })).code).toBe("CHANGED");
    expect(timesOpen(file)).toBe(0);
  });

  test("is ABORTED while it is hashed, and closed", async () => {
    const file = await fileOf(image);
    const abort = new AbortController();
    const opening = refusal({ file }, { signal: abort.signal });
    abort.abort();
    expect((await opening).code).toBe("ABORTED");
    expect(timesOpen(file)).toBe(0);
  });

  test("that isn't there is SOURCE, with its name and the reason", async () => {
    const error = await refusal({ file: "/nowhere/logo.png" });
    expect(error.code).toBe("SOURCE");
    expect(error.message).toContain('"/nowhere/logo.png" can\'t be read: ENOENT');
    expect(error.cause).toMatchObject({ code: "ENOENT" });
  });

  test("at a URL that names none is SOURCE", async () => {
    expect((await refusal({ file: new URL("https://example.com/logo.png") })).code).toBe("SOURCE");
  });

  test("that is a folder is USAGE", async () => {
    const folder = await newFolder();
    expect((await refusal({ file: folder })).code).toBe("USAGE");
    expect(timesOpen(folder)).toBe(0);
  });

  test.runIf(process.platform !== "win32")("that is a FIFO is USAGE, and isn't waited for", async () => {
    const fifo = join(await newFolder(), "fifo");
    execFileSync("mkfifo", [fifo]);
    const error = await refusal({ file: fifo });
    expect(error.code).toBe("USAGE");
    expect(error.message).toContain("stream");
    expect(timesOpen(fifo)).toBe(0);
  });

  test("beyond what the protocol can count is TOO_LARGE", async () => {
    const file = await fileOf(image.subarray(1));
    await truncate(file, 2 ** 32);
    const error = await refusal({ file });
    expect(error.code).toBe("TOO_LARGE");
    expect(error.details.limit).toBe(2 ** 32 - 1);
    expect(timesOpen(file)).toBe(0);
  });

  test.runIf(existsSync("/proc/self/fd"))(
    "is opened once, and closed when it is disposed of, though a block is on its way",
    async () => {
      const file = await fileOf(image);
      const source = await openSource({ file });
      expect(timesOpen(file)).toBe(1);
      const reading = source.read(BLOCK, 10);
      await source[Symbol.asyncDispose]();
      expect(timesOpen(file)).toBe(0);
      expect(await reading).toHaveLength(10);
    },
  );
});

/** A signal that never comes, and does something when it is asked whether it has for the second time. */
function askedFor(then: () => void): AbortSignal {
  let asked = 0;
  return Object.defineProperty(new AbortController().signal, "aborted", {
    get: () => {
      if (++asked === 2) then();
      return false;
    },
  });
}

/** How often this process has a file open; 0 where that can't be seen. */
function timesOpen(file: string): number {
  if (!existsSync("/proc/self/fd")) return 0;
  return readdirSync("/proc/self/fd").filter((fd) => targetOf(fd) === file).length;
}

function targetOf(fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined; // closed meanwhile
  }
}
