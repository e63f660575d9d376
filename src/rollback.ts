/** Undoing a transaction: as long as it is open on the dock, its layer is kept from others. */
import { DockError } from "./errors.js";
import type { Session } from "./session.js";

/** How often a dock that doesn't do it is asked. */
const MOST_TRIES = 4;

/** Asks for it once, and goes on in the background while it isn't done. Never fails: with the session, the transaction ends anyway. */
export async function rollBack(session: Session, txn: number): Promise<void> {
  const link = session.counters.reconnects;
  const isOpen = (): boolean => session.over === undefined && !session.isDown && session.counters.reconnects === link;
  const goOn = async (triesLeft: number): Promise<void> => {
    for (let left = triesLeft; left > 0 && isOpen(); left--) if (await isRolledBack(session, txn)) return;
  };
  if (isOpen() && !(await isRolledBack(session, txn))) void goOn(MOST_TRIES - 1);
}

async function isRolledBack(session: Session, txn: number): Promise<boolean> {
  try {
    await session.request("txn.rollback", { txn }, {});
    return true;
  } catch (error) {
    return error instanceof DockError && error.code === "STALE";
  }
}
