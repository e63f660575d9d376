import { describe, expect } from "vitest";
import { dockTest } from "../../../src/vitest/index.js";

/** As a configuration in JavaScript has them. */
const wrong: { readonly isolate: "layer" } = JSON.parse('{"isolate":"layers"}');

describe("wrong options", () => {
  dockTest.override(wrong);
  dockTest("has an isolation that isn't one", async ({ dock }) => void (await dock.info()));
});

describe("wrong opening", () => {
  const none: { readonly opening: object } = JSON.parse('{"opening":null}');
  dockTest.override(none);
  dockTest("has options that are none", async ({ dock }) => void (await dock.info()));
});

describe("wrong snapshot", () => {
  dockTest.override({ isolate: { snapshot: "/nowhere" } });
  dockTest("has a snapshot that isn't there", async ({ dock }) => void (await dock.info()));
});

describe("two docks", () => {
  dockTest.override({ ports: ["mock:?name=A", "mock:?name=B"] });
  dockTest("has two docks", async ({ docks }) => {
    expect(docks.map(({ name }) => name)).toEqual(["A", "B"]);
    await docks[1]?.kv.set("a", 1, { store: "runtime" });
  });
  dockTest("finds both as they were", async ({ docks }) => {
    expect(await Promise.all(docks.map((dock) => dock.kv.list({ store: "runtime" })))).toEqual([[], []]);
  });
});
