/** Asks a person. */
import type { Context } from "./context.js";

/** A way to ask on a terminal: a question and its answer, each a line. Undefined where nobody would see it, or could answer. */
export function asker({ stdin, stderr }: NodeJS.Process): Context["ask"] {
  if (!stdin.isTTY || !stderr.isTTY) return undefined;
  return async (question, signal) => {
    const { createInterface } = await import("node:readline/promises");
    // Not as a terminal of its own: Ctrl-C stays a signal, and the mode of the terminal as it is.
    const lines = createInterface({ input: stdin, output: stderr, terminal: false });
    try {
      const closed = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
      return await Promise.race([lines.question(question, { signal }), closed]);
    } finally {
      lines.close();
    }
  };
}
