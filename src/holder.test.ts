import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { holderOf, holdersOf } from "./holder.js";

/** A folder like /proc, of processes by their ids: their names, and what their descriptors are. */
async function processes(
  all: Readonly<Record<string, { name: string; open: Readonly<Record<string, string>> }>>,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "dl7450-proc-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "sys"));
  for (const [pid, { name, open }] of Object.entries(all)) {
    await mkdir(join(folder, pid, "fd"), { recursive: true });
    await writeFile(join(folder, pid, "comm"), `${name}\n`);
    for (const [descriptor, path] of Object.entries(open)) await symlink(path, join(folder, pid, "fd", descriptor));
  }
  return folder;
}

test("a port's holder is who has it open", async () => {
  const folder = await processes({
    7: { name: "bash", open: { 0: "/dev/pts/1", 3: "/dev/ttyACM1" } },
    12: { name: "minicom", open: { 0: "/dev/pts/1", 5: "/dev/ttyACM0" } },
  });
  expect(await holderOf("/dev/ttyACM0", folder)).toEqual({ pid: 12, program: "minicom" });
  expect(await holderOf("/dev/ttyACM2", folder)).toBeUndefined();
});

test("the holders of many ports are found in one go; who isn't seen is left out", async () => {
  const folder = await processes({
    7: { name: "bash", open: { 0: "/dev/pts/1", 3: "/dev/ttyACM1" } },
    12: { name: "minicom", open: { 5: "/dev/ttyACM0", 6: "/dev/ttyACM3" } },
  });
  expect(await holdersOf(["/dev/ttyACM0", "/dev/ttyACM1", "/dev/ttyACM2"], folder)).toEqual(
    new Map([
      ["/dev/ttyACM0", { pid: 12, program: "minicom" }],
      ["/dev/ttyACM1", { pid: 7, program: "bash" }],
    ]),
  );
});

test("who uses a port comes before who runs in it", async () => {
  const folder = await processes({
    3: { name: "sleep", open: { 0: "/dev/pts/4", 1: "/dev/pts/4" } },
    9: { name: "node", open: { 20: "/dev/pts/4" } },
    11: { name: "cat", open: { 0: "/dev/ttyACM0" } },
  });
  expect(await holderOf("/dev/pts/4", folder)).toEqual({ pid: 9, program: "node" });
  expect(await holderOf("/dev/ttyACM0", folder)).toEqual({ pid: 11, program: "cat" });
});

test("who has a port locked comes before who has it open", async () => {
  const folder = await processes({
    9: { name: "picocom", open: { 3: "/dev/ttyACM0" } },
    30: { name: "node", open: { 20: "/dev/ttyACM0" } },
  });
  await mkdir(join(folder, "30/fdinfo"));
  await writeFile(
    join(folder, "30/fdinfo/20"),
    "pos:\t0\nflags:\t02404002\nlock:\t1: FLOCK  ADVISORY  WRITE 30 00:05:91 0 EOF\n",
  );
  expect(await holderOf("/dev/ttyACM0", folder)).toEqual({ pid: 30, program: "node" });
});

test("where the system tells of no processes there is no holder", async () => {
  expect(await holderOf("/dev/ttyACM0", "/none")).toBeUndefined();
});
