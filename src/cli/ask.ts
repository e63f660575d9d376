/** Asks a person. */
import { isatty } from "node:tty";
import type { Context } from "./context.js";

/** A way to ask on a terminal: a question and its answer, each a line. Undefined where nobody would see it, or could answer. */
export function asker(process: NodeJS.Process): Context["ask"] {
  if (!isatty(0) || !isatty(2)) return undefined; // asked of the system: `process.stdin` is opened by being looked at
  return async (question, signal) => {
    const { stdin, stderr } = process;
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
