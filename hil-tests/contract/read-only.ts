/** SPEC §3.3: what a dock doesn't announce isn't asked of it, and factory data are overwritten only by who says which dock is meant. */
import { expect, test } from "vitest";
import { allOf, codeOf, codesOf, framesSent, WRITES } from "./calls.js";
import { openToWrite } from "./scratch.js";
import type { Subject } from "./subject.js";
import { content, named } from "./writing.js";

export function readOnly(subject: Subject): void {
  test.for(Object.entries(WRITES))(
    "without the feature %s what needs it is UNSUPPORTED, and nothing is sent",
    async ([feature, calls], context) => {
      await using dock = await subject.open();
      if (dock.features.includes(feature)) return context.skip("this dock has it");
      const sent = await framesSent(dock, async () => {
        expect(await codesOf(calls, dock)).toEqual(allOf(calls, "UNSUPPORTED"));
      });
      expect(sent).toBe(0);
    },
  );

  test("a layer that there isn't is USAGE to write to, and nothing is sent", async () => {
    await using dock = await subject.open();
    const options: { store: "runtime" } = JSON.parse('{"store": "attic"}');
    const sent = await framesSent(dock, async () => {
      expect(await codeOf(dock.kv.set(named("a"), 1, options))).toBe("USAGE");
      expect(await codeOf(dock.images.delete(named("a"), options))).toBe("USAGE");
    });
    expect(sent).toBe(0);
  });

  test.for([undefined, "", "another dock"])(
    "factory data aren't written with %j for the dock's name: USAGE, and nothing is sent",
    async (confirm, context) => {
      await using dock = await subject.open();
      if (!dock.features.includes("write.factory")) return context.skip("this dock's factory data can't be written");
      const options = { store: "factory", confirm } as const;
      const sent = await framesSent(dock, async () => {
        const calls = [
          dock.kv.set(named("a"), 1, options),
          dock.kv.delete(named("a"), options),
          dock.images.put(named("a"), Buffer.from("a"), { type: "none", ...options }),
          dock.images.delete(named("a"), options),
          dock.transaction("factory", async () => {}, { confirm }),
        ];
        expect(await Promise.all(calls.map(codeOf))).toEqual(calls.map(() => "USAGE"));
      });
      expect(sent).toBe(0);
    },
  );

  test("factory data are written with the dock's name, stand behind the others, and outlive a reset", async (context) => {
    const features = ["write.factory", "write.runtime", "stores", "txn", "reset"];
    await using scratch = await openToWrite(subject, context, { features, touches: "anything" });
    const { dock } = scratch;
    const to = { store: "factory", confirm: dock.name } as const;
    const [key, tag] = [named("factory"), named("factory image")];
    await dock.kv.set(key, "in factory", to);
    await dock.images.put(tag, content(3_000, "factory"), { ...to, type: "none" });
    expect(await dock.kv.find(key)).toMatchObject({ value: "in factory", store: "factory" });
    await dock.kv.set(key, "in runtime", { store: "runtime" });
    expect(await dock.kv.get(key)).toBe("in runtime");
    await dock.reset();
    expect(await dock.kv.get(key)).toBe("in factory");
    expect(content(3_000, "factory").equals((await dock.images.get(tag)).data)).toBe(true);
    await dock.transaction("factory", async (tx) => void (await tx.kv.delete(key)), { confirm: dock.name });
    expect(await dock.images.delete(tag, to)).toBe(true);
    expect([await dock.kv.get(key), await codeOf(dock.images.get(tag))]).toEqual([undefined, "NOT_FOUND"]);
  });
}
