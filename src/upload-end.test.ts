/** How an upload ends that doesn't go well: it is there whole or not at all, and the caller is told which (SPEC §5.2, §10). */
import { truncate } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { USUAL_LIMITS } from "../protocol/index.js";
import type { Outcome } from "./errors.js";
import { unwrap } from "./errors.js";
import { ImageStore } from "./image-store.js";
import type { OpenSource } from "./source.js";
import { PIECE, picture, sha256Of } from "./testing/picture.js";
import { END, image } from "./testing/reading.js";
import { Receiving, type Uploading, uploading } from "./testing/receiving.js";
import { fileOf } from "./testing/sources.js";
import { watch } from "./testing/watch.js";
import { openWritable } from "./testing/writable.js";
import { Upload } from "./upload.js";

/** How far an upload has come. */
const phases: readonly {
  readonly phase: string;
  readonly lacks: "something" | "nothing";
  readonly reach: (it: Uploading) => unknown;
}[] = [
  { phase: "was asked for", lacks: "nothing", reach: () => {} },
  { phase: "is being sent", lacks: "something", reach: ({ receiving }) => receiving.at(0, 2 * PIECE) },
  {
    phase: "has been resumed, and is being sent",
    lacks: "something",
    reach: ({ receiving }) => receiving.at(PIECE, 2 * PIECE),
  },
  { phase: "has been sent", lacks: "nothing", reach: ({ receiving }) => receiving.at(0, END) },
  { phase: "was there, but for its result", lacks: "nothing", reach: ({ receiving }) => receiving.at(END, END) },
];

describe.each(phases)("an upload that $phase", ({ lacks, reach }) => {
  async function reached(options: { readonly signal?: AbortSignal; readonly timeout?: number } = {}): Promise<Uploading> {
    const it = await uploading(image, options);
    reach(it);
    await it.clock.settle();
    return it;
  }

  const mayBeThere = lacks === "nothing";

  test("is cancelled when it is aborted, and is ABORTED when the dock says CANCELLED", async () => {
    const abort = new AbortController();
    const { clock, dock, put, receiving } = await reached({ signal: abort.signal });
    const { count } = receiving;
    abort.abort(new Error("enough"));
    await clock.settle();
    expect(put.code).toBe(mayBeThere ? "pending" : "ABORTED");
    expect(dock.said("cancel").map(({ id }) => id)).toEqual([receiving.id]);
    receiving.failure("CANCELLED");
    await clock.settle();
    expect(put.code).toBe("ABORTED");
    expect(put.error.cause).toEqual(new Error("enough"));
    receiving.credit(END).back(0, END);
    await clock.settle();
    expect(receiving.count).toBe(count);
    expect(clock.waiting).toBe(0);
  });

  if (mayBeThere)
    test("succeeds when it is aborted too late", async () => {
      const abort = new AbortController();
      const { clock, put, receiving } = await reached({ signal: abort.signal });
      abort.abort();
      await clock.settle();
      receiving.done();
      await clock.settle();
      expect(put.value).toMatchObject({ size: END });
      expect(clock.waiting).toBe(0);
    });

  test(`is ${mayBeThere ? "OUTCOME_UNKNOWN, 2 s later," : "ABORTED"} when the dock says nothing to the cancel`, async () => {
    const abort = new AbortController();
    const { clock, dock, put } = await reached({ signal: abort.signal });
    abort.abort();
    await clock.advance(2_000);
    expect(put.code).toBe(mayBeThere ? "OUTCOME_UNKNOWN" : "ABORTED");
    expect(dock.said("cancel").length).toBeGreaterThan(1);
    await clock.advance(8_000);
    expect(clock.waiting).toBe(0);
  });

  test("ends in the time that its caller gave, and is TIMEOUT when the dock says CANCELLED", async () => {
    const { clock, put, receiving } = await reached({ timeout: 1_200 });
    await clock.advance(1_200);
    receiving.failure("CANCELLED");
    await clock.settle();
    expect(put.code).toBe("TIMEOUT");
    expect(put.error.message).toContain("1200 ms");
    expect(clock.waiting).toBe(0);
  });

  const lost = mayBeThere ? "OUTCOME_UNKNOWN" : "LINK_LOST";
  test.each([
    { rule: "the line goes away", code: lost, end: ({ dock }: Uploading) => dock.hangUp() },
    { rule: "the dock has restarted", code: lost, end: ({ receiving }: Uploading) => receiving.failure("NO_SESSION") },
    { rule: "the dock is closed", code: mayBeThere ? lost : "CLOSED", end: ({ session }: Uploading) => void session.close() },
  ] as const)("is $code when $rule", async ({ code, end }) => {
    const it = await reached();
    const { count } = it.receiving;
    end(it);
    await it.clock.settle();
    expect(it.put.code).toBe(code);
    expect(it.receiving.count).toBe(count);
    expect(it.clock.waiting).toBe(0);
  });

  test.each([
    ["NO_SPACE", { free: 100, store: "runtime" }],
    ["TOO_LARGE", { limit: 1_000 }],
    ["READ_ONLY", { store: "runtime" }],
    ["BUSY", { retryable: true }],
    ["INVALID", {}],
    ["STALE", {}],
  ] as const)("fails with %s as the dock does, without a cancel", async (code, more) => {
    const { clock, dock, put, receiving } = await reached();
    receiving.failure(code, more);
    await clock.settle();
    const { retryable = false, ...details } = { retryable: undefined, ...more };
    expect(put.error).toMatchObject({ code, details, retryable });
    expect(dock.said("cancel")).toEqual([]);
    expect(clock.waiting).toBe(0);
  });
});

describe("an upload that isn't asked for yet", () => {
  test("is ABORTED while it waits for its turn, and the dock hears nothing of it", async () => {
    const { clock, dock, session } = await openWritable({ welcome: { limits: { ...USUAL_LIMITS, streams: 1 } } });
    const images = new ImageStore(session);
    const options = { store: "runtime", type: "none" } as const;
    const first = watch(images.put("first", image, options));
    const abort = new AbortController();
    const second = watch(images.put("second", image, { ...options, signal: abort.signal }));
    await clock.settle();
    abort.abort();
    await clock.settle();
    expect([first.code, second.code]).toEqual(["pending", "ABORTED"]);
    dock.hangUp();
    await clock.settle();
    expect(dock.said("request").map(({ params }) => params.tag)).toEqual(["first"]);
    expect(clock.waiting).toBe(0);
  });

  test("is LINK_LOST when the line goes away, although the one before it isn't known", async () => {
    const { clock, dock, session } = await openWritable({ welcome: { limits: { ...USUAL_LIMITS, streams: 1 } } });
    const images = new ImageStore(session);
    const puts = ["a", "b"].map((tag) => watch(images.put(tag, image, { store: "runtime", type: "none" })));
    await clock.settle();
    dock.hangUp();
    await clock.settle();
    expect(puts.map(({ code }) => code)).toEqual(["OUTCOME_UNKNOWN", "LINK_LOST"]);
  });

  test("is ABORTED while it is hashed", async () => {
    const abort = new AbortController();
    const { clock, dock, session } = await openWritable();
    const put = watch(
      new ImageStore(session).put("logo", picture(4 * 2 ** 20), { store: "runtime", type: "none", signal: abort.signal }),
    );
    await clock.settle();
    abort.abort();
    for (let i = 0; put.code === "pending" && i < 100; i++) await clock.settle();
    expect(put.code).toBe("ABORTED");
    expect(dock.said("request")).toEqual([]);
    expect(clock.waiting).toBe(0);
  });
});

describe("INTEGRITY", () => {
  test("is INTEGRITY when the bytes are still those that were hashed: it may work later", async () => {
    const { clock, put, receiving } = await uploading();
    receiving.at(0, END);
    await clock.settle();
    receiving.failure("INTEGRITY", { retryable: true });
    await clock.settle();
    expect(put.error).toMatchObject({ code: "INTEGRITY", retryable: true });
    expect(clock.waiting).toBe(0);
  });

  test("is CHANGED when the caller has changed the bytes meanwhile", async () => {
    const bytes = Uint8Array.from(image);
    const { clock, put, receiving } = await uploading(bytes);
    bytes[END - 1] = ~(bytes[END - 1] ?? 0);
    receiving.at(0, END);
    await clock.settle();
    receiving.failure("INTEGRITY", { retryable: true });
    await clock.settle();
    expect(put.code).toBe("CHANGED");
  });

  test("sends nothing more while it is looked at what was wrong", async () => {
    const large = picture(4 * 2 ** 20);
    const { clock, dock, put, receiving } = await uploading(large);
    receiving.at(0, PIECE);
    await clock.settle();
    const { length } = dock.heard;
    receiving.failure("INTEGRITY").credit(large.length);
    await clock.settle();
    expect(put.code).toBe("pending");
    await clock.advance(600);
    for (let i = 0; put.code === "pending" && i < 100; i++) await clock.settle();
    expect(put.code).toBe("INTEGRITY");
    expect(dock.heard).toHaveLength(length);
  });
});

describe("a source that fails in the middle", () => {
  /** Bytes that can be read up to the second piece, and fail then when `failing` is called. */
  function failing(error: unknown): { readonly source: OpenSource; readonly fail: () => void } {
    let fail = (): void => {};
    const source: OpenSource = {
      size: END,
      sha256: sha256Of(image),
      head: image.subarray(0, 18),
      read: (at, length) => {
        if (at < PIECE) return image.subarray(at, at + length);
        return new Promise((_, reject) => {
          fail = () => reject(error);
        });
      },
      changed: async () => undefined,
      async [Symbol.asyncDispose]() {},
    };
    return { source, fail: () => fail() };
  }

  test("is SOURCE with its cause, and the upload is cancelled", async () => {
    const { clock, dock, session } = await openWritable();
    const error = new Error("EIO");
    const { source, fail } = failing(error);
    const params = { tag: "logo", type: "none", size: END, sha256: source.sha256, store: "runtime" } as const;
    const settled = new Promise<Outcome<unknown>>((resolve) => new Upload(session, params, source, {}, resolve).begin());
    const put = watch(settled.then(unwrap));
    await clock.settle();
    const receiving = new Receiving(dock).at(0, END);
    await clock.settle();
    expect(receiving.count).toBe(PIECE);
    fail();
    await clock.settle();
    expect(put.error).toMatchObject({ code: "SOURCE", cause: error });
    expect(dock.said("cancel").map(({ id }) => id)).toEqual([receiving.id]);
    receiving.failure("CANCELLED");
    await clock.settle();
    expect(clock.waiting).toBe(0);
  });

  test("after the upload was aborted changes nothing", async () => {
    const { clock, dock, session } = await openWritable();
    const { source, fail } = failing(new Error("EIO"));
    const abort = new AbortController();
    const params = { tag: "logo", type: "none", size: END, sha256: source.sha256, store: "runtime" } as const;
    const settled = new Promise<Outcome<unknown>>((resolve) =>
      new Upload(session, params, source, { signal: abort.signal }, resolve).begin(),
    );
    const put = watch(settled.then(unwrap));
    await clock.settle();
    new Receiving(dock).at(0, END);
    await clock.settle();
    abort.abort();
    fail();
    await clock.settle();
    expect(put.code).toBe("ABORTED");
    expect(dock.said("cancel")).toHaveLength(1);
  });

  test("as a file that was cut meanwhile, is CHANGED", async () => {
    const file = await fileOf(picture(2 ** 20));
    const { clock, dock, ended, put, receiving } = await uploading({ file });
    await truncate(file, 10);
    receiving.at(0, 2 ** 20);
    await ended;
    await clock.settle();
    expect(put.code).toBe("CHANGED");
    expect(dock.said("cancel")).toHaveLength(1);
  });
});
