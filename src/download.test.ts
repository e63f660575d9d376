/** What a read gives and what it asks for, when nothing goes wrong on the way. */
import { describe, expect, test } from "vitest";
import { FIRST_WINDOW, USUAL_LIMITS } from "../protocol/index.js";
import { ImageStore, ImageToken } from "./image-store.js";
import { chopping } from "./testing/duplex-pair.js";
import { honestDock } from "./testing/honest-dock.js";
import { openSession } from "./testing/open-session.js";
import { PIECE, picture, Serving, sha256Of } from "./testing/picture.js";
import { Random } from "./testing/random.js";
import { readAll } from "./testing/reader.js";
import type { ScriptedDockOptions } from "./testing/scripted-dock.js";
import { watch } from "./testing/watch.js";

describe("a read gives", () => {
  test.each([1, 100, PIECE, PIECE + 1, FIRST_WINDOW, 200_000])(
    "an image of %i bytes as it is, however the line is chopped",
    async (size) => {
      for (const seed of [1, 2, 3]) {
        const image = picture(size);
        const toHost = chopping(new Random(seed));
        const { clock, session } = await openSession({ ...serving(image), pair: { toHost } });
        const got = await clock.run(new ImageStore(session).get("default"));
        expect(sha256Of(got.data)).toEqual(sha256Of(image));
        expect(got).toMatchObject({ type: "png", size, store: "factory", sha256: sha256Of(image).toString("hex") });
        expect(clock.waiting).toBe(0);
        expect(session.counters).toMatchObject({ gaps: 0, resends: 0, retries: 0, duplicates: 0 });
      }
    },
  );

  test("an empty image, without any data", async () => {
    const { clock, session } = await openSession({ ...serving(Buffer.alloc(0)) });
    const { data, size } = await clock.run(new ImageStore(session).get("default"));
    expect([data.length, size]).toEqual([0, 0]);
  });

  test("what comes from an offset on, checked by the SHA-256 of that part", async () => {
    const image = picture(100_000);
    const { clock, dock, session } = await openSession({ ...serving(image) });
    const got = await clock.run(readAll(new ImageStore(session).stream("default", { from: 60_000 })));
    expect(got.equals(image.subarray(60_000))).toBe(true);
    expect(dock.last("request").params.from).toBe(60_000);
  });

  test("nothing from the very end on", async () => {
    const image = picture(1_000);
    const { clock, session } = await openSession({ ...serving(image) });
    expect(await clock.run(readAll(new ImageStore(session).stream("default", { from: 1_000 })))).toHaveLength(0);
  });

  test("the pieces as they came, with how far it has come", async () => {
    const image = picture(20_000);
    const { clock, session } = await openSession({ ...serving(image) });
    const progress: number[] = [];
    const onProgress = (it: { received: number; size: number }): void => void progress.push(it.received, it.size);
    await clock.run(readAll(new ImageStore(session).stream("default", { onProgress })));
    expect(progress).toEqual([8_192, 20_000, 16_384, 20_000, 20_000, 20_000]);
  });

  test("what the image is before its bytes, and no more credit than was asked with until somebody reads", async () => {
    const image = picture(200_000);
    const { clock, dock, session } = await openSession({ ...serving(image) });
    const stream = new ImageStore(session).stream("default");
    expect(await clock.run(stream.info())).toMatchObject({ size: 200_000, type: "png" });
    expect(dock.said("hostCredit")).toEqual([]);
    expect((await clock.run(readAll(stream))).equals(image)).toBe(true);
  });

  test("an image whose SHA-256 the dock doesn't know before it has sent it", async () => {
    const image = picture(50_000);
    const { clock, session } = await openSession({ ...honestDock({ images: { default: image }, sha256: "unknown" }) });
    const got = await clock.run(new ImageStore(session).get("default"));
    expect(Buffer.from(got.data).equals(image)).toBe(true);
    expect("sha256" in got).toBe(false);
  });
});

describe("a read asks", () => {
  test("for a tag with credit of a window, and nothing that wasn't wanted", async () => {
    const { clock, dock, session } = await openSession();
    void new ImageStore(session).get("default").catch(() => {});
    await clock.settle();
    expect(dock.last("request")).toMatchObject({ op: "image.get", params: { tag: "default", credit: FIRST_WINDOW } });
    expect(Object.keys(dock.last("request").params)).toEqual(["tag", "credit"]);
  });

  test("with the layer, the offset and the SHA-256 that were given; the credit is then beyond the offset", async () => {
    const { clock, dock, session } = await openSession();
    const ifSha256 = "AB".repeat(32);
    const options = { store: "runtime", from: 5_000, ifSha256 } as const;
    void watch(new ImageStore(session).stream("default", options).info());
    await clock.settle();
    const { params } = dock.last("request");
    expect(params).toMatchObject({ tag: "default", store: "runtime", from: 5_000, credit: 5_000 + FIRST_WINDOW });
    expect(params.ifSha256).toEqual(Buffer.from(ifSha256, "hex"));
  });

  test("by a token", async () => {
    const { clock, dock, session } = await openSession();
    void watch(new ImageStore(session).get(ImageToken.parse("00ff10")));
    await clock.settle();
    expect(dock.last("request").params).toEqual({ token: Buffer.from("00ff10", "hex"), credit: FIRST_WINDOW });
  });

  test("never for a byte beyond 2³² − 1", async () => {
    const { clock, dock, session } = await openSession();
    void watch(new ImageStore(session).stream("default", { from: 2 ** 32 - 1 }).info());
    await clock.settle();
    expect(dock.last("request").params.credit).toBe(2 ** 32 - 1);
  });
});

describe("a read fails before anything is sent", () => {
  test.each([
    ["an empty tag", "", {}, "USAGE"],
    ["a tag with U+0000", "a\0", {}, "USAGE"],
    ["a tag longer than the dock takes", "ß".repeat(65), {}, "TOO_LARGE"],
    ["a negative offset", "a", { from: -1 }, "USAGE"],
    ["half an offset", "a", { from: 0.5 }, "USAGE"],
    ["an offset of 2³²", "a", { from: 2 ** 32 }, "USAGE"],
    ["a SHA-256 that isn't one", "a", { ifSha256: "12" }, "USAGE"],
    ["a token with a layer", ImageToken.parse("00"), { store: "runtime" }, "USAGE"],
  ] as const)("for %s", async (_, image, options, code) => {
    const { clock, dock, session } = await openSession();
    const read = watch(readAll(new ImageStore(session).stream(image, options)));
    await clock.settle();
    expect(read.code).toBe(code);
    expect(dock.said("request")).toEqual([]);
  });
});

test("more than the allowed bytes are TOO_LARGE with the limit, and the stream is cancelled", async () => {
  const { clock, dock, session } = await openSession();
  const read = watch(new ImageStore(session).get("default", { maxBytes: 9_999 }));
  await clock.settle();
  new Serving(dock, picture(10_000)).head();
  await clock.settle();
  expect(read.code).toBe("TOO_LARGE");
  expect(read.error.details).toEqual({ limit: 9_999 });
  expect(dock.said("cancel")).toHaveLength(1);
});

test("no more streams are open than the dock takes", async () => {
  const { clock, dock, session } = await openSession({ welcome: { limits: { ...USUAL_LIMITS, streams: 2 } } });
  const images = new ImageStore(session);
  for (const tag of ["a", "b", "c"]) void watch(images.stream(tag).info());
  for (let i = 0; i < 3; i++) {
    await clock.settle();
    new Serving(dock, picture(10)).head();
  }
  await clock.settle();
  expect(dock.said("request").map(({ params }) => params.tag)).toEqual(["a", "b"]);
  new Serving(dock, picture(10)).data(0, 10).result();
  await clock.settle();
  expect(dock.said("request").map(({ params }) => params.tag)).toEqual(["a", "b", "c"]);
});

test("a stream can be iterated over once", async () => {
  const { clock, session } = await openSession({ ...serving(picture(10)) });
  const stream = new ImageStore(session).stream("default");
  await clock.run(readAll(stream));
  const again = watch(readAll(stream));
  await clock.settle();
  expect(again.code).toBe("USAGE");
});

/** A dock that sends an image as it should. */
function serving(image: Uint8Array): Pick<ScriptedDockOptions, "hello" | "script"> {
  return honestDock({ images: { default: image } });
}
