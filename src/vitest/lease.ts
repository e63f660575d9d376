/** One holder a dock on a host: a lock by the kernel, which is free the moment its holder has ended, however that was. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { pause, systemClock } from "../clock.js";
import { DockError } from "../errors.js";
import { visible } from "../visible.js";

/** Who has a dock. */
const holder = v.object({
  pid: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  /** When the process was started, ISO 8601. */
  startedAt: v.pipe(v.string(), v.isoTimestamp()),
  /** What it was started as. */
  program: v.pipe(v.string(), v.maxLength(256)),
  /** Whether the dock may hold what it isn't to keep. */
  dock: v.picklist(["as it was", "being tested"]),
});
export type LeaseHolder = v.InferOutput<typeof holder>;

export interface LeaseOptions {
  /** Longest time to wait for another holder, in milliseconds. */
  readonly timeout: number;
  /** Called when somebody has the dock, and again when that is another one; undefined when it isn't known who. */
  readonly onWait: (holder: LeaseHolder | undefined) => void;
}

/** How often it is looked whether the dock is free, in milliseconds. */
const EVERY = 100;
/** Which byte of the file is locked: beyond what is written, since Windows doesn't let locked bytes be read. */
const LOCKED = 2 ** 30;
/** Longest record that is read, in bytes. */
const LONGEST = 4_096;

export class Lease {
  /** Who had the dock before and has ended without putting it back. */
  readonly diedWith: LeaseHolder | undefined;
  readonly #path: string;
  readonly #file: FileHandle;

  /**
   * Waits until nobody on this host has the dock, and takes it. Fails with `BUSY` when that takes too long, and with `OUTPUT` when the lock's file
   * can't be written.
   * @param name what tells the dock from others, the same whoever asks
   * @param folder where the locks are: of one user, since others can't open the dock's port meanwhile anyway
   */
  static async take(name: string, folder: string, { timeout, onWait }: LeaseOptions): Promise<Lease> {
    const path = join(folder, fileNameOf(name));
    const until = systemClock.now() + timeout;
    let told: string | undefined;
    for (;;) {
      const file = await lockedFile(folder, path);
      if (file !== undefined) {
        const lease = new Lease(file, path, recordIn(await readFile(path, "utf8").catch(() => "")));
        await lease.note(lease.diedWith === undefined ? "as it was" : "being tested"); // who waits is to know for whom
        return lease;
      }
      const other = recordIn(await readFile(path, "utf8").catch(() => ""));
      if (systemClock.now() >= until) {
        const message = `${visible(name)} is taken by ${holderText(other)}, and wasn't free within ${timeout} ms.`;
        throw new DockError({ code: "BUSY", message, retryable: true });
      }
      if (told !== holderText(other)) onWait(other);
      told = holderText(other);
      await pause(systemClock, EVERY);
    }
  }

  private constructor(file: FileHandle, path: string, before: LeaseHolder | undefined) {
    this.#file = file;
    this.#path = path;
    this.diedWith = before?.dock === "being tested" ? before : undefined;
  }

  /** Where it is kept what a dock is put back to, also by who comes after: by the dock's id, since another may be there by then. */
  baselineOf(id: string): string {
    return `${this.#path}.${hashOf(id)}.baseline`;
  }

  /** Takes note of what is to be known of the dock when this process ends without another word. */
  async note(dock: LeaseHolder["dock"]): Promise<void> {
    const startedAt = new Date(performance.timeOrigin).toISOString();
    const program = process.title.slice(0, 256);
    await this.#write(`${JSON.stringify({ pid: process.pid, startedAt, program, dock } satisfies LeaseHolder)}\n`);
  }

  /** Lets the next one have the dock. What was noted last stays. */
  async release(): Promise<void> {
    await this.#file.close();
  }

  async #write(text: string): Promise<void> {
    const { bytesWritten } = await this.#file.write(text, 0);
    await this.#file.truncate(bytesWritten);
  }
}

/** Who has it, for a sentence. */
export function holderText(holder: LeaseHolder | undefined): string {
  if (holder === undefined) return "somebody";
  return `process ${holder.pid} (${visible(holder.program)}, started ${holder.startedAt})`;
}

/** A file that is locked by this, or nothing when somebody else has it. */
async function lockedFile(folder: string, path: string): Promise<FileHandle | undefined> {
  const { tryLock } = await import("fs-native-extensions"); // a native module: for who needs it
  let file: FileHandle | undefined;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    if (tryLock(file.fd, LOCKED, 1)) return file;
    await file.close();
    return undefined;
  } catch (cause) {
    await file?.close().catch(() => {});
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DockError({ code: "OUTPUT", message: visible(`The dock can't be taken: ${why}`), cause });
  }
}

function recordIn(text: string): LeaseHolder | undefined {
  if (text.length > LONGEST) return undefined;
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), holder), text);
  return parsed.success ? parsed.output : undefined;
}

function fileNameOf(name: string): string {
  return `${name.replace(/[^A-Za-z0-9.-]+/g, "_").slice(0, 40)}-${hashOf(name)}.lease`;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
