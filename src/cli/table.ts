/** Columns for people, and for `awk`: no borders, two spaces between. */
import { visible } from "../visible.js";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Whether its cells can be printed as they are. */
  readonly isSafe?: boolean;
}

const BETWEEN = "  ";

/** A title line and the rows, each ending its line; nothing for no rows. The cells may be text from outside, unless a column says otherwise. */
export async function table(columns: readonly Column[], rows: readonly (readonly (string | number)[])[]): Promise<string> {
  if (rows.length === 0) return "";
  const { default: widthOf } = await import("string-width"); // not for --help
  const lines = rows.map((row) => columns.map(({ isSafe }, i) => (isSafe ? String(row[i] ?? "") : visible(String(row[i] ?? "")))));
  lines.unshift(columns.map(({ title }) => title));
  const cells = lines.map((line) => line.map((text) => ({ text, width: widthOf(text) })));
  const widths = columns.map((_, i) => cells.reduce((most, line) => Math.max(most, line[i]?.width ?? 0), 0));
  return cells
    .map((line) => {
      const padded = line.map(({ text, width }, i) => {
        const blanks = " ".repeat((widths[i] ?? 0) - width);
        return columns[i]?.align === "right" ? blanks + text : text + blanks;
      });
      return `${padded.join(BETWEEN).trimEnd()}\n`;
    })
    .join("");
}
