/** The dock that a command is about: opened for it, closed whatever happens. */
import type { Dock } from "../index.js";
import type { Context } from "./context.js";
import type { GlobalOptions } from "./options.js";

/** Opens the dock that the options or the environment name, and closes it when `use` is through. */
export async function withDock<T>({ signal }: Context, options: GlobalOptions, use: (dock: Dock) => Promise<T>): Promise<T> {
  const { Dock } = await import("../dock.js"); // not for --help
  const { port, timeout, baud, dtr, rts } = options;
  const ms = timeout === undefined ? undefined : timeout * 1_000;
  await using dock = await Dock.open(port ?? "", {
    signal,
    ...(ms === undefined ? {} : { handshakeTimeout: ms, timeout: ms }),
    ...(baud === undefined ? {} : { baudRate: baud }),
    ...(dtr === undefined ? {} : { dtr }),
    ...(rts === undefined ? {} : { rts }),
  });
  return await use(dock);
}
