import fc from "fast-check";
import { expect, test } from "vitest";
import { FileNames } from "./file-name.js";

const hash = /-[0-9a-f]{8}/;

test.each([
  ["default", "png", /^default\.png$/],
  ["meeting room 4.12", "jpeg", /^meeting_room_4\.12-[0-9a-f]{8}\.jpg$/],
  ["logo.png", "png", /^logo\.png\.png$/],
  ["../../etc/passwd", "none", /^etc_passwd-[0-9a-f]{8}\.bin$/],
  ["CON", "bmp", /^_CON-[0-9a-f]{8}\.bmp$/],
  ["nul.logo", "png", /^_nul\.logo-[0-9a-f]{8}\.png$/],
  [".git", "png", /^git-[0-9a-f]{8}\.png$/],
  ["-rf", "png", /^rf-[0-9a-f]{8}\.png$/],
  ["画像", "png", /^image-[0-9a-f]{8}\.png$/],
  ["x".repeat(128), "png", /^x{80}-[0-9a-f]{8}\.png$/],
] as const)("%j, %s", (tag, type, name) => {
  expect(new FileNames().for(tag, type)).toMatch(name);
});

test("tags that differ in case alone have names that differ in more", () => {
  const names = new FileNames();
  expect(names.for("Logo", "png")).toBe("Logo.png");
  expect(names.for("logo", "png")).toMatch(hash);
  expect(names.for("logo", "bmp")).toBe("logo.bmp");
});

test("whatever the tags are, the names are safe, and no two are the same", () => {
  const tag = fc.oneof(
    fc.string({ minLength: 1 }),
    fc.string({ unit: "binary", minLength: 1 }),
    fc.constantFrom("a", "A", "a.", "..", "com1"),
  );
  fc.assert(
    fc.property(fc.uniqueArray(tag, { maxLength: 30 }), (tags) => {
      const names = new FileNames();
      const given = tags.map((it) => names.for(it, "png").toLowerCase());
      expect(new Set(given).size).toBe(tags.length);
      for (const name of given) expect(name).toMatch(/^(?!(con|aux|nul|prn|com\d|lpt\d)\.)[a-z0-9_][a-z0-9._-]{0,150}\.png$/);
    }),
  );
});

test("a name that a mark would give is given once", () => {
  const marked = new FileNames().for("é", "png");
  const names = new FileNames();
  expect(names.for(marked.slice(0, -".png".length), "png")).toBe(marked);
  expect(names.for("é", "png")).not.toBe(marked);
});
