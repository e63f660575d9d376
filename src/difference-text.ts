/** What differs, for people: a row of a table for each. */
import type { ImageContent } from "./contents.js";
import { diagnostic } from "./diagnostic.js";
import type { Difference, LayerDifference } from "./difference.js";
import type { Column, Row } from "./table.js";

/** The columns that `differenceRows` fills; `other` is where what is wanted comes from. */
export function differenceColumns(other: string): Column[] {
  return [
    ...["layer", "kind", "name"].map((title) => ({ title })),
    ...["on the dock", other].map((title) => ({ title, isSafe: true })),
  ];
}

export function differenceRows(layers: readonly LayerDifference[]): Row[] {
  return layers.flatMap(({ store, differences }) =>
    differences.map((it) => [store, it.kind, it.name, contentText(it, "is"), contentText(it, "wanted")]),
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
