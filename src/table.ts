/** Columns for people, and for `awk`: no borders, two spaces between. */
import { visible } from "./visible.js";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Whether its cells can be printed as they are. */
  readonly isSafe?: boolean;
}

export type Row = readonly (string | number)[];

const BETWEEN = "  ";

/**
 * A title line and the rows, each on a line; nothing for no rows. The cells may be text from outside, unless a column says otherwise. What would make
 * a line longer than `widest` columns of a screen is cut, in the widest columns.
 */
export async function table(columns: readonly Column[], rows: readonly Row[], widest: number): Promise<string> {
  if (rows.length === 0) return "";
  const { default: widthOf } = await import("string-width"); // not for --help
  const lines = rows.map((row) => columns.map(({ isSafe }, i) => cellText(row[i] ?? "", isSafe ?? false)));
  lines.unshift(columns.map(({ title }) => title));
  const cells = lines.map((line) => line.map((text) => ({ text, width: widthOf(text) })));
  const natural = columns.map((_, i) => cells.reduce((most, line) => Math.max(most, line[i]?.width ?? 0), 0));
  const widths = narrowed(natural, widest - BETWEEN.length * (columns.length - 1));
  const drawn = cells.map((line) => {
    const padded = line.map(({ text, width }, i) => {
      const room = widths[i] ?? 0;
      const fits = width <= room ? text : cut(text, room, widthOf);
      const blanks = " ".repeat(Math.max(0, room - widthOf(fits)));
      return columns[i]?.align === "right" ? blanks + fits : fits + blanks;
    });
    return `${padded.join(BETWEEN).trimEnd()}\n`;
  });
  return drawn.join("");
}

function cellText(cell: string | number, isSafe: boolean): string {
  return isSafe ? String(cell) : visible(String(cell));
}

/** A column isn't made narrower than this: what is left of it should tell something. */
const NARROWEST = 10;

/** The widths, the widest made narrower until all of them have room together, as far as they may be. */
function narrowed(widths: readonly number[], room: number): number[] {
  const narrow = [...widths];
  for (let over = narrow.reduce((sum, width) => sum + width, 0) - room; over > 0; over--) {
    const widest = narrow.indexOf(Math.max(...narrow));
    if ((narrow[widest] ?? 0) <= NARROWEST) break;
    narrow[widest] = (narrow[widest] ?? 0) - 1;
  }
  return narrow;
}

/** The beginning of a text that has no more than `room` columns, with a sign that there is more. */
function cut(text: string, room: number, widthOf: (text: string) => number): string {
  let kept = "";
  for (const character of text) {
    if (widthOf(kept + character) >= room) break;
    kept += character;
  }
  return `${kept}…`;
}
