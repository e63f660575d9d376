/** The machine that this runs on, as `doctor` asks it. */
import { access, constants, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../output-message.js";
import { permissionHint } from "../transport/port-trouble.js";
import type { Context } from "./context.js";
import type { Machine } from "./diagnosis.js";

/** Where udev looks for rules (udev(7)). */
const RULE_FOLDERS = [
  "/etc/udev/rules.d",
  "/run/udev/rules.d",
  "/usr/local/lib/udev/rules.d",
  "/usr/lib/udev/rules.d",
  "/lib/udev/rules.d",
];

export function machineOf({ clock, findPorts, signal }: Context): Machine {
  return {
    nodeVersion: process.versions.node,
    platform: process.platform,
    now: () => clock.now(),
    findPorts,
    access: accessTo,
    permissionHint,
    runs,
    udevRules,
    signal,
  };
}

/** Windows lets everybody open ports, and has no files for them. */
async function accessTo(path: string): ReturnType<Machine["access"]> {
  if (process.platform === "win32") return "allowed";
  try {
    await access(path, constants.R_OK | constants.W_OK);
    return "allowed";
  } catch (error) {
    return systemCode(error) === "ENOENT" ? "missing" : "forbidden";
  }
}

/** By the names that the system gives its processes, of up to 15 bytes. */
async function runs(program: string): Promise<boolean> {
  const processes = (await namesIn("/proc")).filter((name) => /^\d+$/.test(name));
  const names = await Promise.all(processes.map((id) => readFile(`/proc/${id}/comm`, "utf8").catch(() => "")));
  return names.some((name) => name.trimEnd() === program.slice(0, 15));
}

async function udevRules(): Promise<string[]> {
  const files = await Promise.all(
    RULE_FOLDERS.map(async (folder) => {
      const names = await namesIn(folder);
      return names.filter((name) => name.endsWith(".rules")).map((name) => join(folder, name));
    }),
  );
  return await Promise.all(files.flat().map((file) => readFile(file, "utf8").catch(() => "")));
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
