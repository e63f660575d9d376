import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { DockModel, PROFILES } from "./dock.js";
import { StateFolder } from "./state.js";
import {
  CONTENT,
  contentFile,
  contentsOf,
  filledFolder,
  hex,
  manifestOf,
  newFolder,
  OTHER,
  withDock,
} from "./testing/state-folder.js";

describe("what an end at any moment leaves", () => {
  test("a new manifest that isn't complete counts for nothing", async () => {
    const folder = await filledFolder();
    writeFileSync(`${manifestOf(folder)}.next`, '{ "format": 1, "lay');
    await withDock(folder, (dock) => expect(dock.key("zone")?.value).toBe("GMT"));
    expect(readdirSync(folder).sort()).toEqual(["content", "manifest.json"]);
  });

  test("contents that no manifest names, and parts of them, are removed; what isn't ours stays", async () => {
    const folder = await filledFolder();
    const strangers = ["a".repeat(64), `${"b".repeat(64)}.next`, "README", "A".repeat(64)];
    for (const name of strangers) writeFileSync(join(folder, "content", name), "x");
    await withDock(folder, () => {});
    expect(contentsOf(folder)).toEqual(["README", "A".repeat(64), hex(CONTENT), hex(OTHER)].sort());
  });

  test("a first manifest that isn't complete is begun again", async () => {
    const folder = newFolder();
    mkdirSync(folder);
    writeFileSync(`${manifestOf(folder)}.next`, "{");
    await withDock(folder, (dock) => expect(dock.isFresh).toBe(true));
    expect(readdirSync(folder).sort()).toEqual(["content", "manifest.json"]);
  });
});

describe("a folder that can't be opened", () => {
  test("one that holds something else, which is left alone", async () => {
    const folder = newFolder();
    mkdirSync(folder);
    writeFileSync(join(folder, "thesis.txt"), "x");
    await expect(StateFolder.open(folder)).rejects.toThrow(`${folder} isn't empty and has no manifest.json`);
    expect(readdirSync(folder)).toEqual(["thesis.txt"]);
  });

  test("one that somebody has, by whatever path, until they let it go", async () => {
    const folder = newFolder();
    const state = await StateFolder.open(folder);
    const detour = `${folder}-link`;
    symlinkSync(folder, detour);
    if (process.platform === "linux") {
      await expect(StateFolder.open(folder)).rejects.toThrow(`${folder} is in use by another mock dock`);
      await expect(StateFolder.open(detour)).rejects.toThrow("is in use by another mock dock");
    }
    await state.close();
    await (await StateFolder.open(detour)).close();
  });

  test("one whose refusal doesn't keep it taken", async () => {
    const folder = await filledFolder();
    writeFileSync(manifestOf(folder), "{");
    await expect(StateFolder.open(folder)).rejects.toThrow("manifest.json: ");
    await expect(StateFolder.open(folder)).rejects.toThrow("manifest.json: ");
  });

  test("one whose layers hold more than the dock's", async () => {
    const folder = await filledFolder();
    const state = await StateFolder.open(folder);
    onTestFinished(() => state.close());
    expect(() => new DockModel(PROFILES.full, "MOCK-0001", { state, capacities: { runtime: 10 } })).toThrow(
      "the layer runtime",
    );
  });

  test.each([
    ["no JSON", "{"],
    ["another program's", '{ "name": "app", "icons": [] }'],
    ["a later format", '{ "format": 2, "layers": {} }'],
  ])("one with a manifest that is %s, which is left as it is", async (_, text) => {
    const folder = await filledFolder();
    writeFileSync(manifestOf(folder), text);
    await expect(StateFolder.open(folder)).rejects.toThrow(`${manifestOf(folder)}: `);
    expect(readFileSync(manifestOf(folder), "utf8")).toBe(text);
    expect(contentsOf(folder)).toEqual([hex(CONTENT), hex(OTHER)].sort());
  });

  test.each([
    ["missing", (file: string) => rmSync(file), "missing"],
    ["too short", (file: string) => writeFileSync(file, "any"), "3 bytes, where manifest.json says 9"],
    ["another one", (file: string) => writeFileSync(file, "ANY bytes"), "broken: its SHA-256 is "],
    ["no file", makeFolder, "no regular file"],
  ])("one with a content that is %s", async (_, spoil, why) => {
    const folder = await filledFolder();
    spoil(contentFile(folder, CONTENT));
    await expect(StateFolder.open(folder)).rejects.toThrow(`${contentFile(folder, CONTENT)}: ${why}`);
  });

  test("one that is a file", async () => {
    const folder = newFolder();
    writeFileSync(folder, "x");
    await expect(StateFolder.open(folder)).rejects.toThrow(folder);
    expect(statSync(folder).isFile()).toBe(true);
  });
});

function makeFolder(file: string): void {
  rmSync(file);
  mkdirSync(file);
}
