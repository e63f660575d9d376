import { describe, expect, test } from "vitest";
import { USUAL_LIMITS } from "../protocol/index.js";
import { DockError } from "./errors.js";
import { checkName, type LayerChoice, placesOf } from "./layers.js";
import { openSession } from "./testing/open-session.js";

describe("the places to look", () => {
  test.each<[LayerChoice | undefined, object[]]>([
    [undefined, [{}]],
    ["factory", [{ store: "factory" }]],
    ["runtime", [{ store: "runtime" }]],
    ["ephemeral", [{ store: "ephemeral" }]],
    ["application", [{ store: "ephemeral" }, { store: "runtime" }]],
  ])("for %s are %j", async (choice, places) => {
    const { session } = await openSession();
    expect(placesOf(session, choice)).toEqual(places);
  });

  test("for the applications' data are those of the two layers that the dock has", async () => {
    const { session } = await openSession({ welcome: { stores: ["factory", "runtime"] } });
    expect(placesOf(session, "application")).toEqual([{ store: "runtime" }]);
  });

  test("that the dock hasn't are UNSUPPORTED, and the error names those that it has", async () => {
    const { session } = await openSession({ welcome: { stores: ["factory"] } });
    for (const choice of ["ephemeral", "application"] as const) {
      const error = errorOf(() => placesOf(session, choice));
      expect(error.code).toBe("UNSUPPORTED");
      expect(error.message).toContain("It has factory.");
    }
  });

  test("can't be named on a dock without the feature `stores`, but needn't be", async () => {
    const { session } = await openSession({ welcome: { features: [] } });
    expect(placesOf(session, undefined)).toEqual([{}]);
    const error = errorOf(() => placesOf(session, "runtime"));
    expect(error.code).toBe("UNSUPPORTED");
    expect(error.message).toContain('"stores"');
  });

  test.each(["flash", "", "Factory", "toString"])("that there aren't, such as %j, are USAGE", async (choice) => {
    const { session } = await openSession();
    const unchecked: LayerChoice = JSON.parse(JSON.stringify(choice)); // as from JavaScript, where nothing checks the type
    expect(errorOf(() => placesOf(session, unchecked)).code).toBe("USAGE");
  });
});

describe("a name", () => {
  test.each(["a", "timezone", "with spaces", "世界", "\u0001", "x".repeat(128), "ß".repeat(64)])("can be %j", (name) => {
    expect(() => checkName("key", name, USUAL_LIMITS)).not.toThrow();
  });

  test.each(["", "a\0b", "a\ud800"])("can't be %j: USAGE", (name) => {
    const error = errorOf(() => checkName("tag", name, USUAL_LIMITS));
    expect(error.code).toBe("USAGE");
    expect(error.message).toContain("A tag");
  });

  test.each([
    ["key", "x".repeat(129), 128, 129],
    ["tag", "ß".repeat(65), 128, 130],
  ] as const)("of a %s that is longer than the dock takes is TOO_LARGE, in bytes", (kind, name, limit, length) => {
    const error = errorOf(() => checkName(kind, name, USUAL_LIMITS));
    expect(error.code).toBe("TOO_LARGE");
    expect(error.details).toEqual({ limit });
    expect(error.message).toContain(`${length} bytes`);
  });

  test("of a key and of a tag have limits of their own", () => {
    const limits = { ...USUAL_LIMITS, keyBytes: 3, tagBytes: 5 };
    expect(() => checkName("tag", "abcde", limits)).not.toThrow();
    expect(errorOf(() => checkName("key", "abcde", limits)).details).toEqual({ limit: 3 });
  });
});

function errorOf(call: () => unknown): DockError {
  try {
    call();
  } catch (error) {
    if (error instanceof DockError) return error;
    throw error;
  }
  throw new Error("it didn't fail");
}
