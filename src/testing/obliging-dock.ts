/** A dock that does all that a transaction asks for. */
import type { Item } from "../../protocol/index.js";
import type { Said, Script, ScriptedDock } from "./scripted-dock.js";
import { REMOVED, WRITTEN } from "./writable.js";

/** What becomes of a request. */
export type Fate = (dock: ScriptedDock, request: Said<"request">) => void;

/** The number of each transaction. */
export const TXN = 4_711;

const ANSWERS: { readonly [op: string]: { readonly [key: string]: Item } } = {
  "txn.begin": { txn: TXN },
  "txn.commit": WRITTEN,
  "txn.rollback": {},
  "kv.set": WRITTEN,
  "kv.delete": REMOVED,
  "image.delete": REMOVED,
  "image.put": REMOVED,
  "kv.get": { found: false },
};

/** The script of such a dock. Of some operations the test says what becomes. */
export function obliging(otherwise: { readonly [op: string]: Fate } = {}): Script {
  return (message, dock) => {
    if (message.type === "cancel") return dock.failure(message.id, "CANCELLED");
    if (message.type !== "request") return;
    const other = otherwise[message.op];
    if (other !== undefined) return other(dock, message);
    dock.result(message.id, ANSWERS[message.op] ?? {});
  };
}

/** No answer. */
export const silent: Fate = () => {};

export function refusing(code: string): Fate {
  return (dock, { id }) => dock.failure(id, code);
}

/** What a dock was asked, in order. */
export function opsOf(dock: ScriptedDock): string[] {
  return dock.said("request").map(({ op }) => op);
}
