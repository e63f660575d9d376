/** Where a dock of tests is: at a port, or in a mock dock that runs for them. */
import { Dock, type OpenOptions } from "../dock.js";
import type { ControlledMock } from "../transport/mock.js";
import type { Target } from "../transport/target.js";

/** Longest time for a mock dock to start, in milliseconds: a busy machine needs long. */
const STARTING = 30_000;

export interface Spot {
  /** Opens a session. One at a time. */
  open(options: OpenOptions): Promise<Dock>;
  /** The mock dock, where it is one. */
  readonly mock?: ControlledMock;
  release(): Promise<void>;
}

/** Fails with `NO_DOCK` where a mock dock doesn't start. */
export async function spotOf(port: string, target: Target): Promise<Spot> {
  if (target.kind !== "mock") return { open: (options) => Dock.open(port, options), release: async () => {} };
  const { startControlledMock } = await import("../transport/mock.js");
  const mock = await startControlledMock(target.args, STARTING);
  const open: Spot["open"] = async (options) => {
    const line = await mock.open(STARTING, options.signal);
    return await Dock.over(line, options, ({ timeout, signal }) => mock.open(timeout, signal));
  };
  return { open, mock, release: () => mock.stop() };
}
