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
  return [...found.values()].sort((a, b) => Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0])));
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
    entries.push(...page.entries);
    if (page.cursor === undefined) return entries;
    if (page.entries.length === 0 || entries.length > MOST_ENTRIES) {
      throw new DockError({ code: "PROTOCOL", message: `The dock's ${op} never comes to an end.` });
    }
    params = { ...place, cursor: page.cursor };
  }
}
