/** `toMatchSnapshotOf`: whether a dock holds what a snapshot has. */
import type { MatcherState } from "vitest";
import { LAYERS, type Layer } from "../../protocol/index.js";
import type { LayerDifference } from "../difference.js";
import { counted, differenceColumns, differenceRows } from "../difference-text.js";
import type { Dock } from "../dock.js";
import { DockError } from "../errors.js";
import { table } from "../table.js";
import { printable, quoted } from "../visible.js";
import { givenText, kindOf, nothingMore, optionsOf, subjectOf } from "./given.js";
import { cut, joined, said, type Verdict } from "./saying.js";

/** What is compared with a snapshot. */
export interface ComparedLayers {
  /** The layers; unless told, all that the snapshot has. */
  readonly stores?: readonly Layer[] | undefined;
}

const NAME = "toMatchSnapshotOf";

/** Differences in a message. */
const MOST_LINES = 20;
/** Columns of a message: names can be long. */
const WIDEST = 160;

export function toMatchSnapshotOf(this: MatcherState, subject: unknown, ...given: unknown[]): Promise<Verdict> {
  const dock = subjectOf(this, NAME, subject);
  const [folder, layers, ...more] = given;
  nothingMore(NAME, more);
  if (typeof folder !== "string" || folder === "") {
    throw new TypeError(`${NAME} takes the folder of a snapshot, and was given ${folder === "" ? '""' : kindOf(folder)}.`);
  }
  return verdictOn(this, dock, folder, storesOf(optionsOf(NAME, layers, ["stores"]).stores));
}

function storesOf(given: unknown): Layer[] | undefined {
  if (given === undefined) return undefined;
  if (!Array.isArray(given) || given.length === 0) {
    throw new TypeError(`${NAME}: \`stores\` is an array of at least one layer.`);
  }
  return given.map((it: unknown) => {
    const store = LAYERS.find((layer) => layer === it);
    if (store !== undefined) return store;
    throw new TypeError(`${NAME}: \`stores\` has layers, each one of ${LAYERS.join(", ")}, and was given ${givenText(it)}.`);
  });
}

async function verdictOn(
  state: MatcherState,
  dock: Dock,
  folder: string,
  stores: readonly Layer[] | undefined,
): Promise<Verdict> {
  const { compareSnapshot } = await import("../snapshot/index.js"); // YAML takes as long to load as the driver
  const layers = await compareSnapshot(dock, folder, { stores });
  checkCompared(folder, layers, stores);
  const what = `the snapshot in ${printable(folder)}`;
  const saidOf = (found: string): string => {
    const rest = stores === undefined ? [] : [`{ stores: [${stores.map((it) => `"${it}"`).join(", ")}] }`];
    return said(state, NAME, [cut(quoted(folder)), ...rest], found);
  };
  if (layers.every(({ differences }) => differences.length === 0)) {
    const names = joined(
      layers.map(({ store }) => store),
      "and",
    );
    const found = `The dock ${quoted(dock.name)} holds what ${what} has, in ${names}, and shouldn't.`;
    return { pass: true, message: () => saidOf(found) };
  }
  const lines = await linesOf(layers);
  const found = `The dock ${quoted(dock.name)} isn't as ${what}: ${counted(layers)}.\n\n${lines}`;
  return { pass: false, message: () => saidOf(found) };
}

/** Fails with `USAGE` where nothing was compared: it would be found to be the same. */
function checkCompared(folder: string, layers: readonly LayerDifference[], stores: readonly Layer[] = []): void {
  const missing = stores.find((store) => !layers.some((layer) => layer.store === store));
  if (missing === undefined && layers.length > 0) return;
  const message = `The snapshot in ${folder} has no layer${missing === undefined ? "" : ` ${missing}`}: there is nothing to compare with.`;
  throw new DockError({ code: "USAGE", message: printable(message) });
}

/** As `dl7450 snapshot diff` prints them, the first of them. */
async function linesOf(layers: readonly LayerDifference[]): Promise<string> {
  const rows = differenceRows(layers);
  const lines = await table(differenceColumns("in the snapshot"), rows.slice(0, MOST_LINES), WIDEST);
  return rows.length <= MOST_LINES ? lines.trimEnd() : `${lines}… and ${rows.length - MOST_LINES} more`;
}
