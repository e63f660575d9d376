/** Columns for people, and for `awk`: no borders, two spaces between. */
import { visible } from "../visible.js";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Whether its cells can be printed as they are. */
  readonly isSafe?: boolean;
}

/** A title line and the rows, each ending its line; nothing for no rows. The cells may be text from outside, unless a column says otherwise. */
export async function table(columns: readonly Column[], rows: readonly (readonly (string | number)[])[]): Promise<string> {
  if (rows.length === 0) return "";
  const { default: Table } = await import("cli-table3"); // not for --help
  const drawn = new Table({
    head: columns.map(({ title }) => title),
    colAligns: columns.map(({ align = "left" }) => align),
    chars: NO_BORDERS,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  drawn.push(...rows.map((row) => row.map((cell, i) => (columns[i]?.isSafe ? String(cell) : visible(String(cell))))));
  return drawn
    .toString()
    .split("\n")
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

const NO_BORDERS = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};
