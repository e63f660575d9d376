/** A transaction is seen whole or not at all (SPEC §7.6). */
import { PassThrough } from "node:stream";
import { describe, expect, onTestFinished, test } from "vitest";
import { Dock } from "./dock.js";
import { duplexPair } from "./testing/duplex-pair.js";
import { ManualClock } from "./testing/manual-clock.js";
import { obliging, opsOf, refusing, silent, TXN } from "./testing/obliging-dock.js";
import { image } from "./testing/reading.js";
import { type Said, type Script, ScriptedDock } from "./testing/scripted-dock.js";
import { type Watched, watch } from "./testing/watch.js";
import { openWritable, WRITABLE, WRITTEN } from "./testing/writable.js";
import { type Transaction, type TransactionOptions, transact } from "./transaction.js";

type Body = (tx: Transaction) => Promise<unknown>;

interface Running {
  readonly clock: ManualClock;
  readonly dock: ScriptedDock;
  readonly done: Watched<unknown>;
  readonly ops: () => string[];
}

async function run(script: Script, body: Body, options: TransactionOptions = {}): Promise<Running> {
  const { clock, dock, session } = await openWritable({ script });
  const done = watch(transact(session, "runtime", body, options));
  await clock.settle();
  return { clock, dock, done, ops: () => opsOf(dock) };
}

describe("a transaction", () => {
  test("begins, carries its number in each write, commits, and gives what its body gives", async () => {
    const body: Body = async (tx) => {
      await tx.kv.set("zone", "GMT");
      await tx.kv.delete("old");
      await tx.images.delete("logo");
      return await tx.images.put("logo", image, { type: "none" });
    };
    const { clock, dock, done, ops } = await run(obliging(), body);
    await clock.settle();
    expect(ops()).toEqual(["txn.begin", "kv.set", "kv.delete", "image.delete", "image.put", "txn.commit"]);
    expect(done.value).toMatchObject({ store: "runtime", size: image.length });
    const [begin, ...rest] = dock.said("request");
    expect(begin?.params).toEqual({ store: "runtime" });
    expect(rest.map(({ params }) => params.txn)).toEqual(rest.map(() => TXN));
    expect(rest.slice(0, 4).map(({ params }) => params.store)).toEqual(Array(4).fill("runtime"));
    expect(clock.waiting).toBe(0);
  });

  test("says so when it replaces the layer", async () => {
    const { dock } = await run(obliging(), async () => {}, { replace: true });
    expect(dock.said("request")[0]?.params).toEqual({ store: "runtime", replace: true });
  });

  test("of which the body fails is rolled back, and fails with the very same error", async () => {
    const error = new RangeError("the body's own");
    const { session, clock, dock } = await openWritable({ script: obliging() });
    let caught: unknown;
    const body: Body = async (tx) => {
      await tx.kv.set("zone", "GMT");
      throw error;
    };
    void transact(session, "runtime", body, {}).catch((it: unknown) => {
      caught = it;
    });
    await clock.settle();
    expect(caught).toBe(error);
    expect(opsOf(dock)).toEqual(["txn.begin", "kv.set", "txn.rollback"]);
    expect(clock.waiting).toBe(0);
  });

  test("of which a write fails is rolled back, and fails as the write does", async () => {
    const { done, ops } = await run(obliging({ "kv.set": refusing("NO_SPACE") }), async (tx) => await tx.kv.set("zone", 1));
    expect(done.code).toBe("NO_SPACE");
    expect(ops()).toEqual(["txn.begin", "kv.set", "txn.rollback"]);
  });

  test("of which a write fails while a stream for another hasn't ended leaves that, and is rolled back", async () => {
    const endless = new PassThrough();
    const { clock, done, ops } = await run(obliging(), async (tx) => {
      await Promise.all([tx.images.put("logo", endless), tx.kv.set("zone", undefined)]);
    });
    await clock.settle();
    expect(done.code).toBe("USAGE");
    expect(ops()).toEqual(["txn.begin", "txn.rollback"]);
    expect(endless.destroyed).toBe(true);
  });

  test("whose commit is refused is rolled back, and fails as the commit does", async () => {
    const { done, ops } = await run(obliging({ "txn.commit": refusing("NO_SPACE") }), async () => {});
    expect(done.code).toBe("NO_SPACE");
    expect(ops()).toEqual(["txn.begin", "txn.commit", "txn.rollback"]);
  });

  test("that can't be rolled back fails with why it failed all the same", async () => {
    const body: Body = async () => {
      throw new Error("the body's own");
    };
    const { clock, session } = await openWritable({ script: obliging({ "txn.rollback": silent }) });
    const run = transact(session, "runtime", body, {}).catch(String);
    expect(await clock.run(run)).toBe("Error: the body's own");
  });

  test("for which the dock is busy is BUSY, and its body isn't called", async () => {
    let called = false;
    const { done, ops } = await run(obliging({ "txn.begin": refusing("BUSY") }), async () => {
      called = true;
    });
    expect(done.code).toBe("BUSY");
    expect(called).toBe(false);
    expect(ops()).toEqual(["txn.begin"]);
  });

  test("whose signal comes in the middle is ABORTED and rolled back", async () => {
    const abort = new AbortController();
    const body: Body = async (tx) => {
      abort.abort();
      await tx.kv.set("zone", 1);
    };
    const { done, ops } = await run(obliging(), body, { signal: abort.signal });
    expect(done.code).toBe("ABORTED");
    expect(ops()).toEqual(["txn.begin", "txn.rollback"]);
  });

  test("whose write is late is TIMEOUT by the transaction's time", async () => {
    const { clock, done, ops } = await run(obliging({ "kv.set": silent }), async (tx) => await tx.kv.set("zone", 1), {
      timeout: 200,
    });
    await clock.advance(200);
    await clock.settle();
    expect(done.code).toBe("TIMEOUT");
    expect(ops()).toEqual(["txn.begin", "kv.set", "txn.rollback"]);
  });

  test.each([
    ["without the feature txn", "UNSUPPORTED", ["stores", "write.runtime"], "runtime"],
    ["on a layer that can't be written", "UNSUPPORTED", ["txn", "write.runtime"], "ephemeral"],
    ["on factory without confirm", "USAGE", WRITABLE.features, "factory"],
  ] as const)("%s is %s, and nothing is sent", async (_, code, features, layer) => {
    const { clock, dock, session } = await openWritable({ welcome: { features: [...features] } });
    const done = watch(transact(session, layer, async () => {}, {}));
    await clock.settle();
    expect(done.code).toBe(code);
    expect(dock.said("request")).toEqual([]);
  });
});

describe("a write of a transaction", () => {
  test.each<[string, Body, string]>([
    ["a value that is none", async (tx) => await tx.kv.set("zone", undefined), "USAGE"],
    ["a key that is too long", async (tx) => await tx.kv.delete("x".repeat(129)), "TOO_LARGE"],
    ["an image of no known type", async (tx) => await tx.images.put("logo", new Uint8Array(9)), "INVALID"],
  ])("of %s isn't sent", async (_, body, code) => {
    const { done, ops } = await run(obliging(), body);
    expect(done.code).toBe(code);
    expect(ops()).toEqual(["txn.begin", "txn.rollback"]);
  });

  test("after the end is STALE, and isn't sent: after a commit, while it is under way, and after a rollback", async () => {
    for (const end of ["commits", "is committing", "fails"]) {
      let kept: Transaction | undefined;
      const { clock, done, ops } = await run(obliging(end === "is committing" ? { "txn.commit": silent } : {}), async (tx) => {
        kept = tx;
        if (end === "fails") throw new Error("no");
      }).catch((error: unknown) => {
        throw error;
      });
      await clock.settle();
      void done;
      const before = ops();
      const late = [kept?.kv.set("zone", 1), kept?.kv.delete("zone"), kept?.images.put("a", image, { type: "none" })].map(
        (it) => watch(Promise.resolve(it)),
      );
      await clock.settle();
      expect(late.map(({ code }) => code)).toEqual(["STALE", "STALE", "STALE"]);
      expect(ops()).toEqual(before);
    }
  });

  test("that nobody awaits is awaited before the commit", async () => {
    const held: (() => void)[] = [];
    const slow = (dock: ScriptedDock, { id }: Said<"request">): void => void held.push(() => dock.result(id, WRITTEN));
    const { clock, done, ops } = await run(obliging({ "kv.set": slow }), async (tx) => {
      void tx.kv.set("a", 1);
      void tx.kv.set("b", 2);
    });
    expect(ops()).toEqual(["txn.begin", "kv.set", "kv.set"]);
    held[0]?.();
    await clock.settle();
    expect(done.code).toBe("pending");
    held[1]?.();
    await clock.settle();
    expect(done.code).toBe("done");
    expect(ops().at(-1)).toBe("txn.commit");
  });

  test("that nobody awaits fails the transaction when it fails", async () => {
    const { done, ops } = await run(obliging({ "kv.delete": refusing("READ_ONLY") }), async (tx) => {
      void tx.kv.delete("a");
    });
    expect(done.code).toBe("READ_ONLY");
    expect(ops()).toEqual(["txn.begin", "kv.delete", "txn.rollback"]);
  });

  test("that nobody awaits fails the transaction also when it has failed long before the end", async () => {
    const { clock, done, ops } = await run(obliging({ "kv.delete": refusing("READ_ONLY") }), async (tx) => {
      void tx.kv.delete("a");
      await tx.kv.set("b", 2);
      await tx.kv.set("c", 3);
    });
    await clock.settle();
    expect(done.code).toBe("READ_ONLY");
    expect(ops()).toEqual(["txn.begin", "kv.delete", "kv.set", "kv.set", "txn.rollback"]);
  });

  test("is as the value was when it was given", async () => {
    const value = { list: [1] };
    const { clock, dock } = await run(obliging({ "kv.set": silent }), async (tx) => await tx.kv.set("a", value));
    value.list.push(2);
    await clock.advance(500);
    expect(
      dock
        .said("request")
        .slice(1)
        .map(({ params }) => params.value),
    ).toEqual([{ list: [1] }, { list: [1] }]);
  });
});

describe("one at a time", () => {
  async function openDock(): Promise<{ readonly dock: Dock; readonly peer: ScriptedDock }> {
    const line = duplexPair();
    const peer = new ScriptedDock(line.dock, new ManualClock(), { script: obliging(), welcome: WRITABLE });
    const dock = await Dock.over(line.host);
    onTestFinished(() => dock.close());
    return { dock, peer };
  }

  test("a transaction within one is BUSY, and the outer one goes on", async () => {
    const { dock, peer } = await openDock();
    const inner = await dock.transaction("runtime", async (tx) => {
      const inner = dock.transaction("ephemeral", async () => {}).catch((error: unknown) => error);
      await tx.kv.set("zone", 1);
      return await inner;
    });
    expect(inner).toMatchObject({ code: "BUSY", retryable: true });
    expect(opsOf(peer)).toEqual(["txn.begin", "kv.set", "txn.commit"]);
  });

  test("of two at once the second is BUSY; afterwards another can be begun", async () => {
    const { dock } = await openDock();
    const [first, second] = await Promise.allSettled([1, 2].map((n) => dock.transaction("runtime", async () => n)));
    expect(first).toEqual({ status: "fulfilled", value: 1 });
    expect(second).toMatchObject({ status: "rejected", reason: { code: "BUSY" } });
    expect(await dock.transaction("runtime", async () => 3)).toBe(3);
    await dock.transaction("runtime", async () => Promise.reject(new Error("no"))).catch(() => {});
    expect(await dock.transaction("runtime", async () => 4)).toBe(4);
  });
});

test("one that was begun when nobody waited for it any more is rolled back, and doesn't keep its layer from others", async () => {
  const script: Script = (message, dock) => {
    if (message.type === "request" && message.op !== "txn.begin") dock.result(message.id, {});
  };
  const { clock, dock, session } = await openWritable({ script });
  const done = watch(transact(session, "runtime", async () => {}, { timeout: 1_000 }));
  await clock.advance(4_000);
  expect(done.code).toBe("TIMEOUT"); // a transaction that nobody knows of does nothing
  dock.result(dock.last("request").id, { txn: TXN });
  await clock.settle();
  expect(dock.said("request").at(-1)).toMatchObject({ op: "txn.rollback", params: { txn: TXN } });
  expect(clock.waiting).toBe(0);
});
