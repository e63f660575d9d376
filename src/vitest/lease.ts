/** One holder a dock on a host: a lock by the kernel, which is free the moment its holder has ended, however that was. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { throwIfAborted } from "../check.js";
import { pause, systemClock } from "../clock.js";
import { DockError } from "../errors.js";
import { visible } from "../visible.js";

const id = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Longest text of a purpose, in characters. */
const LONGEST_PURPOSE = 512;

/** Who has a dock, for who waits for it. */
const holder = v.object({
  pid: id,
  /** When the process was started, ISO 8601. */
  startedAt: v.pipe(v.string(), v.isoTimestamp()),
  /** What it has the dock for: a file of tests. */
  purpose: v.pipe(v.string(), v.maxLength(LONGEST_PURPOSE)),
  /** The process of the run that it belongs to. */
  run: id,
});
export type LeaseHolder = v.InferOutput<typeof holder>;

export interface LeaseOptions {
  /** What the dock is wanted for. */
  readonly purpose: string;
  /** The process of the run that wants it. */
  readonly run: number;
  /** Longest time to wait for holders of other runs, in milliseconds: those of the same run are waited for until they have ended. */
  readonly timeout: number;
  /** Called when somebody has the dock, and again when that is another one; undefined when it isn't known who. */
  readonly onWait: (holder: LeaseHolder | undefined) => void;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
}

/** How often it is looked whether the dock is free, in milliseconds. */
const EVERY = 100;
/** Which byte of the file is locked: beyond what is written, since Windows doesn't let locked bytes be read. */
const LOCKED = 2 ** 30;
/** What a link names isn't the lease's to write; Windows knows no such flag. */
const NOT_LINKED = constants.O_NOFOLLOW ?? 0;
/** Longest record that is read, in characters. */
const LONGEST = 4_096;

export class Lease {
  readonly #path: string;
  readonly #file: FileHandle;

  /**
   * Waits until nobody on this host has the dock, and takes it. Fails with `BUSY` when that takes too long, with `ABORTED`, and with `OUTPUT` when the
   * lock's file can't be written.
   * @param name what tells the dock from others, the same whoever asks
   * @param folder where the locks are: of one user, since others can't open the dock's port meanwhile anyway
   */
  static async take(name: string, folder: string, options: LeaseOptions): Promise<Lease> {
    const { purpose, run, timeout, onWait, signal } = options;
    const path = join(folder, fileNameOf(name));
    const startedAt = new Date(performance.timeOrigin).toISOString();
    const record = { pid: process.pid, startedAt, purpose: purpose.slice(0, LONGEST_PURPOSE), run };
    let [before, waited] = [systemClock.now(), 0];
    let told: string | undefined;
    for (;;) {
      throwIfAborted(signal);
      const file = await lockedFile(folder, path, record);
      if (file !== undefined) return new Lease(file, path);
      const other = recordIn(await readFile(path, "utf8").catch(() => ""));
      const now = systemClock.now();
      if (other?.run !== run) waited += now - before;
      before = now;
      if (other?.run !== run && waited >= timeout) {
        const message = `${visible(name)} is taken by ${holderText(other)}${timeout === 0 ? "" : `, and wasn't free within ${timeout} ms`}.`;
        throw new DockError({ code: "BUSY", message, retryable: true });
      }
      if (told !== holderText(other)) onWait(other);
      told = holderText(other);
      await pause(systemClock, EVERY, signal);
    }
  }

  private constructor(file: FileHandle, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /**
   * Where it is kept what a dock is put back to, as long as it isn't, also by who comes after: by the dock's id, since another may be in its place by then.
   */
  baselineOf(id: string): string {
    return `${this.#path}.${hashOf(id)}.baseline`;
  }

  /** Lets the next one have the dock. */
  async release(): Promise<void> {
    await this.#file.close();
  }
}

/** Who has it, for a sentence. */
export function holderText(holder: LeaseHolder | undefined): string {
  if (holder === undefined) return "somebody";
  return `process ${holder.pid} (${visible(holder.purpose)}, started ${holder.startedAt})`;
}

/** A file that is locked by this and says so, or nothing when somebody else has it. */
async function lockedFile(folder: string, path: string, record: LeaseHolder): Promise<FileHandle | undefined> {
  const { tryLock } = await import("fs-native-extensions"); // a native module: for who needs it
  let file: FileHandle | undefined;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    file = await open(path, constants.O_RDWR | constants.O_CREAT | NOT_LINKED, 0o600);
    if (!tryLock(file.fd, LOCKED, 1)) return void (await file.close());
    const { bytesWritten } = await file.write(`${JSON.stringify(record)}\n`, 0);
    await file.truncate(bytesWritten);
    return file;
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
