/** SPEC §3.3: what a dock doesn't announce isn't asked of it, and factory data are overwritten only by who says which dock is meant. */
import { expect } from "vitest";
import { allOf, codeOf, codesOf, framesSent, WRITES } from "./calls.js";
import { contractTest } from "./contract-test.js";
import { named } from "./writing.js";

export function readOnly(): void {
  for (const [feature, calls] of Object.entries(WRITES)) {
    const rule = `without the feature ${feature} what needs it is UNSUPPORTED, and nothing is sent`;
    contractTest(rule, { tags: [feature] }, async ({ dock, skipFor }) => {
      if (dock.features.includes(feature)) return skipFor("this dock has it");
      const sent = await framesSent(dock, async () => {
        expect(await codesOf(calls, dock)).toEqual(allOf(calls, "UNSUPPORTED"));
      });
      expect(sent).toBe(0);
    });
  }

  contractTest("a layer that there isn't is USAGE to write to, and nothing is sent", { tags: ["stores"] }, async ({ dock }) => {
    const options: { store: "runtime" } = JSON.parse('{"store": "attic"}');
    const sent = await framesSent(dock, async () => {
      expect(await codeOf(dock.kv.set(named("a"), 1, options))).toBe("USAGE");
      expect(await codeOf(dock.images.delete(named("a"), options))).toBe("USAGE");
    });
    expect(sent).toBe(0);
  });

  contractTest.for([undefined, "", "another dock"])(
    "factory data aren't written with %j for the dock's name: USAGE, and nothing is sent",
    { tags: ["write.factory"] },
    async (confirm, { dock, needs }) => {
      needs("write.factory");
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
}
