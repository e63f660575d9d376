/** Calls to a dock: each that there is, what they fail with, and what they cost its line. */
import { type CallOptions, type Dock, DockError, type DockErrorCode, type Layer, type LayerOption } from "../../src/index.js";
import { all } from "./reading.js";

/** The code of the error that a call fails with; undefined when it doesn't fail. */
export async function codeOf(call: Promise<unknown>): Promise<DockErrorCode | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (error instanceof DockError) return error.code;
    throw error;
  }
}

/** How many frames the driver sends while something is done. */
export async function framesSent(dock: Dock, act: () => Promise<void>): Promise<number> {
  const { framesOut } = dock.link.counters;
  await act();
  await new Promise(setImmediate); // what is sent goes out at the end of the turn
  return dock.link.counters.framesOut - framesOut;
}

/** What something costs the line upwards, in bytes: of everything, and of images alone. */
export async function costs(dock: Dock, act: () => Promise<unknown>): Promise<{ bytesOut: number; uploaded: number }> {
  const { bytesOut, uploaded } = dock.link.counters;
  await act();
  const after = dock.link.counters;
  return { bytesOut: after.bytesOut - bytesOut, uploaded: after.uploaded - uploaded };
}

/** How many calls are made at once where many are to be made: few enough that none waits for its turn for long. */
const AT_ONCE = 16;

/** What `call` gives for each item, some at once. */
export async function inTurns<T, R>(items: readonly T[], call: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < items.length; i += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(i, i + AT_ONCE).map((item) => call(item)))));
  }
  return results;
}

type Options = CallOptions & LayerOption;

/** Each call that looks for something in the layers. */
export const LOOKUPS: Readonly<Record<string, (dock: Dock, options: Options) => Promise<unknown>>> = {
  "images.list": (dock, options) => dock.images.list(options),
  "images.get": (dock, options) => dock.images.get("a", options),
  "images.getToken": (dock, options) => dock.images.getToken("a", options),
  "images.stream, its info": (dock, options) => dock.images.stream("a", options).info(),
  "images.stream, its bytes": (dock, options) => all(dock.images.stream("a", options)),
  "kv.list": (dock, options) => dock.kv.list(options),
  "kv.get": (dock, options) => dock.kv.get("a", options),
  "kv.find": (dock, options) => dock.kv.find("a", options),
  "kv.entries": (dock, options) => all(dock.kv.entries(options)),
};

/** Each call that asks the dock something. */
export const CALLS: typeof LOOKUPS = { info: (dock, options) => dock.info(options), ...LOOKUPS };

/** Each call that changes something, with the feature that it needs. */
export const WRITES = {
  "write.ephemeral": writesTo("ephemeral"),
  "write.runtime": writesTo("runtime"),
  "write.factory": writesTo("factory"),
  txn: { transaction: (dock) => dock.transaction("ephemeral", async () => {}) },
  restart: { restart: (dock) => dock.restart() },
  reset: { reset: (dock) => dock.reset() },
} as const satisfies Record<string, typeof LOOKUPS>;

function writesTo(store: Layer): typeof LOOKUPS {
  const options = (dock: Dock) => ({ store, confirm: dock.name });
  return {
    "kv.set": (dock) => dock.kv.set("a", 1, options(dock)),
    "kv.delete": (dock) => dock.kv.delete("a", options(dock)),
    "images.put": (dock) => dock.images.put("a", Buffer.from("a"), { type: "none", ...options(dock) }),
    "images.delete": (dock) => dock.images.delete("a", options(dock)),
  };
}

/** What each call fails with, all begun at once. */
export async function codesOf(calls: typeof LOOKUPS, dock: Dock, options: Options = {}): Promise<Record<string, unknown>> {
  const codes = Object.entries(calls).map(async ([name, call]) => [name, await codeOf(call(dock, options))]);
  return Object.fromEntries(await Promise.all(codes));
}

/** The same code for each call, to compare `codesOf` with. */
export function allOf(calls: typeof LOOKUPS, code: DockErrorCode): Record<string, unknown> {
  return Object.fromEntries(Object.keys(calls).map((name) => [name, code]));
}
