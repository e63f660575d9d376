/** Which process has a port open (Linux: out of `/proc`, as far as this user may look). */
import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";

/** A process that has a port open. */
export interface Holder {
  readonly pid: number;
  /** The program's name, as the system has it: up to 15 bytes. It is the program's own choice: don't print it raw. */
  readonly program: string;
}

/** Descriptors up to this one are a program's standard streams: the terminal that it runs in, more often than a port that it uses. */
const LAST_STANDARD = 2;

/**
 * A process that has the port open, this one included; undefined when none is seen. Those of other users can't be looked into without
 * their rights, and systems without `/proc` don't tell.
 * @param path the device itself, no link to it
 * @param processes the folder where the system tells of its processes
 */
export async function holderOf(path: string, processes = "/proc"): Promise<Holder | undefined> {
  let runsInIt: string | undefined;
  for (const entry of await namesIn(processes)) {
    if (!/^\d+$/.test(entry)) continue;
    for (const descriptor of await namesIn(join(processes, entry, "fd"))) {
      if ((await readlink(join(processes, entry, "fd", descriptor)).catch(() => "")) !== path) continue;
      if (Number(descriptor) > LAST_STANDARD) return holder(processes, entry);
      runsInIt ??= entry;
    }
  }
  return runsInIt === undefined ? undefined : holder(processes, runsInIt);
}

async function holder(processes: string, entry: string): Promise<Holder> {
  const program = await readFile(join(processes, entry, "comm"), "utf8").catch(() => "");
  return { pid: Number(entry), program: program.trimEnd() };
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
