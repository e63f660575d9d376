/** SPEC §7.3: lists and their pages. */
import { expect, test } from "vitest";
import { encodeBody } from "../../protocol/index.js";
import type { Dock } from "../../src/index.js";
import { byBytes } from "./reading.js";
import { found, type Subject } from "./subject.js";
import { Wire } from "./wire.js";

const LISTS = [
  { op: "image.list", namesOf: async (dock: Dock) => (await dock.images.list()).map(({ tag }) => tag) },
  { op: "kv.list", namesOf: async (dock: Dock) => (await dock.kv.list()).map(({ key }) => key) },
] as const;

export function lists(subject: Subject): void {
  test.for(LISTS)("$op has each name once, ordered by its bytes", async ({ namesOf }) => {
    await using dock = await subject.open();
    const names = await namesOf(dock);
    expect(names).toEqual([...new Set(names)].sort(byBytes));
  });

  test.for(LISTS)("$op comes in pages that go on where the one before ended", async ({ op, namesOf }, context) => {
    const wire = new Wire();
    await using dock = await subject.open(wire.options);
    const names = await namesOf(dock);
    const pages = wire.results(op).map(({ entries }) => entries.map(([name]) => name));
    found(subject, context, "a list of several pages", pages[1]);
    expect(pages.flat()).toEqual(names);
  });

  test.for(LISTS)("no page of $op is longer than the limit, and none is empty but the last", async ({ op, namesOf }) => {
    const wire = new Wire();
    await using dock = await subject.open(wire.options);
    await namesOf(dock);
    for (const { entries, cursor } of wire.results(op)) {
      const lengths = entries.map((entry) => encodeBody(entry).length);
      expect(lengths.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(dock.limits.pageBytes);
      if (cursor !== undefined) expect(entries).not.toEqual([]);
    }
  });

  test.for(LISTS)("$op gives the same twice", async ({ namesOf }) => {
    await using dock = await subject.open();
    expect(await namesOf(dock)).toEqual(await namesOf(dock));
  });

  test.for(LISTS)("$op has no name that is longer than its limit", async ({ op, namesOf }) => {
    await using dock = await subject.open();
    const limit = op === "kv.list" ? dock.limits.keyBytes : dock.limits.tagBytes;
    expect((await namesOf(dock)).filter((name) => name === "" || Buffer.byteLength(name) > limit)).toEqual([]);
  });
}
