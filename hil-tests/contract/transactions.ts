/** SPEC §7.6: several writes that are seen all at once or not at all. */
import { expect } from "vitest";
import type { Dock, Layer, Transaction } from "../../src/index.js";
import { codeOf, framesSent } from "./calls.js";
import { contractTest } from "./contract-test.js";
import { expectAnswers, sha256 } from "./reading.js";
import { content, named, ownNames } from "./writing.js";

const [A, B, IMAGE] = [named("a"), named("b"), named("image")];

export function transactions(): void {
  contractTest(
    "its writes are seen all at once when it is through, and give what they would alone",
    async ({ dock, store, needs }) => {
      needs("txn");
      await dock.kv.set(B, "before", { store });
      const bytes = content(100_000, "transaction");
      const given = await dock.transaction(store, async (tx) => {
        await tx.kv.set(A, { a: 1 });
        expect([await tx.kv.delete(B), await tx.kv.delete(B), await tx.images.delete(IMAGE)]).toEqual([true, false, false]);
        expect(await tx.images.put(IMAGE, bytes, { type: "none" })).toEqual({
          ...{ type: "none", size: bytes.length, store, sha256: sha256(bytes) },
        });
        return "what it gives";
      });
      expect(given).toBe("what it gives");
      expect([await dock.kv.get(A), await dock.kv.get(B)]).toEqual([{ a: 1 }, undefined]);
      expect(bytes.equals((await dock.images.get(IMAGE)).data)).toBe(true);
    },
  );

  contractTest("nothing of it is seen before, by value, by list or by use", async ({ dock, store, needs }) => {
    needs("txn");
    await dock.kv.set(A, "before", { store });
    const seen = async (): Promise<unknown> => [
      ...[await dock.kv.get(A), await dock.kv.get(B), await codeOf(dock.images.get(IMAGE))],
      ...[await ownOf(dock), (await dock.info()).stores],
    ];
    const before = await seen();
    await dock.transaction(store, async (tx) => {
      await tx.kv.set(A, "after");
      await tx.kv.set(B, "after");
      await tx.images.put(IMAGE, Buffer.from("after"), { type: "none" });
      expect(await seen()).toEqual(before);
    });
    expect(await seen()).not.toEqual(before);
    expect([await dock.kv.get(A), await dock.kv.get(B)]).toEqual(["after", "after"]);
  });

  contractTest("when it fails, it fails with just that, and nothing was done", async ({ dock, store, needs }) => {
    needs("txn");
    await dock.kv.set(A, "before", { store });
    const why = new Error("why");
    const fails = dock.transaction(store, async (tx) => {
      await tx.kv.set(A, "after");
      await tx.images.put(IMAGE, Buffer.from("after"), { type: "none" });
      throw why;
    });
    await expect(fails).rejects.toBe(why);
    expect([await dock.kv.get(A), await ownOf(dock)]).toEqual(["before", [A]]);
    await dock.transaction(store, async (tx) => tx.kv.set(A, "the next one"));
    expect(await dock.kv.get(A)).toBe("the next one");
  });

  contractTest(
    "a write that fails in it fails it with just that, though it was caught, and nothing was done",
    async ({ dock, store, needs }) => {
      needs("txn");
      const failing: Readonly<Record<string, (tx: Transaction) => Promise<unknown>>> = {
        TOO_LARGE: (tx) => tx.kv.set(B, "y".repeat(dock.limits.valueBytes)),
        INVALID: (tx) => tx.images.put(IMAGE, Buffer.from("text"), { type: "png" }),
      };
      for (const [code, write] of Object.entries(failing)) {
        const fails = dock.transaction(store, async (tx) => {
          await tx.kv.set(A, 1);
          expect(await codeOf(write(tx))).toBe(code);
        });
        expect(await codeOf(fails)).toBe(code);
        expect(await ownOf(dock)).toEqual([]);
      }
    },
  );

  contractTest(
    "another one meanwhile is BUSY, and so is a write to its layer beside it; the first goes on",
    async ({ dock, store, needs }) => {
      needs("txn");
      await dock.transaction(store, async (tx) => {
        await tx.kv.set(A, 1);
        expect(await codeOf(dock.transaction(store, async () => {}))).toBe("BUSY");
        expect(await codeOf(dock.kv.set(A, 2, { store }))).toBe("BUSY");
        expect(await codeOf(dock.images.put(IMAGE, Buffer.from("x"), { store, type: "none" }))).toBe("BUSY");
      });
      expect([await dock.kv.get(A), await ownOf(dock)]).toEqual([1, [A]]);
    },
  );

  contractTest(
    "a write to another layer isn't held up by it",
    { tags: ["stores"] },
    async ({ dock, store, found, writable, needs }) => {
      needs("txn", "stores");
      const other = found("two layers that can be written", writable[1]);
      await dock.transaction(store, async (tx) => {
        await tx.kv.set(A, "of the transaction");
        await dock.kv.set(A, "beside it", { store: other });
        expect(await dock.kv.get(A)).toBe("beside it");
      });
      expect(await dock.kv.get(A, { store })).toBe("of the transaction");
      expect(await dock.kv.get(A, { store: other })).toBe("beside it");
    },
  );

  contractTest("a write in one that is over is STALE, and nothing is sent", async ({ dock, store, needs }) => {
    needs("txn");
    const kept: Transaction[] = [];
    await dock.transaction(store, async (tx) => void kept.push(tx));
    await codeOf(
      dock.transaction(store, async (tx) => tx.images.put(A, Buffer.from("x"), { type: "png" }).finally(() => kept.push(tx))),
    );
    expect(kept.length).toBe(2);
    const sent = await framesSent(dock, async () => {
      for (const tx of kept) {
        const calls = [
          tx.kv.set(A, 1),
          tx.kv.delete(A),
          tx.images.put(A, Buffer.from("x"), { type: "none" }),
          tx.images.delete(A),
        ];
        expect(await Promise.all(calls.map(codeOf))).toEqual(["STALE", "STALE", "STALE", "STALE"]);
      }
    });
    expect(sent).toBe(0);
    expect(await ownOf(dock)).toEqual([]);
  });

  contractTest("one whose session is closed is rolled back", async ({ dock, store, open, needs }) => {
    needs("txn");
    const closed = dock.transaction(store, async (tx) => {
      await tx.kv.set(A, 1);
      await dock.close();
    });
    expect(await codeOf(closed)).toBe("CLOSED");
    const next = await open();
    expect(await ownOf(next)).toEqual([]);
    await next.transaction(store, async (tx) => tx.kv.set(A, "open again"));
    expect(await next.kv.get(A)).toBe("open again");
  });

  contractTest(
    "with `replace` the layer then holds what it has written and nothing else, and the others what they did",
    { tags: ["stores"] },
    async ({ dock, store, needs }) => {
      needs("txn", "stores");
      const others = dock.stores.filter((layer) => layer !== store);
      const before = await Promise.all(others.map((layer) => namesIn(dock, layer)));
      await dock.kv.set(B, "before", { store });
      const replace = async (tx: Transaction): Promise<void> => {
        await tx.kv.set(A, "after");
        await tx.images.put(IMAGE, Buffer.from("after"), { type: "none" });
        expect(await dock.kv.get(B, { store })).toBe("before");
      };
      const given = dock.transaction(store, async (tx) => replace(tx).then(() => Promise.reject(new Error("no"))), {
        replace: true,
      });
      await expect(given).rejects.toThrow("no");
      expect(await dock.kv.get(B, { store })).toBe("before");
      await dock.transaction(store, replace, { replace: true });
      expect(await namesIn(dock, store)).toEqual([A, IMAGE]);
      expect(await Promise.all(others.map((layer) => namesIn(dock, layer)))).toEqual(before);
      await expectAnswers(dock);
    },
  );
}

async function namesIn(dock: Dock, store: Layer): Promise<string[]> {
  const keys = (await dock.kv.list({ store })).map(({ key }) => key);
  return [...keys, ...(await dock.images.list({ store })).map(({ tag }) => tag)];
}

/** The names of the tests that are seen. */
async function ownOf(dock: Dock): Promise<string[]> {
  const keys = (await dock.kv.list()).map(({ key }) => key);
  const tags = (await dock.images.list()).map(({ tag }) => tag);
  return [...ownNames(keys), ...ownNames(tags)];
}
