/** One process at a time in a folder, and none that has ended. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** Bytes of the name of a Unix socket on Linux, the 0 in front included. */
const NAME_BYTES = 108;

/**
 * Takes a folder, given by its real path, until the process ends or the function that comes back is called. Throws an Error when
 * somebody else has it.
 *
 * The lock is an abstract Unix socket, which the kernel frees however the process ends. There is none on other systems than Linux, nor
 * between containers that share a folder and no network.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  if (process.platform !== "linux") return async () => {};
  const hash = createHash("sha256").update(folder).digest("hex");
  // As long as can be: Node 20 fills a shorter name up with 0, later ones don't, and would take it for another.
  const path = `\0dl7450-state-${hash}`.padEnd(NAME_BYTES, "-");
  const server = createServer((socket) => socket.destroy());
  try {
    await once(server.listen({ path, exclusive: true }), "listening");
  } catch (cause) {
    throw new Error(`${folder} is in use by another mock dock`, { cause });
  }
  server.unref();
  return () => new Promise((resolve) => server.close(() => resolve()));
}
