/** Tables on stdout. */
import { type Column, type Row, table } from "../table.js";
import type { Context } from "./context.js";
import { writeOut } from "./output.js";

/** Writes a table. On a terminal it is no wider than the screen; anywhere else nothing is cut. */
export async function writeTable(context: Context, columns: readonly Column[], rows: readonly Row[]): Promise<void> {
  const { isTTY, columns: screen } = context.stdout;
  await writeOut(context, await table(columns, rows, isTTY && screen ? screen : Number.POSITIVE_INFINITY));
}
