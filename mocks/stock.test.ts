import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { DockModel, PROFILES } from "./dock.js";
import { fill } from "./stock.js";

/** A dock that is filled from a description of its factory layer. */
function dockOf(factory: string): DockModel {
  const folder = mkdtempSync(join(tmpdir(), "dl7450-stock-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "dock.json");
  writeFileSync(file, `{ "factory": ${factory} }`);
  const dock = new DockModel(PROFILES.full, "MOCK-0001");
  fill(dock, file, 1);
  return dock;
}

test.for(["constructor", "prototype", "__proto__", "toString"])(
  "a description can have an image and a key called %s",
  (name) => {
    const dock = dockOf(`{ "images": { "${name}": { "random": 5, "type": "none" } }, "keys": { "${name}": 7 } }`);
    expect(dock.image(name)?.bytes.length).toBe(5);
    expect(dock.key(name)?.value).toBe(7);
  },
);

test("what is unique per dock is marked so, and nothing else is", () => {
  const dock = dockOf(
    `{ "keys": { "token": { "$dock": "token" }, "name": { "$dock": "name" }, "bytes": { "$bytes": "00ff" } } }`,
  );
  expect(dock.keys().map(({ key, upd }) => [key, upd])).toEqual([
    ["bytes", false],
    ["name", false],
    ["token", true],
  ]);
  expect([dock.key("name")?.value, dock.key("bytes")?.value]).toEqual(["MOCK-0001", Buffer.of(0, 255)]);
});

test("a description that doesn't fit is an error that names what doesn't", () => {
  expect(() => dockOf(`{ "images": { "huge": { "random": 13000001, "type": "png" } } }`)).toThrow(
    RangeError("huge doesn't fit into the layer factory"),
  );
});
