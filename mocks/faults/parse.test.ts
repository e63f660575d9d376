import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Faults } from "../faults.js";
import { Random } from "../random.js";
import { FAULT_HELP, loadFault, parseFault } from "./parse.js";
import { ManualClock } from "./testing/manual-clock.js";
import { openLine } from "./testing/open-line.js";

const random = new Random(1);
const KINDS = [
  ...["drop", "flip", "insert", "duplicate", "truncate", "merge", "reorder", "text", "delay", "rate", "stall", "echo", "cut"],
  ...["restart", "slow", "busy", "full", "forget", "replace", "lie"],
];

describe("a text", () => {
  test.each(KINDS)("%s names the kind alone, and stands in the help", (kind) => {
    expect(parseFault(kind, random).kind).toBe(kind);
    expect(FAULT_HELP).toMatch(new RegExp(`^  ${kind} `, "m"));
  });

  test("can have several keys", () => {
    expect(parseFault("drop:rate=0.5,way=toHost,times=2", random).kind).toBe("drop");
  });

  test.each([
    ["", /no fault "": there are drop, .*, lie$/],
    ["dorp", /no fault "dorp": there are drop/],
    ["__proto__", /no fault/],
    ["constructor:rate=1", /no fault/],
    ["drop:", /no key "".*rate, every, at, times, way/],
    ["drop:ms=3", /drop has no key "ms"; it has rate, every, at, times, way/],
    ["drop:__proto__=3", /no key/],
    ["echo:ms=3", /it has none/],
    ["drop:rate=0.1,rate=0.2", /rate twice/],
    ["drop:rate=0.1,every=10", /rate and every/],
    ["drop:rate=0", /rate=0 \(the share/],
    ["drop:rate=1.01", /rate=1.01/],
    ["drop:rate=-1", /rate=-1/],
    ["drop:rate=NaN", /rate=NaN/],
    ["drop:rate=", /rate= /],
    ["drop:rate", /rate= /],
    ["drop:rate=0.1=2", /rate=0.1=2/],
    ["drop:every=0.5", /every=0.5/],
    ["drop:at=0", /at=0/],
    ["drop:at=1.5", /at=1.5/],
    ["drop:times=0", /times=0/],
    ["drop:way=up", /way=up .*toDock or toHost/],
    ["delay:ms=-1", /ms=-1/],
    ["delay:ms=3600001", /ms=3600001 .*3600000/],
    ["rate:bytes=0", /bytes=0/],
    ["cut:back=0", /back=0/],
    ["lie:field=nothing", /field=nothing .*offset/],
    ["duplicate:frames=2", /frames=2/],
  ])("%j is refused with what there is", (text, message) => {
    expect(() => parseFault(text, random)).toThrow(message);
  });

  test("that says when takes the place of the usual rate", () => {
    const clock = new ManualClock();
    const faults = new Faults(clock);
    faults.add(parseFault("text:at=1", random)); // usually at a rate, and to the host
    const line = openLine(faults, clock);
    for (const way of ["toDock", "toHost"] as const) line.put(way, "a\0".repeat(500));
    expect(faults.counts.get("text")).toBe(1);
    expect(line.came("toDock")).toHaveLength(1_000);
  });
});

describe("a script", () => {
  function script(source: string): string {
    const folder = mkdtempSync(join(tmpdir(), "dl7450-faults-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "faults.mjs");
    writeFileSync(file, source);
    return file;
  }

  test("makes a fault, which is stacked as any other", async () => {
    const file = script(`export default (random) => ({
      kind: "shout",
      carry(bytes, way, line) { line.count(); return [Buffer.from(bytes.toString().toUpperCase())]; },
    });`);
    const clock = new ManualClock();
    const faults = new Faults(clock);
    for (const fault of await loadFault(file, random)) faults.add(fault);
    const line = openLine(faults, clock);
    line.put("toDock", "hello");
    expect(line.text("toDock")).toBe("HELLO");
    expect(faults.counts.get("shout")).toBe(1);
  });

  test("can make several, and draws from the random that it is given", async () => {
    const file = script(`export default (random) => [1, 2].map(() => ({ kind: String(random.between(1, 1e9)) }));`);
    const kinds = async (): Promise<string[]> => (await loadFault(file, new Random(5))).map(({ kind }) => kind);
    const [a, b] = await kinds();
    expect(a).not.toBe(b);
    expect(await kinds()).toEqual([a, b]);
  });

  test("can make objects of a class", async () => {
    const file = script(`class Lost { kind = "lost"; carry() { return []; } } export default () => new Lost();`);
    const [fault] = await loadFault(file, random);
    expect(fault?.carry).toBeTypeOf("function");
  });

  test.each([
    ["export const fault = 1;", /no function as its default export/],
    ["export default 1;", /no function as its default export/],
    ["export default () => undefined;", /no fault: it has a kind/],
    ["export default () => ({ carry() {} });", /no fault/],
    ["export default () => [{ kind: 'a', hear: 1 }];", /no fault/],
  ])("%s is refused by name", async (source, message) => {
    const file = script(source);
    await expect(loadFault(file, random)).rejects.toThrow(message);
    await expect(loadFault(file, random)).rejects.toThrow(file);
  });
});
