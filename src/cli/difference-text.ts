/** What differs, on stdout: for people and for programs. */
import { jsonValue } from "../../protocol/json-value.js";
import type { Difference, LayerDifference } from "../difference.js";
import { differenceColumns, differenceRows } from "../difference-text.js";
import type { Context } from "./context.js";
import { writeTable } from "./table.js";

/** Writes a line for each; `other` is where what is wanted comes from. Nothing where there are none. */
export async function writeDifferences(context: Context, layers: readonly LayerDifference[], other: string): Promise<void> {
  await writeTable(context, differenceColumns(other), differenceRows(layers));
}

/** An object for each; `is` and `wanted` are absent where there is nothing. */
export function differenceJson(layers: readonly LayerDifference[]): object[] {
  return layers.flatMap(({ store, differences }) =>
    differences.map((it) => ({ store, kind: it.kind, name: it.name, ...contentJson(it, "is"), ...contentJson(it, "wanted") })),
  );
}

function contentJson(difference: Difference, side: "is" | "wanted"): object {
  if (difference[side] === undefined) return {};
  if (difference.kind === "image") {
    const { type, size, sha256 } = difference[side];
    return { [side]: { type, size, sha256 } };
  }
  return { [side]: jsonValue(difference[side]) };
}
