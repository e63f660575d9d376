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

/** How a process has a port open, the more telling last. */
const USES = ["runs in it", "has it open", "has it locked"] as const;

/**
 * Who has a port open, this process included, by the port's path: of several who has it locked. Ports that nobody is seen to have open are left
 * out. Processes of other users can't be looked into without their rights, and systems without `/proc` don't tell.
 * @param paths the devices themselves, no links to them
 * @param processes the folder where the system tells of its processes
 */
export async function holdersOf(paths: readonly string[], processes = "/proc"): Promise<Map<string, Holder>> {
  const found = new Map<string, { entry: string; use: number }>();
  if (paths.length === 0) return new Map();
  for (const entry of await namesIn(processes)) {
    if (!/^\d+$/.test(entry)) continue;
    const folder = join(processes, entry, "fd");
    const descriptors = await namesIn(folder);
    const open = await Promise.all(descriptors.map((name) => readlink(join(folder, name)).catch(() => "")));
    for (const [i, path] of open.entries()) {
      if (!paths.includes(path)) continue;
      const use = USES.indexOf(await useOf(join(processes, entry), descriptors[i] ?? ""));
      if (use > (found.get(path)?.use ?? -1)) found.set(path, { entry, use });
    }
  }
  const holders = [...found].map(async ([path, { entry }]) => [path, await holder(processes, entry)] as const);
  return new Map(await Promise.all(holders));
}

async function useOf(process: string, descriptor: string): Promise<(typeof USES)[number]> {
  const info = await readFile(join(process, "fdinfo", descriptor), "utf8").catch(() => "");
  if (/^lock:.*FLOCK/m.test(info)) return "has it locked";
  return Number(descriptor) > LAST_STANDARD ? "has it open" : "runs in it";
}

/** Who has the port open, this process included; undefined when nobody is seen to. */
export async function holderOf(path: string, processes?: string): Promise<Holder | undefined> {
  return (await holdersOf([path], processes)).get(path);
}

async function holder(processes: string, entry: string): Promise<Holder> {
  const program = await readFile(join(processes, entry, "comm"), "utf8").catch(() => "");
  return { pid: Number(entry), program: program.trimEnd() };
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
