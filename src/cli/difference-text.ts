/** What differs, for people and for programs. */
import { jsonValue } from "../../protocol/json-value.js";
import { diagnostic } from "../diagnostic.js";
import type { Layer } from "../index.js";
import type { Difference, ImageContent } from "../snapshot/index.js";
import type { Context } from "./context.js";
import { writeTable } from "./table.js";

export interface LayerDifference {
  readonly store: Layer;
  readonly differences: readonly Difference[];
}

/** Writes a line for each; `other` is where what is wanted comes from. Nothing where there are none. */
export async function writeDifferences(context: Context, layers: readonly LayerDifference[], other: string): Promise<void> {
  const columns = [
    ...["layer", "kind", "name"].map((title) => ({ title })),
    ...["on the dock", other].map((title) => ({ title, isSafe: true })),
  ];
  const rows = layers.flatMap(({ store, differences }) =>
    differences.map((it) => [store, it.kind, it.name, contentText(it, "is"), contentText(it, "wanted")]),
  );
  await writeTable(context, columns, rows);
}

/** An object for each; `is` and `wanted` are absent where there is nothing. */
export function differenceJson(layers: readonly LayerDifference[]): object[] {
  return layers.flatMap(({ store, differences }) =>
    differences.map((it) => ({ store, kind: it.kind, name: it.name, ...contentJson(it, "is"), ...contentJson(it, "wanted") })),
  );
}

/** "3 differences". */
export function counted(layers: readonly LayerDifference[]): string {
  const all = layers.reduce((sum, { differences }) => sum + differences.length, 0);
  return `${all} difference${all === 1 ? "" : "s"}`;
}

/** Longer values are cut: they are compared as a whole. */
const LONGEST = 40;

function contentText(difference: Difference, side: "is" | "wanted"): string {
  if (difference[side] === undefined) return "-";
  if (difference.kind === "image") return imageText(difference[side]);
  const text = diagnostic(difference[side]);
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}

function imageText({ type, size, sha256 }: ImageContent): string {
  return `${type}, ${size} bytes, ${sha256.slice(0, 8)}…`;
}

function contentJson(difference: Difference, side: "is" | "wanted"): object {
  if (difference[side] === undefined) return {};
  if (difference.kind === "image") {
    const { type, size, sha256 } = difference[side];
    return { [side]: { type, size, sha256 } };
  }
  return { [side]: jsonValue(difference[side]) };
}
