/** What is special about images, besides their streams (stream.test.ts). */
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { DockError } from "./errors.js";
import { ImageStore, ImageToken } from "./image-store.js";
import { type OpenBench, openSession } from "./testing/open-session.js";
import { headOf, picture, Serving, sha256Of } from "./testing/picture.js";
import { readAll } from "./testing/reader.js";
import type { Script } from "./testing/scripted-dock.js";
import { watch } from "./testing/watch.js";
import { openWritable } from "./testing/writable.js";

const image = picture(1_000);
const sha256 = sha256Of(image);

describe("list", () => {
  test("gives the images with type, size, layer, and SHA-256 where the dock knows it", async () => {
    const entries = [
      ["default", "png", 1_000, "factory", sha256],
      ["logo", "none", 0, "runtime"],
    ];
    const { clock, session } = await openSession({ script: answering("image.list", { entries, generation: 3 }) });
    expect(await clock.run(new ImageStore(session).list())).toEqual([
      { tag: "default", type: "png", size: 1_000, store: "factory", sha256: sha256.toString("hex") },
      { tag: "logo", type: "none", size: 0, store: "runtime" },
    ]);
  });
});

describe("a token", () => {
  test("stands for an image: it is asked for by the tag, and is then given in its place", async () => {
    const script: Script = (message, dock) => {
      if (message.type !== "request") return;
      if (message.op === "image.token") return dock.result(message.id, { token: Uint8Array.of(0, 255, 16), store: "factory" });
      const { tag: _, ...meta } = headOf(image);
      dock.send({ type: "head", id: message.id, meta });
      new Serving(dock, image).data(0, image.length).result();
    };
    const { clock, dock, session } = await openSession({ script });
    const images = new ImageStore(session);
    const token = await clock.run(images.getToken("default"));
    expect(token.toString()).toBe("00ff10");
    expect(dock.last("request").params).toEqual({ tag: "default" });
    const { data } = await clock.run(images.get(token));
    expect(sha256Of(data)).toEqual(sha256);
    expect(dock.last("request").params.token).toEqual(Buffer.from("00ff10", "hex"));
  });

  test("is read from what it was written as, in any case", () => {
    expect(ImageToken.parse("00ff10").bytes).toEqual(Uint8Array.of(0, 255, 16));
    expect(ImageToken.parse("00FF10").toString()).toBe("00ff10");
    expect(ImageToken.parse("ab".repeat(64)).bytes).toHaveLength(64);
  });

  test.each(["", "0", "0g", "abc", "ab".repeat(65), " 00", "00\n", "0x00", "zz"])("can't be read from %j: USAGE", (text) => {
    expect(errorOf(() => ImageToken.parse(text)).code).toBe("USAGE");
  });

  test.each([0, 65])("can't have %i bytes: USAGE", (length) => {
    expect(errorOf(() => new ImageToken(new Uint8Array(length))).code).toBe("USAGE");
  });

  test("keeps its bytes when those that it was made of change", () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const token = new ImageToken(bytes);
    bytes.fill(9);
    expect(token.toString()).toBe("010203");
  });

  test("that is over is STALE", async () => {
    const script: Script = (message, dock) => {
      if (message.type === "request") dock.failure(message.id, "STALE");
    };
    const { clock, dock, session } = await openSession({ script });
    const read = watch(new ImageStore(session).get(ImageToken.parse("00")));
    await clock.settle();
    expect(read.code).toBe("STALE");
    expect(dock.said("request")).toHaveLength(1);
  });
});

describe("the applications' images", () => {
  const onlyIn = (layer: string): Script => {
    return (message, dock) => {
      if (message.type !== "request") return;
      if (message.params.store !== layer) return dock.failure(message.id, "NOT_FOUND");
      if (message.op === "image.token") return dock.result(message.id, { token: Uint8Array.of(7), store: layer });
      new Serving(dock, image).head({ store: layer }).data(0, image.length).result();
    };
  };

  test("are looked for in ephemeral, then in runtime", async () => {
    const { clock, dock, session } = await openSession({ script: onlyIn("runtime") });
    const images = new ImageStore(session);
    expect((await clock.run(images.get("default", { store: "application" }))).store).toBe("runtime");
    expect(`${await clock.run(images.getToken("default", { store: "application" }))}`).toBe("07");
    expect(dock.said("request").map(({ params }) => params.store)).toEqual(["ephemeral", "runtime", "ephemeral", "runtime"]);
  });

  test("are NOT_FOUND when neither has it, even if factory has", async () => {
    const { clock, dock, session } = await openSession({ script: onlyIn("factory") });
    const read = watch(readAll(new ImageStore(session).stream("default", { store: "application" })));
    await clock.settle();
    expect(read.code).toBe("NOT_FOUND");
    expect(dock.said("request")).toHaveLength(2);
  });

  test("aren't looked for any further after another failure", async () => {
    const script: Script = (message, dock) => {
      if (message.type === "request") dock.failure(message.id, "INTERNAL");
    };
    const { clock, dock, session } = await openSession({ script });
    const read = watch(new ImageStore(session).get("default", { store: "application" }));
    await clock.settle();
    expect(read.code).toBe("INTERNAL");
    expect(dock.said("request")).toHaveLength(1);
  });
});

describe("a stream", () => {
  test("asks for nothing until somebody wants something", async () => {
    const { clock, dock, session } = await openSession();
    const stream = new ImageStore(session).stream("default");
    await clock.settle();
    expect(dock.said("request")).toEqual([]);
    await stream.cancel();
    expect(dock.said("request")).toEqual([]);
  });

  test("asks once, though info and bytes are wanted at the same time", async () => {
    const { clock, dock, session } = await openSession();
    const stream = new ImageStore(session).stream("default");
    const all = watch(Promise.all([stream.info(), stream.info(), readAll(stream)]));
    await clock.settle();
    new Serving(dock, image).head().data(0, image.length).result();
    await clock.settle();
    expect(all.value[2].equals(image)).toBe(true);
    expect(dock.said("request")).toHaveLength(1);
  });

  test("can be cancelled after it has failed", async () => {
    const script: Script = (message, dock) => {
      if (message.type === "request") dock.failure(message.id, "NOT_FOUND");
    };
    const { clock, session } = await openSession({ script });
    const stream = new ImageStore(session).stream("default");
    const info = watch(stream.info());
    await clock.settle();
    expect(info.code).toBe("NOT_FOUND");
    const cancelled = watch(stream.cancel());
    await clock.settle();
    expect(cancelled.code).toBe("done");
  });

  test("can be cancelled at once while the dock hasn't answered", async () => {
    const { clock, dock, session } = await openSession();
    const stream = new ImageStore(session).stream("default");
    const info = watch(stream.info());
    await clock.settle();
    const cancelled = watch(stream.cancel());
    await clock.settle();
    expect(info.code).toBe("ABORTED");
    expect(cancelled.code).toBe("done");
    expect(dock.said("cancel")).toHaveLength(1);
  });
});

describe("a put of a stream that gives nothing", () => {
  test.each<[string, (it: OpenBench) => unknown]>([
    ["CLOSED when the dock is closed", ({ session }) => session.close()],
    ["LINK_LOST when the line goes away", ({ dock }) => dock.hangUp()],
  ])("is %s, and leaves the stream", async (code, end) => {
    const bench = await openWritable();
    const endless = new PassThrough();
    const put = watch(new ImageStore(bench.session).put("logo", endless, { store: "runtime" }));
    await bench.clock.settle();
    expect(put.code).toBe("pending");
    end(bench);
    await bench.clock.settle();
    expect(put.code).toBe(code.split(" ")[0]);
    expect(endless.destroyed).toBe(true);
    expect(bench.clock.waiting).toBe(0);
  });
});

test("a write without options, as from JavaScript, is USAGE, and nothing is sent", async () => {
  const { clock, dock, session } = await openWritable();
  const images = new ImageStore(session);
  // @ts-expect-error: the layer to write to is missing
  const writes = [images.put("logo", image), images.delete("logo")].map((it: Promise<unknown>) => watch(it));
  await clock.settle();
  expect(writes.map(({ code }) => code)).toEqual(["USAGE", "USAGE"]);
  expect(dock.said("request")).toEqual([]);
});

describe("a time that isn't one", () => {
  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])("of %d ms is USAGE", async (timeout) => {
    const { clock, dock, session } = await openSession();
    const read = watch(new ImageStore(session).get("default", { timeout }));
    await clock.settle();
    expect(read.code).toBe("USAGE");
    expect(dock.said("request")).toEqual([]);
  });
});

function answering(op: string, value: Parameters<Parameters<Script>[1]["result"]>[1]): Script {
  return (message, dock) => {
    if (message.type === "request" && message.op === op) dock.result(message.id, value);
  };
}

function errorOf(call: () => unknown): DockError {
  try {
    call();
  } catch (error) {
    if (error instanceof DockError) return error;
    throw error;
  }
  throw new Error("it didn't fail");
}
