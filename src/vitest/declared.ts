/** Where a test stands in its file: what is told of it once it has ended has no such place by itself, and some reporters want one. */
import { runInThisContext } from "node:vm";

/** The line of a stack for each test. */
const FRAMES = new WeakMap<object, string>();

interface Declared {
  readonly file: { readonly filepath: string };
}

/** Takes note of where a test is being declared. */
export function noteDeclaration(task: Declared): void {
  const { stack = "" } = new Error();
  const frame = stack.split("\n").find((line) => line.includes(`${task.file.filepath}:`));
  if (frame !== undefined) FRAMES.set(task, frame);
}

/** An error that seems to come from there. */
export function declaredAt(task: object, error: Error): Error {
  error.stack = [`${error.name}: ${error.message}`, FRAMES.get(task) ?? ""].join("\n").trimEnd();
  return error;
}

/** Makes a call that seems to come from there: vitest looks through the stack of an annotation for the test's file. */
export function callAt<T>(task: object, call: () => T): T {
  const [, path, line, column] = /([^\s(]+):(\d+):(\d+)\)?$/.exec(FRAMES.get(task) ?? "") ?? [];
  if (path === undefined) return call();
  // As a URL, since the position is the source's own already, and paths of modules are looked up in source maps.
  const filename = path.startsWith("file:") ? path : `file://${path}`;
  const where = { filename, lineOffset: Number(line) - 1, columnOffset: Number(column) - 1 };
  const through: (call: () => T) => T = runInThisContext("(call) => call()", where);
  return through(call);
}
