import { getEventListeners } from "node:events";
import { Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";
import { describe, expect, test } from "vitest";
import { DockError } from "./errors.js";
import { type ImageSource, openSource } from "./source.js";
import { picture } from "./testing/picture.js";
import { chunksOf, readThrough, refusal } from "./testing/sources.js";

const image = picture(700_001);

describe("a stream", () => {
  test("may use the memory of its pieces again", async () => {
    async function* reusing(): AsyncGenerator<Uint8Array> {
      const memory = new Uint8Array(1_000);
      for (const chunk of chunksOf(image, 1_000)) {
        memory.set(chunk);
        yield memory.subarray(0, chunk.length);
      }
    }
    await using source = await openSource(reusing());
    expect(Buffer.compare((await readThrough(source)).bytes, image)).toBe(0);
  });

  test("may have as many bytes as are allowed, and no more", async () => {
    await using source = await openSource(chunksOf(image, 999), { maxBytes: image.length });
    expect(source.size).toBe(image.length);
    const error = await refusal(chunksOf(image, 999), { maxBytes: image.length - 1 });
    expect(error.code).toBe("TOO_LARGE");
    expect(error.details.limit).toBe(image.length - 1);
  });

  test("that fails is SOURCE, with what it failed with, though that has a code of its own", async () => {
    const cause = new DockError({ code: "LINK_LOST", message: "The other dock is gone." });
    const error = await refusal(failing(cause));
    expect(error.code).toBe("SOURCE");
    expect(error.cause).toBe(cause);
    expect(error.message).toContain("The other dock is gone.");
  });

  test("that can't be begun is SOURCE", async () => {
    const stream = ReadableStream.from<Uint8Array>([image]);
    stream.getReader();
    expect((await refusal(stream)).code).toBe("SOURCE");
  });

  test("leaves no listener on the signal", async () => {
    const { signal } = new AbortController();
    await openSource([image], { signal });
    await refusal(failing(new Error("broken")), { signal });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

describe.each<[string, (first: Uint8Array) => Stalling]>([
  ["a generator", stallingGenerator],
  ["an iterator", stallingIterator],
  ["a Readable", stallingReadable],
  ["a web stream", stallingWebStream],
])("%s is left", (kind, stalling) => {
  test("when it gives too much", async () => {
    const { stream, left } = stalling(image);
    expect((await refusal(stream, { maxBytes: 1_000 })).code).toBe("TOO_LARGE");
    await left;
  });

  test("when it gives what isn't bytes", async () => {
    const { stream, left } = stalling(JSON.parse("[1, 2]"));
    expect((await refusal(stream)).code).toBe("USAGE");
    await left;
  });

  test("when the signal comes while it gives nothing", async () => {
    const abort = new AbortController();
    const { stream, left, stalled, goOn } = stalling(image);
    const opening = refusal(stream, { signal: abort.signal });
    await stalled;
    abort.abort();
    expect((await opening).code).toBe("ABORTED");
    if (kind === "a generator") goOn(); // its `return` has its turn after what it is doing
    await left;
  });

  test("when the signal has come before", async () => {
    const { stream, left } = stalling(image);
    expect((await refusal(stream, { signal: AbortSignal.abort() })).code).toBe("ABORTED");
    if (kind !== "a generator") await left; // one that hasn't begun has nothing to leave
  });
});

async function* failing(cause: Error): AsyncGenerator<Uint8Array> {
  yield image;
  throw cause;
}

interface Stalling {
  readonly stream: ImageSource;
  /** Settles when the stream is asked for more than it has. */
  readonly stalled: Promise<unknown>;
  /** Settles when the stream has been left. */
  readonly left: Promise<unknown>;
  /** Lets it give on. */
  readonly goOn: () => void;
}

/** An event that a test can wait for. */
function event(): { readonly came: Promise<void>; readonly come: () => void } {
  let come = (): void => {};
  const came = new Promise<void>((resolve) => {
    come = resolve;
  });
  return { came, come };
}

function stallingGenerator(first: Uint8Array): Stalling {
  const [stalled, left, goOn] = [event(), event(), event()];
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      yield first;
      stalled.come();
      await goOn.came;
      yield first;
    } finally {
      left.come();
    }
  }
  return { stream: pieces(), stalled: stalled.came, left: left.came, goOn: goOn.come };
}

function stallingIterator(first: Uint8Array): Stalling {
  const [stalled, left, goOn] = [event(), event(), event()];
  let asked = 0;
  const iterator = {
    async next() {
      if (asked++ > 0) {
        stalled.come();
        await goOn.came;
      }
      return { done: false, value: first };
    },
    async return() {
      left.come();
      throw new Error("what becomes of it doesn't matter");
    },
  };
  return {
    stream: { [Symbol.asyncIterator]: () => iterator },
    stalled: stalled.came,
    left: left.came,
    goOn: goOn.come,
  };
}

function stallingReadable(first: Uint8Array): Stalling {
  const [stalled, left] = [event(), event()];
  let asked = 0;
  const stream = new Readable({
    objectMode: true,
    highWaterMark: 1,
    read() {
      if (asked++ === 0) this.push(first);
      else stalled.come();
    },
    destroy(error, done) {
      left.come();
      done(error);
    },
  });
  return { stream, stalled: stalled.came, left: left.came, goOn: () => {} };
}

function stallingWebStream(first: Uint8Array): Stalling {
  const [stalled, left] = [event(), event()];
  let asked = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (asked++ === 0) return controller.enqueue(first);
        stalled.come();
        return new Promise(() => {});
      },
      cancel: left.come,
    },
    { highWaterMark: 0 },
  );
  return { stream: stream, stalled: stalled.came, left: left.came, goOn: () => {} };
}
