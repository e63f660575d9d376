/** What the dock can't take, or the caller can't mean, fails before anything is sent. */
import { describe, expect, test } from "vitest";
import { USUAL_LIMITS } from "../protocol/index.js";
import { ImageStore } from "./image-store.js";
import { KvStore } from "./kv-store.js";
import type { Session } from "./session.js";
import { watch } from "./testing/watch.js";
import { openWritable } from "./testing/writable.js";

const runtime = { store: "runtime" } as const;

describe("what a dock wouldn't take isn't sent", () => {
  const nested = (depth: number): unknown => Array.from({ length: depth }).reduce<unknown>((inner) => [inner], 1);
  const kv = (session: Session): KvStore => new KvStore(session);
  const images = (session: Session): ImageStore => new ImageStore(session);
  const bytes = new Uint8Array(10);
  const none = { type: "none" } as const;
  const features = ["stores", "write.runtime"];
  const layers = { features: ["stores", "write.runtime", "write.ephemeral"], stores: ["runtime"] } as const;
  const toFactory = { store: "factory" } as const;

  test.each<[string, string, (session: Session) => Promise<unknown>, object?]>([
    ["a key without the feature", "UNSUPPORTED", (it) => kv(it).set("a", 1, { store: "ephemeral" }), { features }],
    ["a deletion without the feature", "UNSUPPORTED", (it) => kv(it).delete("a", { store: "ephemeral" }), { features }],
    [
      "an image without the feature",
      "UNSUPPORTED",
      (it) => images(it).put("a", bytes, { store: "factory", ...none }),
      { features },
    ],
    ["a layer that the dock lacks", "UNSUPPORTED", (it) => kv(it).set("a", 1, { store: "ephemeral" }), layers],
    ["an image for a layer that the dock lacks", "UNSUPPORTED", (it) => images(it).delete("a", { store: "ephemeral" }), layers],
    ["factory data without confirm", "USAGE", (it) => kv(it).set("a", 1, toFactory)],
    ["factory data with another dock's name", "USAGE", (it) => kv(it).delete("a", { ...toFactory, confirm: "Desk 13" })],
    ["an image for factory without confirm", "USAGE", (it) => images(it).put("a", bytes, { ...toFactory, ...none })],
    ["an empty key", "USAGE", (it) => kv(it).set("", 1, runtime)],
    ["a key with U+0000", "USAGE", (it) => kv(it).delete("a\0b", runtime)],
    ["half a surrogate pair in a tag", "USAGE", (it) => images(it).put("\ud800", bytes, { ...runtime, ...none })],
    ["a key of 129 bytes", "TOO_LARGE", (it) => kv(it).set(`${"é".repeat(64)}x`, 1, runtime)],
    ["a tag of 129 bytes", "TOO_LARGE", (it) => images(it).delete("x".repeat(129), runtime)],
    ["a value of 4,097 bytes", "TOO_LARGE", (it) => kv(it).set("a", "x".repeat(4_094), runtime)],
    ["a value that is too deep", "USAGE", (it) => kv(it).set("a", nested(17), runtime)],
    ["a value of a function", "USAGE", (it) => kv(it).set("a", () => {}, runtime)],
    ["a value of undefined", "USAGE", (it) => kv(it).set("a", undefined, runtime)],
    ["an integer of 65 bits", "USAGE", (it) => kv(it).set("a", 2n ** 63n, runtime)],
    [
      "a request larger than a body",
      "TOO_LARGE",
      (it) => kv(it).set("a", "x".repeat(600), runtime),
      { limits: { ...USUAL_LIMITS, maxBody: 512 } },
    ],
    ["an image of no known type", "INVALID", (it) => images(it).put("a", bytes, runtime)],
    ["a timeout of 0", "USAGE", (it) => kv(it).set("a", 1, { ...runtime, timeout: 0 })],
    ["an upload with a timeout of 0", "USAGE", (it) => images(it).put("a", bytes, { ...runtime, ...none, timeout: 0 })],
  ])("%s is %s", async (_, code, write, welcome = {}) => {
    const { clock, dock, session } = await openWritable({ welcome });
    const written = watch(write(session));
    await clock.settle();
    expect(written.code).toBe(code);
    expect(dock.heard.map(({ message }) => message.type)).toEqual(["hello"]);
    expect(clock.waiting).toBe(0);
  });

  test("but what is just small enough is, and factory data with the dock's name", async () => {
    const { clock, dock, session } = await openWritable();
    void kv(session)
      .set("x".repeat(128), "x".repeat(4_093), { store: "factory", confirm: "Desk 12" })
      .catch(() => {});
    void kv(session)
      .set("deep", nested(16), runtime)
      .catch(() => {});
    await clock.settle();
    expect(dock.said("request")).toHaveLength(2);
  });
});
