/** SPEC §7.3: lists and their pages. */
import { expect } from "vitest";
import { encodeBody } from "../../protocol/index.js";
import type { Dock } from "../../src/index.js";
import { contractTest } from "./contract-test.js";
import { byBytes } from "./reading.js";
import { Wire } from "./wire.js";

const LISTS = [
  { op: "image.list", namesOf: async (dock: Dock) => (await dock.images.list()).map(({ tag }) => tag) },
  { op: "kv.list", namesOf: async (dock: Dock) => (await dock.kv.list()).map(({ key }) => key) },
] as const;

export function lists(): void {
  contractTest.for(LISTS)("$op has each name once, ordered by its bytes", async ({ namesOf }, { dock }) => {
    const names = await namesOf(dock);
    expect(names).toEqual([...new Set(names)].sort(byBytes));
  });

  contractTest.for(LISTS)(
    "$op comes in pages that go on where the one before ended",
    async ({ op, namesOf }, { open, found }) => {
      const wire = new Wire();
      const dock = await open(wire.options);
      const names = await namesOf(dock);
      const pages = wire.results(op).map(({ entries }) => entries.map(([name]) => name));
      found("a list of several pages", pages[1]);
      expect(pages.flat()).toEqual(names);
    },
  );

  contractTest.for(LISTS)(
    "no page of $op is longer than the limit, and none is empty but the last",
    async ({ op, namesOf }, { open }) => {
      const wire = new Wire();
      const dock = await open(wire.options);
      await namesOf(dock);
      for (const { entries, cursor } of wire.results(op)) {
        const lengths = entries.map((entry) => encodeBody(entry).length);
        expect(lengths.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(dock.limits.pageBytes);
        if (cursor !== undefined) expect(entries).not.toEqual([]);
      }
    },
  );

  contractTest.for(LISTS)("$op gives the same twice", async ({ namesOf }, { dock }) => {
    expect(await namesOf(dock)).toEqual(await namesOf(dock));
  });

  contractTest.for(LISTS)("$op has no name that is longer than its limit", async ({ op, namesOf }, { dock }) => {
    const limit = op === "kv.list" ? dock.limits.keyBytes : dock.limits.tagBytes;
    expect((await namesOf(dock)).filter((name) => name === "" || Buffer.byteLength(name) > limit)).toEqual([]);
  });
}
