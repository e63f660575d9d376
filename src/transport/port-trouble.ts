/** Why a serial port can't be opened, and what to do about it. */
import { readFile, realpath, stat } from "node:fs/promises";
import type { DockErrorCode, Problem } from "../errors.js";
import { holderOf } from "../holder.js";
import { visible } from "../visible.js";

/** What kind of trouble it is: serialport's errors are plain ones whose text comes from the system. */
export function troubleOf(failure: Error): Extract<DockErrorCode, "BUSY" | "PERMISSION" | "NO_DOCK"> {
  const said = saidBy(failure);
  if (/cannot lock port|resource busy|access denied/i.test(said)) return "BUSY";
  if (/permission denied|operation not permitted/i.test(said)) return "PERMISSION";
  return "NO_DOCK";
}

/** @param device what USB says is plugged in there, if it does */
export async function problemOfOpening(path: string, cause: Error, device?: string): Promise<Problem> {
  const code = troubleOf(cause);
  const name = visible(path);
  switch (code) {
    case "BUSY":
      return { code, message: `${name} is in use by ${await holderText(path)}`, retryable: true, cause };
    case "PERMISSION":
      return { code, message: `You may not open ${name}. ${await permissionHint(path)}`.trimEnd(), cause };
    case "NO_DOCK":
      return { code, message: messageOfMissing(name, visible(saidBy(cause)), device), cause };
  }
}

async function holderText(path: string): Promise<string> {
  const holder = await holderOf(await realpath(path).catch(() => path));
  if (holder === undefined) return "another program; close it, then try again.";
  if (holder.pid === process.pid) return "this program itself; close it there first.";
  return `${visible(holder.program)} (process ${holder.pid}); close it, then try again.`;
}

function messageOfMissing(name: string, said: string, device: string | undefined): string {
  if (!/no such (file|device)|file not found/i.test(said)) return `${name} can't be opened as a serial port (${said}).`;
  if (device === undefined) return `There is no port ${name}. \`dl7450 ports\` lists those that there are.`;
  return `${name} (${device}) is plugged in, or was just now, but can't be opened here: ${said}. A container has to be given it.`;
}

/** Read and write, for a file's group. */
const GROUP_MAY = 0o060;

/** How to be let open a port on Linux: by its group, where that may. */
export async function permissionHint(path: string): Promise<string> {
  if (process.platform !== "linux") return "";
  const { gid, mode } = await stat(path).catch(() => ({ gid: 0, mode: 0 }));
  const group = gid !== 0 && (mode & GROUP_MAY) === GROUP_MAY ? await groupName(gid) : undefined;
  const rules = "`dl7450 udev` prints rules by which whoever is logged in may open docks.";
  if (group === undefined) return rules;
  return `It belongs to the group ${visible(group)}: sudo usermod -aG ${visible(group)} $USER, then log in again. Or ${rules}`;
}

async function groupName(gid: number): Promise<string | undefined> {
  const groups = await readFile("/etc/group", "utf8").catch(() => "");
  for (const line of groups.split("\n")) {
    const [name, , id] = line.split(":");
    if (id === String(gid)) return name;
  }
  return undefined;
}

/** What the system said. */
export function saidBy({ message }: Error): string {
  return message.replace(/^(Error:?\s*)+/, "");
}
