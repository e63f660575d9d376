/** A dock that was opened to be read only, and how much is under way. */
import { expect, test } from "vitest";
import { Dock } from "../src/index.js";
import { allOf, codeOf, codesOf, framesSent, WRITES } from "./contract/calls.js";
import { ModelDock } from "./model-dock.js";

test("what would change a dock that was opened to be read only is READ_ONLY, and nothing is sent", async () => {
  await using model = await ModelDock.start("development", { runtime: { keys: { a: 1 } } });
  await using dock = await Dock.open(model.target, { readOnly: true });
  expect(await dock.kv.get("a")).toBe(1);
  const sent = await framesSent(dock, async () => {
    for (const calls of Object.values(WRITES)) expect(await codesOf(calls, dock)).toEqual(allOf(calls, "READ_ONLY"));
    expect(() => dock.requireWritable({ store: "runtime" })).toThrow("was opened to be read only");
  });
  expect(sent).toBe(0);
  expect(model.held("runtime").keys).toEqual({ a: 1 });
});

test("what a dock lacks is UNSUPPORTED as well when it was opened to be read only", async () => {
  await using model = await ModelDock.start("preview");
  await using dock = await Dock.open(model.target, { readOnly: true });
  expect(await codeOf(dock.kv.set("a", 1, { store: "runtime" }))).toBe("UNSUPPORTED");
});

test("how much is under way counts calls, streams and an open transaction, until they are settled", async () => {
  await using model = await ModelDock.start("full", { factory: { images: { a: ["none", new Uint8Array(100_000)] } } });
  await using dock = await Dock.open(model.target);
  expect(dock.underWay).toBe(0);
  const asked = dock.kv.get("a");
  expect(dock.underWay).toBe(1);
  await asked;
  const stream = dock.images.stream("a");
  await stream.info();
  expect(dock.underWay).toBe(1);
  await stream.cancel();
  await dock.transaction("runtime", async () => expect(dock.underWay).toBe(1));
  expect(dock.underWay).toBe(0);
});
