/** A transaction ends with its link, and nothing of it is done; only of its commit the dock may still know (SPEC §3.4, §7.6). */
import { describe, expect, test } from "vitest";
import { KvStore } from "./kv-store.js";
import { FoundAgain } from "./testing/found-again.js";
import { obliging, opsOf, refusing, silent } from "./testing/obliging-dock.js";
import { image } from "./testing/reading.js";
import { type Watched, watch } from "./testing/watch.js";
import { openWritable } from "./testing/writable.js";
import { type Transaction, transact } from "./transaction.js";

type Body = (tx: Transaction) => Promise<unknown>;

describe("when the link is lost", () => {
  test.each(["txn.begin", "kv.set", "image.put"])("in %s, it is LINK_LOST: nothing was done", async (op) => {
    const body: Body = async (tx) => {
      await tx.kv.set("zone", 1);
      await tx.images.put("logo", image, { type: "none" });
    };
    const { clock, dock, session } = await openWritable({ script: obliging({ [op]: (dock) => dock.hangUp() }) });
    const done = watch(transact(session, "runtime", body, {}));
    await clock.settle();
    expect(done.code).toBe("LINK_LOST");
    expect(opsOf(dock).at(-1)).toBe(op);
    expect(clock.waiting).toBe(0);
  });

  test("in the commit, it is OUTCOME_UNKNOWN", async () => {
    const { clock, session } = await openWritable({ script: obliging({ "txn.commit": (dock) => dock.hangUp() }) });
    const done = watch(transact(session, "runtime", async () => {}, {}));
    await clock.settle();
    expect(done.code).toBe("OUTCOME_UNKNOWN");
    expect(clock.waiting).toBe(0);
  });
});

describe("when the link is lost and the dock found again", () => {
  interface Lost {
    readonly bench: FoundAgain;
    readonly done: Watched<unknown>;
    readonly goOn: () => void;
  }

  /** A transaction that has written a key, and waits; then writes another. */
  async function waiting(otherwise: Parameters<typeof obliging>[0] = {}): Promise<Lost> {
    let goOn = (): void => {};
    const bench = await FoundAgain.open({ script: obliging(otherwise) });
    const body: Body = async (tx) => {
      await tx.kv.set("a", 1);
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      await tx.kv.set("b", 2);
    };
    const done = watch(transact(bench.session, "runtime", body, {}));
    await bench.clock.settle();
    return { bench, done, goOn: () => goOn() };
  }

  test.each(["remembers", "has forgotten"])("by a dock that %s, nothing more is sent for it: LINK_LOST", async (dock) => {
    const { bench, done, goOn } = await waiting();
    await bench.cut();
    await bench.back(dock === "remembers" ? { welcome: { resumed: true } } : {});
    goOn();
    await bench.clock.settle();
    expect(done.code).toBe("LINK_LOST");
    expect(opsOf(bench.dock)).toEqual([]);
    expect(bench.clock.waiting).toBe(0);
  });

  test.each(["kv.set", "txn.begin", "image.put"])("while %s was under way, it isn't sent again: LINK_LOST", async (op) => {
    const bench = await FoundAgain.open({ script: obliging({ [op]: silent }) });
    const body: Body = async (tx) => {
      if (op === "image.put") await tx.images.put("logo", image, { type: "none" });
      await tx.kv.set("a", 1);
    };
    const done = watch(transact(bench.session, "runtime", body, {}));
    await bench.clock.settle();
    expect(opsOf(bench.dock).at(-1)).toBe(op);
    await bench.cut();
    await bench.backRemembering({ script: obliging() });
    expect(done.code).toBe("LINK_LOST");
    expect(opsOf(bench.dock)).toEqual([]);
    expect(bench.clock.waiting).toBe(0);
  });

  test("a write while it is down is LINK_LOST at once", async () => {
    const { bench, done, goOn } = await waiting();
    await bench.cut();
    goOn();
    await bench.clock.settle();
    expect(done.code).toBe("LINK_LOST");
    await bench.session.close();
    expect(bench.clock.waiting).toBe(0);
  });

  test("the commit is asked for again under its id, and is done when the dock remembers it", async () => {
    const { bench, done, goOn } = await waiting({ "txn.commit": silent });
    goOn();
    await bench.clock.settle();
    const commit = bench.dock.last("request");
    await bench.cut();
    await bench.backRemembering({ script: obliging() });
    expect(bench.dock.said("request")).toEqual([commit]);
    expect(done.code).toBe("done");
  });

  test("the commit is LINK_LOST when the dock says that it is over: it had rolled back", async () => {
    const { bench, done, goOn } = await waiting({ "txn.commit": silent });
    goOn();
    await bench.clock.settle();
    await bench.cut();
    await bench.backRemembering({ script: obliging({ "txn.commit": refusing("STALE") }) });
    expect(done.code).toBe("LINK_LOST");
    expect(opsOf(bench.dock)).toEqual(["txn.commit"]);
  });

  test("the commit is OUTCOME_UNKNOWN when the dock has forgotten", async () => {
    const { bench, done, goOn } = await waiting({ "txn.commit": silent });
    goOn();
    await bench.clock.settle();
    await bench.cut();
    await bench.back({ script: obliging() });
    expect(done.code).toBe("OUTCOME_UNKNOWN");
    expect(opsOf(bench.dock)).toEqual([]);
  });

  test("one that is begun while it is down waits, and is done when it is back", async () => {
    const bench = await FoundAgain.open({ script: obliging() });
    await bench.cut();
    const done = watch(transact(bench.session, "runtime", async (tx) => await tx.kv.set("a", 1), {}));
    await bench.clock.settle();
    await bench.backRemembering();
    await bench.clock.settle();
    expect(done.code).toBe("done");
    expect(opsOf(bench.dock)).toEqual(["txn.begin", "kv.set", "txn.commit"]);
  });

  test("another transaction can be begun, and other calls go on", async () => {
    const { bench, goOn } = await waiting();
    await bench.cut();
    await bench.backRemembering();
    goOn();
    await bench.clock.settle();
    const next = watch(transact(bench.session, "runtime", async (tx) => await tx.kv.set("a", 1), {}));
    const read = watch(new KvStore(bench.session).get("a"));
    await bench.clock.settle();
    expect([next.code, read.code]).toEqual(["done", "done"]);
  });
});
