/** What a command reads, from a file or from stdin. */
import { open } from "node:fs/promises";
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
export async function readBytes(file: string, { stdin, signal }: Input): Promise<Buffer> {
  try {
    return await (file === "-" ? gathered(stdin(), signal) : contentOf(file, signal));
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new CliError("SOURCE", `${nameOf(file)} can't be read: ${cause instanceof Error ? cause.message : cause}.`, cause);
  }
}

function nameOf(file: string): string {
  return file === "-" ? "stdin" : file;
}

async function contentOf(file: string, signal: AbortSignal): Promise<Buffer> {
  const opened = await open(file);
  try {
    return await gathered(opened.createReadStream({ autoClose: false }), signal);
  } finally {
    await opened.close();
  }
}

async function gathered(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    length += chunk.length;
    if (length > LONGEST) throw new Error(`it is longer than ${LONGEST} bytes`);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}
