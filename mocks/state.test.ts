import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DockModel, PROFILES } from "./dock.js";
import { replaceFile } from "./replace-file.js";
import { StateFolder, type StateOptions } from "./state.js";
import {
  CONTENT,
  contentFile,
  contentsOf,
  filledFolder,
  hex,
  manifestOf,
  newFolder,
  OTHER,
  put,
  withDock,
} from "./testing/state-folder.js";

describe("what is kept", () => {
  test("factory and runtime come back with all they had, their generations too; ephemeral doesn't", async () => {
    const folder = await filledFolder();
    const { keys, images } = await withDock(folder, (dock) => {
      dock.setKey("ephemeral", "gone", 1);
      dock.setKey("runtime", "zone", "UTC");
      dock.save();
      return { keys: dock.keys(), images: dock.images() };
    });
    await withDock(folder, (dock) => {
      expect(dock.isFresh).toBe(false);
      expect(dock.keys()).toEqual(keys.filter(({ store }) => store !== "ephemeral"));
      expect(dock.images()).toEqual(images);
      expect([dock.generation("factory"), dock.generation("runtime"), dock.generation("ephemeral")]).toEqual([2, 3, 0]);
      expect([dock.used("factory"), dock.used("runtime")]).toEqual([9 + 7 + 9, 8 + 4 + 11]);
    });
  });

  test("nothing that wasn't saved comes back, and nothing of a transaction that wasn't committed", async () => {
    const folder = await filledFolder();
    await withDock(folder, (dock) => {
      dock.setKey("runtime", "staged", 1, dock.begin("runtime", false));
      dock.save();
      dock.rollbackOpen();
      dock.setKey("runtime", "unsaved", 1);
    });
    await withDock(folder, (dock) => expect(dock.keys("runtime").map(({ key }) => key)).toEqual(["zone"]));
  });

  test("a folder is fresh until something is saved in it", async () => {
    const folder = newFolder();
    await withDock(folder, (dock) => expect(dock.isFresh).toBe(true));
    await withDock(folder, (dock) => {
      expect(dock.isFresh).toBe(true);
      dock.save();
    });
    await withDock(folder, (dock) => expect(dock.isFresh).toBe(false));
    expect(new DockModel(PROFILES.full, "MOCK-0001").isFresh).toBe(true);
  });

  test("a dock without the layer runtime leaves it as it is", async () => {
    const folder = await filledFolder();
    await withDock(
      folder,
      (dock) => {
        dock.setKey("factory", "k", 1);
        dock.save();
      },
      { profile: "preview" },
    );
    await withDock(folder, (dock) => expect([dock.key("zone")?.value, dock.image("logo")?.bytes]).toEqual(["GMT", OTHER]));
  });

  test("names come back as they were, whatever they are", async () => {
    const folder = newFolder();
    const names = [
      "__proto__",
      "constructor",
      "toString",
      "10",
      "9",
      "../../x",
      "a/b",
      '\u0001\n"\\',
      "é".repeat(127),
      "\u{10FFFF}",
    ];
    await withDock(folder, (dock) => {
      for (const [i, name] of names.entries()) {
        dock.setKey("runtime", name, i);
        put(dock, name, Buffer.from(name));
      }
      dock.save();
    });
    await withDock(folder, (dock) => {
      expect(names.map((name) => dock.key(name)?.value)).toEqual([...names.keys()]);
      expect(names.map((name) => dock.image(name)?.bytes.toString())).toEqual(names);
      expect(dock.keys()).toHaveLength(names.length);
    });
    expect(readdirSync(folder).sort()).toEqual(["content", "manifest.json"]);
  });
});

describe("what is written", () => {
  test("the manifest is for people too", async () => {
    const folder = await filledFolder();
    expect(readFileSync(manifestOf(folder), "utf8")).toBe(`{
  "format": 1,
  "name": "MOCK-0001",
  "layers": {
    "factory": {
      "generation": 2,
      "images": {
        "default": { "type": "png", "size": 9, "sha256": "${hex(CONTENT)}" }
      },
      "keys": {
        "token": { "value": "abc", "upd": true }
      }
    },
    "runtime": {
      "generation": 2,
      "images": {
        "logo": { "type": "none", "size": 11, "sha256": "${hex(OTHER)}" }
      },
      "keys": {
        "zone": { "value": "GMT" }
      }
    }
  }
}
`);
  });

  test("a content stands once, however many images have it, until the last of them is gone", async () => {
    const folder = newFolder();
    await withDock(folder, (dock) => {
      put(dock, "a", CONTENT);
      put(dock, "b", CONTENT);
      put(dock, "c", OTHER);
      dock.save();
      expect(contentsOf(folder)).toEqual([hex(CONTENT), hex(OTHER)].sort());
      dock.deleteImage("runtime", "a");
      put(dock, "c", CONTENT);
      dock.save();
      expect(contentsOf(folder)).toEqual([hex(CONTENT)]);
      dock.reset();
      dock.save();
      expect(contentsOf(folder)).toEqual([]);
    });
  });

  test("nothing is written while nothing has changed, nor for ephemeral, nor a content twice", async () => {
    const folder = await filledFolder();
    const written: string[] = [];
    const write = (file: string, content: string | Uint8Array): void => {
      written.push(file);
      replaceFile(file, content);
    };
    await withDock(
      folder,
      (dock) => {
        dock.save();
        dock.setKey("ephemeral", "k", 1);
        dock.deleteKey("runtime", "missing");
        dock.save();
        expect(written).toEqual([]);
        put(dock, "again", OTHER);
        dock.save();
        dock.save();
        expect(written).toEqual([manifestOf(folder)]);
      },
      { write },
    );
  });
});

describe("a write that fails", () => {
  /** Writes so many files, then none, as on a disk that is full. */
  function failAfter(count: number): StateOptions {
    let left = count;
    return {
      write: (file, content) => {
        if (left-- <= 0) throw new Error("ENOSPC");
        replaceFile(file, content);
      },
    };
  }

  test.each([0, 1, 2])("leaves all that was saved, after %i that worked", async (count) => {
    const folder = await filledFolder();
    const before = await withDock(folder, (dock) => [dock.keys(), dock.images(), dock.generation()]);
    await withDock(
      folder,
      (dock) => {
        dock.deleteImage("runtime", "logo");
        put(dock, "new", Buffer.from("new"));
        put(dock, "newer", Buffer.from("newer"));
        expect(() => dock.save()).toThrow("ENOSPC");
        expect(existsSync(contentFile(folder, OTHER))).toBe(true);
      },
      failAfter(count),
    );
    expect(await withDock(folder, (dock) => [dock.keys(), dock.images(), dock.generation()])).toEqual(before);
    expect(contentsOf(folder)).toEqual([hex(CONTENT), hex(OTHER)].sort());
  });

  test("is made up for by the next save", async () => {
    const folder = await filledFolder();
    const { write = replaceFile } = failAfter(0);
    let full = true;
    const state = await StateFolder.open(folder, { write: (file, it) => (full ? write : replaceFile)(file, it) });
    const dock = new DockModel(PROFILES.full, "MOCK-0001", { state });
    put(dock, "new", Buffer.from("new"));
    expect(() => dock.save()).toThrow("ENOSPC");
    full = false;
    dock.save();
    await state.close();
    expect(await withDock(folder, (again) => again.image("new")?.bytes.toString())).toBe("new");
  });
});
