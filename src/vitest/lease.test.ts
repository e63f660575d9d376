import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Lease, type LeaseHolder } from "./lease.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dl7450-leases-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const silent = { timeout: 0, onWait: () => {} };

test("a dock has one holder, and another one's is told who that is", async () => {
  const lease = await Lease.take("RW02-0005", folder, silent);
  await lease.note("as it was");
  const seen: (LeaseHolder | undefined)[] = [];
  const taken = Lease.take("RW02-0005", folder, { timeout: 150, onWait: (holder) => void seen.push(holder) });
  await expect(taken).rejects.toMatchObject({
    code: "BUSY",
    message: expect.stringMatching(`RW02-0005 is taken by process ${process.pid} `),
  });
  expect(seen.map((holder) => holder?.pid)).toEqual([process.pid]);
  await lease.release();
  await (await Lease.take("RW02-0005", folder, silent)).release();
});

test("docks with names that differ in what a file's name can't have are different ones", async () => {
  const leases = await Promise.all(
    ["a/b", "a_b", "a:b", "x".repeat(300), "x".repeat(301)].map((name) => Lease.take(name, folder, silent)),
  );
  expect(readdirSync(folder)).toHaveLength(5);
  for (const lease of leases) await lease.release();
});

test("who waits has it as soon as it is released", async () => {
  const lease = await Lease.take("a", folder, silent);
  const next = Lease.take("a", folder, { timeout: 60_000, onWait: () => void lease.release() });
  await (await next).release();
});

test("a holder that is killed holds nothing any more, and is told of when it left a dock in a test", async () => {
  // Locks as `Lease` does, and writes what it would.
  const addon = pathToFileURL(join(import.meta.dirname, "../../node_modules/fs-native-extensions/index.js")).href;
  await (await Lease.take("a", folder, silent)).release();
  const [file = ""] = readdirSync(folder);
  const script = `
    import { openSync } from "node:fs";
    const { default: { tryLock } } = await import(${JSON.stringify(addon)});
    console.log(tryLock(openSync(process.argv[1], "r+"), 2 ** 30, 1));
    setInterval(() => {}, 1e6);`;
  const holder = spawn(process.execPath, ["--input-type=module", "-e", script, join(folder, file)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = await once(holder.stdout, "data");
  expect(String(said)).toBe("true\n");
  const record = { pid: holder.pid, startedAt: new Date(0).toISOString(), program: "another", dock: "being tested" };
  writeFileSync(join(folder, file), `${JSON.stringify(record)}\n`);
  await expect(Lease.take("a", folder, silent)).rejects.toMatchObject({ code: "BUSY" });
  holder.kill("SIGKILL");
  await once(holder, "close");
  const lease = await Lease.take("a", folder, silent);
  expect(lease.diedWith).toEqual(record);
  await lease.note("as it was");
  await lease.release();
  const next = await Lease.take("a", folder, silent);
  expect(next.diedWith).toBeUndefined();
  await next.release();
});

test.for([
  "",
  "{",
  "null",
  '{"pid":-1}',
  "x".repeat(100_000),
  '{"pid":1,"startedAt":"yesterday","program":"","dock":"being tested"}',
])("a record that isn't one (%.20s) is nobody's", async (text) => {
  await (await Lease.take("a", folder, silent)).release();
  const [file = ""] = readdirSync(folder);
  writeFileSync(join(folder, file), text);
  const lease = await Lease.take("a", folder, silent);
  expect(lease.diedWith).toBeUndefined();
  await lease.note("being tested");
  expect(JSON.parse(readFileSync(join(folder, file), "utf8"))).toMatchObject({ pid: process.pid, dock: "being tested" });
  await lease.release();
});

test("a folder that can't be made is OUTPUT", async () => {
  writeFileSync(join(folder, "file"), "");
  await expect(Lease.take("a", join(folder, "file", "leases"), silent)).rejects.toMatchObject({ code: "OUTPUT" });
});
