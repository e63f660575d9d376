/** A rollback is asked for until it is done: the layer is kept from others as long as it isn't (SPEC §7.6). */
import { expect, test } from "vitest";
import { FoundAgain } from "./testing/found-again.js";
import { type Fate, obliging, opsOf, refusing, silent } from "./testing/obliging-dock.js";
import { type OpenBench, openSession } from "./testing/open-session.js";
import { watch } from "./testing/watch.js";
import { WRITABLE } from "./testing/writable.js";
import { transact } from "./transaction.js";

/** A transaction whose body has failed, with the shortest of times, and what it failed with. */
async function failing(rollback: Fate): Promise<OpenBench & { readonly error: unknown }> {
  const bench = await openSession({ script: obliging({ "txn.rollback": rollback }), welcome: WRITABLE });
  const body = async (): Promise<never> => {
    throw new Error("the body's own");
  };
  const failed = transact(bench.session, "runtime", body, { timeout: 1 }).catch((error: unknown) => error);
  return { ...bench, error: await bench.clock.run(failed) };
}

test("one that was lost on the way is asked for again, however short a time the transaction has", async () => {
  let isLost = false;
  const { dock, error } = await failing((it, { id }) => {
    if (isLost) it.result(id, {});
    isLost = true;
  });
  expect(opsOf(dock)).toEqual(["txn.begin", "txn.rollback", "txn.rollback"]);
  expect(dock.said("cancel")).toEqual([]);
  expect(error).toEqual(new Error("the body's own"));
});

test("one that is refused is asked for four times, while the caller has been told already", async () => {
  const { clock, dock } = await failing(refusing("INTERNAL"));
  await clock.settle();
  expect(opsOf(dock).slice(1)).toEqual(Array(4).fill("txn.rollback"));
  expect(clock.waiting).toBe(0);
});

test("one of a transaction that is over on the dock is done", async () => {
  const { clock, dock } = await failing(refusing("STALE"));
  await clock.settle();
  expect(opsOf(dock)).toEqual(["txn.begin", "txn.rollback"]);
});

test("one that isn't answered before the link is lost isn't asked for over the next one: it was done with the session", async () => {
  const bench = await FoundAgain.open({ script: obliging({ "txn.rollback": silent }) });
  const failed = watch(transact(bench.session, "runtime", async (tx) => await tx.kv.set("zone", undefined), {}));
  await bench.clock.settle();
  expect(opsOf(bench.dock)).toEqual(["txn.begin", "txn.rollback"]);
  await bench.cut();
  await bench.backRemembering();
  expect(failed.code).toBe("USAGE");
  expect(opsOf(bench.dock)).toEqual([]);
  expect(bench.clock.waiting).toBe(0);
});
