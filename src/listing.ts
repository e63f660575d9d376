/** Lists, which a dock gives page by page (SPEC §7.3). */
import type { Params, Result } from "../protocol/index.js";
import { DockError } from "./errors.js";
import type { Place } from "./layers.js";
import type { CallOptions, Session } from "./session.js";

type ListOperation = "kv.list" | "image.list";
type Entries<Op extends ListOperation> = Result<Op>["entries"];

/** How often a list that changes while it is read is begun again. */
const MOST_RESTARTS = 3;
/** More entries than any dock has room for: who gives more pages than that never ends. */
const MOST_ENTRIES = 100_000;

/** Everything in the places, each name once: from the first place that has it. Ordered by the bytes of the names. */
export async function listAll<Op extends ListOperation>(
  session: Session,
  op: Op,
  places: readonly Place[],
  options: CallOptions,
): Promise<Entries<Op>[number][]> {
  const found = new Map<string, Entries<Op>[number]>();
  for (const place of places) {
    for (const entry of await listPlace(session, op, place, options)) {
      if (!found.has(entry[0])) found.set(entry[0], entry);
    }
  }
  return [...found.values()].sort((a, b) => compareNames(a[0], b[0]));
}

async function listPlace<Op extends ListOperation>(
  session: Session,
  op: Op,
  place: Place,
  options: CallOptions,
): Promise<Entries<Op>[number][]> {
  for (let restarts = 0; ; restarts++) {
    try {
      return await listPages(session, op, place, options);
    } catch (error) {
      if (!(error instanceof DockError) || error.code !== "STALE" || restarts === MOST_RESTARTS) throw error;
    }
  }
}

async function listPages<Op extends ListOperation>(
  session: Session,
  op: Op,
  place: Place,
  options: CallOptions,
): Promise<Entries<Op>[number][]> {
  const entries: Entries<Op>[number][] = [];
  let params: Params<ListOperation> = place;
  for (;;) {
    const page = await session.request<ListOperation>(op, params, options);
    const ordered = page.entries.every((entry) => {
      const last = entries.at(-1);
      entries.push(entry);
      return last === undefined || compareNames(last[0], entry[0]) < 0;
    });
    const { cursor } = page;
    if (ordered && cursor === undefined) return entries;
    if (!ordered || cursor === undefined || page.entries.length === 0 || entries.length > MOST_ENTRIES) {
      throw new DockError({ code: "PROTOCOL", message: `The dock's ${op} isn't in order, or never comes to an end.` });
    }
    params = { ...place, cursor };
  }
}

/** By the bytes of their UTF-8 (SPEC §7.3). */
function compareNames(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
