/** What a command reads, from a file or from stdin. */
import { constants, createReadStream, openSync } from "node:fs";
import { stat } from "node:fs/promises";
import { Socket } from "node:net";
import { addAbortSignal, type Readable } from "node:stream";
import { CliError } from "./cli-error.js";
import type { Context } from "./context.js";

/** More isn't read, in bytes: no layer of a dock holds as much. */
const LONGEST = 256 * 1024 * 1024;

type Input = Pick<Context, "stdin" | "signal">;

/** All of a file, or of stdin where it is `-`: text in UTF-8. Fails with `SOURCE`. */
export async function readText(file: string, context: Input): Promise<string> {
  const bytes = await readBytes(file, context);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new CliError("SOURCE", `${nameOf(file)} isn't text in UTF-8.`, cause);
  }
}

/** All of a file, or of stdin where it is `-`. Fails with `SOURCE`. */
export async function readBytes(file: string, context: Input): Promise<Buffer> {
  try {
    return await gathered(await openInput(file, context));
  } catch (cause) {
    if (context.signal.aborted) throw context.signal.reason;
    throw new CliError("SOURCE", `${nameOf(file)} can't be read: ${cause instanceof Error ? cause.message : cause}.`, cause);
  }
}

/** What a file gives, or stdin where it is `-`: until the signal comes, also where it waits for a writer. */
export async function openInput(file: string, { stdin, signal }: Input): Promise<Readable> {
  if (file === "-") return addAbortSignal(signal, stdin());
  return addAbortSignal(signal, (await stat(file)).isFIFO() ? openFifo(file) : createReadStream(file));
}

/** Opened without waiting in the kernel, where no signal could end the wait. */
function openFifo(file: string): Readable {
  return new Socket({ fd: openSync(file, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false });
}

function nameOf(file: string): string {
  return file === "-" ? "stdin" : file;
}

async function gathered(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > LONGEST) throw new Error(`it is longer than ${LONGEST} bytes`);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}
