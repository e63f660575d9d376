/** The dock that a command is about: opened for it, closed whatever happens. */
import { realpath } from "node:fs/promises";
import type { Dock, OpenOptions, WriteOptions } from "../index.js";
import { CliError } from "./cli-error.js";
import { confirmed } from "./confirm.js";
import type { Context } from "./context.js";
import type { GlobalOptions, WriteLayerOptions } from "./options.js";

/** What a command wants of its dock beyond what the options say. */
type Wishes = Pick<OpenOptions, "onText" | "onLog" | "reconnect">;

/** Opens the dock that the options or the environment name, and closes it when `use` is through. */
export async function withDock<T>(
  { signal, trace }: Context,
  options: GlobalOptions,
  use: (dock: Dock) => Promise<T>,
  wishes: Wishes = {},
): Promise<T> {
  const { Dock } = await import("../dock.js"); // not for --help
  const target = options.port ?? "";
  if (options.trace !== undefined) await checkTrace(options.trace, target);
  await using dock = await Dock.open(target, {
    ...wishes,
    signal,
    ...(options.trace === undefined || trace === undefined ? {} : { trace: trace.tracer(options.trace, target) }),
    ...openingOf(options),
  });
  return await use(dock);
}

/** How the options want a dock opened. */
export function openingOf({ timeout, baud, dtr, rts }: GlobalOptions): OpenOptions {
  const ms = timeout === undefined ? undefined : timeout * 1_000;
  return {
    ...(ms === undefined ? {} : { handshakeTimeout: ms, timeout: ms }),
    ...(baud === undefined ? {} : { baudRate: baud }),
    ...(dtr === undefined ? {} : { dtr }),
    ...(rts === undefined ? {} : { rts }),
  };
}

/** Fails with `USAGE` where a trace would be written over what the mock dock is to read. */
async function checkTrace(trace: string, target: string): Promise<void> {
  if (!target.startsWith("mock:")) return;
  const { parseTarget } = await import("../transport/target.js");
  const parsed = parseTarget(target);
  const real = (path: string): Promise<string> => realpath(path).catch(() => path);
  const read = parsed.kind === "mock" ? await Promise.all(parsed.args.map(real)) : [];
  if (read.includes(await real(trace)))
    throw new CliError("USAGE", `${trace} is what the mock dock reads: give --trace another file.`);
}

/** The same for a command that writes to a layer: `use` is called once it is known that the dock is the one that is meant, and can be written there. */
export async function withDockToWrite<T>(
  context: Context,
  options: WriteLayerOptions,
  use: (dock: Dock, to: WriteOptions) => Promise<T>,
): Promise<T> {
  return await withDock(context, options, async (dock) => {
    const { store } = options;
    const why = "its factory data is overwritten for good";
    const confirm = store === "factory" ? await confirmed(context, dock, options, why) : undefined;
    const to = { store, confirm, signal: context.signal };
    dock.requireWritable(to);
    return await use(dock, to);
  });
}

/** Fails as a call would for which the dock lacks the feature. */
export function requireFeature({ features }: Dock, feature: string): void {
  if (!features.includes(feature)) throw new CliError("UNSUPPORTED", `This dock can't ${feature}.`);
}
