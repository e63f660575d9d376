/** SPEC §6 and §7.4: keys and their values. */
import { expect } from "vitest";
import { codeOf, inTurns } from "./calls.js";
import { cborLength } from "./cbor-length.js";
import { contractTest } from "./contract-test.js";
import { all, expectAnswers } from "./reading.js";

export function keys(): void {
  contractTest("each key has a value in the layer that the list gives, as unique as it says", async ({ dock, found }) => {
    const entries = await dock.kv.list();
    found("a key", entries[0]);
    await inTurns(entries, async ({ key, store, upd }) => {
      expect({ key, ...(await dock.kv.find(key)) }).toMatchObject({ key, store, upd });
    });
  });

  contractTest("the list gives the length that each value has as CBOR", async ({ dock, found }) => {
    const bytesOf = new Map((await dock.kv.list()).map(({ key, bytes }) => [key, bytes]));
    const entries = await all(dock.kv.entries());
    found("a key", entries[0]);
    for (const [key, value] of entries) {
      const bytes = bytesOf.get(key) ?? 0;
      const { least, most } = cborLength(value);
      expect({ key, bytes, fits: bytes >= least && bytes <= most }).toEqual({ key, bytes, fits: true });
    }
  });

  contractTest("entries gives each key of the list with its value, in the same order", async ({ dock, found }) => {
    const entries = await dock.kv.list();
    found("a key", entries[0]);
    const expected = await inTurns(entries, async ({ key }) => [key, await dock.kv.get(key)]);
    expect(await all(dock.kv.entries())).toEqual(expected);
  });

  contractTest("entries can be left early, and the dock goes on", async ({ dock, found }) => {
    const [first] = await dock.kv.list();
    const { key } = found("a key", first);
    for await (const [name, value] of dock.kv.entries()) {
      expect([name, value]).toEqual([key, await dock.kv.get(key)]);
      break;
    }
    await expectAnswers(dock);
  });

  contractTest("a key that is the empty text is a value, unlike one that is missing", async ({ dock, found }) => {
    const values = await all(dock.kv.entries());
    const empty = values.find(([, value]) => value === "");
    const [key] = found("a key whose value is empty", empty);
    expect(await dock.kv.get(key)).toBe("");
    expect(await dock.kv.find(key)).toMatchObject({ value: "" });
  });

  contractTest("a key that is null is a value as well", async ({ dock, found }) => {
    const values = await all(dock.kv.entries());
    const none = values.find(([, value]) => value === null);
    const [key] = found("a key whose value is null", none);
    expect(await dock.kv.get(key)).toBeNull();
    expect(await dock.kv.find(key)).toMatchObject({ value: null });
  });

  contractTest("an aborted read of all entries is ABORTED, and the dock goes on", async ({ dock, found }) => {
    found("40 keys", (await dock.kv.list())[39]);
    const controller = new AbortController();
    const read = async (): Promise<void> => {
      for await (const _ of dock.kv.entries({ signal: controller.signal })) controller.abort();
    };
    expect(await codeOf(read())).toBe("ABORTED");
    await expectAnswers(dock);
  });
}
