import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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

const silent = { purpose: "a.test.ts", run: 1, timeout: 0, onWait: () => {} };

test("a dock has one holder, and another run's is told who that is", async () => {
  const lease = await Lease.take("RW02-0005", folder, silent);
  const seen: (LeaseHolder | undefined)[] = [];
  const onWait = (holder: LeaseHolder | undefined): void => void seen.push(holder);
  const taken = Lease.take("RW02-0005", folder, { ...silent, run: 2, timeout: 150, onWait });
  const message = expect.stringMatching(
    `^RW02-0005 is taken by process ${process.pid} \\(a\\.test\\.ts, started .*Z\\), and wasn't free within 150 ms\\.$`,
  );
  await expect(taken).rejects.toMatchObject({ code: "BUSY", message });
  expect(seen).toMatchObject([{ pid: process.pid, purpose: "a.test.ts", run: 1 }]);
  const atOnce = Lease.take("RW02-0005", folder, { ...silent, run: 2, timeout: 0 });
  await expect(atOnce).rejects.toMatchObject({ code: "BUSY", message: expect.stringMatching(/Z\)\.$/) });
  await lease.release();
  await (await Lease.take("RW02-0005", folder, silent)).release();
});

test("who waits for a holder of the same run waits for as long as that takes", async () => {
  const lease = await Lease.take("a", folder, silent);
  const next = Lease.take("a", folder, { ...silent, timeout: 50 });
  await expect(Lease.take("a", folder, { ...silent, run: 2, timeout: 50 })).rejects.toMatchObject({ code: "BUSY" });
  await lease.release();
  await (await next).release();
});

test("a file that a link names isn't written", async () => {
  await (await Lease.take("a", folder, silent)).release();
  const [name = ""] = readdirSync(folder);
  const other = join(folder, "other");
  writeFileSync(other, "mine");
  rmSync(join(folder, name));
  symlinkSync(other, join(folder, name));
  await expect(Lease.take("a", folder, silent)).rejects.toMatchObject({ code: "OUTPUT" });
  expect(readFileSync(other, "utf8")).toBe("mine");
});

test("a signal ends the waiting", async () => {
  const lease = await Lease.take("a", folder, silent);
  const left = new AbortController();
  const next = Lease.take("a", folder, { ...silent, timeout: 60_000, onWait: () => left.abort(), signal: left.signal });
  await expect(next).rejects.toMatchObject({ code: "ABORTED" });
  await lease.release();
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
  const next = Lease.take("a", folder, { ...silent, run: 2, timeout: 60_000, onWait: () => void lease.release() });
  await (await next).release();
});

test("a holder that is killed holds nothing any more", async () => {
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
  await expect(Lease.take("a", folder, { ...silent, run: 2 })).rejects.toMatchObject({ code: "BUSY" });
  holder.kill("SIGKILL");
  await once(holder, "close");
  await (await Lease.take("a", folder, { ...silent, run: 2 })).release();
});

test.for(["", "{", "null", '{"pid":-1}', "x".repeat(100_000), '{"pid":1,"startedAt":"yesterday","purpose":"","run":1}'])(
  "a record that isn't one (%#) is nobody's, and is written over",
  async (text) => {
    const lease = await Lease.take("a", folder, silent);
    const [file = ""] = readdirSync(folder);
    writeFileSync(join(folder, file), text);
    const seen: (LeaseHolder | undefined)[] = [];
    const next = Lease.take("a", folder, {
      ...{ ...silent, run: 2, timeout: 60_000 },
      onWait: (holder) => {
        seen.push(holder);
        void lease.release();
      },
    });
    const taken = await next;
    expect(seen).toEqual([undefined]);
    expect(JSON.parse(readFileSync(join(folder, file), "utf8"))).toMatchObject({ pid: process.pid, run: 2 });
    await taken.release();
  },
);

test("a folder that can't be made is OUTPUT", async () => {
  writeFileSync(join(folder, "file"), "");
  await expect(Lease.take("a", join(folder, "file", "leases"), silent)).rejects.toMatchObject({ code: "OUTPUT" });
});
