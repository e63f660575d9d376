/** Runs the command line in the process of the test, and keeps what it says. */
import { Readable, Writable } from "node:stream";
import { systemClock } from "../../clock.js";
import { watchPorts } from "../../port-watch.js";
import { visible } from "../../visible.js";
import type { Context, Output } from "../context.js";
import type { ExitCode } from "../exit-codes.js";
import { main } from "../main.js";

export interface Ran {
  readonly exitCode: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
  /** What went to stdout, as bytes. */
  readonly data: Buffer;
}

/** Runs it with what a test gives otherwise than usual. */
export async function runCli(argv: readonly string[], given: Partial<Context> = {}): Promise<Ran> {
  const stdout = new Recorder();
  const stderr = new Recorder();
  const exitCode = await main(argv, { ...usualContext(), stdout, stderr, ...given });
  return { exitCode, stdout: stdout.data.toString(), stderr: stderr.data.toString(), data: stdout.data };
}

/** Nothing plugged in or typed, no terminals, an empty environment. */
export function usualContext(): Context {
  return {
    stdin: () => Readable.from([]),
    stdout: new Recorder(),
    stderr: new Recorder(),
    env: {},
    settingsFiles: async () => [],
    clock: systemClock,
    signal: new AbortController().signal,
    findPorts: async () => [],
    watchPorts,
  };
}

/** An output that keeps what it gets. */
export class Recorder extends Writable implements Output {
  readonly isTTY: boolean;
  readonly #chunks: Buffer[] = [];

  constructor(kind: "file" | "terminal" = "file") {
    super();
    this.isTTY = kind === "terminal";
  }

  get data(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }
}

/** An output on which each write fails, as a pipe whose reader has left does with `EPIPE`. */
export function brokenOutput(code: string): Output {
  return new Writable({
    autoDestroy: false,
    write: (_chunk, _encoding, done) => done(Object.assign(new Error(`write ${code}`), { code })),
  });
}

/** The lines that hold something that can't be seen, or that changes how the rest is seen. */
export function unsafeLines(text: string): string[] {
  return text.split("\n").filter((line) => visible(line).replaceAll("\\\\", "\\") !== line);
}
