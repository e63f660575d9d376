/** A dock that lies costs one error with a code that says so, in bounded time, and never a wrong result (SPEC §5.5, §10). */
import { describe, expect, test } from "vitest";
import { type Item, USUAL_LIMITS } from "../protocol/index.js";
import { ImageStore } from "./image-store.js";
import { KvStore } from "./kv-store.js";
import { beginSession, openSession } from "./testing/open-session.js";
import { PIECE, picture, Serving, sha256Of } from "./testing/picture.js";
import { readAll } from "./testing/reader.js";
import type { Script, ScriptedDock } from "./testing/scripted-dock.js";
import { watch } from "./testing/watch.js";

const image = picture(20_000);
const SIZE = image.length;
const wrongSha = new Uint8Array(32);

/** What a hostile dock says to a request. */
type Lie = (it: Serving, dock: ScriptedDock) => unknown;

describe("a stream", () => {
  const big = { size: 200_000 };
  const one = Uint8Array.of(1);
  const lies: readonly { readonly lie: string; readonly code: string; readonly says: Lie }[] = [
    { lie: "more bytes than its size", code: "PROTOCOL", says: (it) => it.head({ size: 100 }).data(0, PIECE) },
    { lie: "fewer bytes than its size", code: "PROTOCOL", says: (it) => it.head({ size: 30_000 }).data(0, SIZE).result() },
    { lie: "an end before its size", code: "TIMEOUT", says: (it) => it.head(big).data(0, SIZE).result(0, big) },
    { lie: "an end before its bytes", code: "TIMEOUT", says: (it) => it.head().data(0, PIECE).result() },
    { lie: "a size of 2³² − 1 and nothing more", code: "TOO_LARGE", says: (it) => it.head({ size: 2 ** 32 - 1 }) },
    { lie: "a size of 200 MiB and nothing more", code: "TIMEOUT", says: (it) => it.head({ size: 200 * 2 ** 20 }) },
    { lie: "a size that is negative", code: "PROTOCOL", says: (it) => it.head({ size: -1 }) },
    { lie: "a size of 2³²", code: "PROTOCOL", says: (it) => it.head({ size: 2 ** 32 }) },
    { lie: "a size that is text", code: "PROTOCOL", says: (it) => it.head({ size: "20000" }) },
    { lie: "a type that there isn't", code: "PROTOCOL", says: (it) => it.head({ type: "svg" }) },
    { lie: "a head without anything", code: "PROTOCOL", says: (it) => it.item(15, {}) },
    { lie: "another size in a second head", code: "PROTOCOL", says: (it) => it.head().head({ size: SIZE + 1 }) },
    { lie: "another type in a second head", code: "PROTOCOL", says: (it) => it.head().head({ type: "bmp" }) },
    { lie: "another SHA-256 in a second head", code: "PROTOCOL", says: (it) => it.head().head({ sha256: wrongSha }) },
    { lie: "another size in its result", code: "PROTOCOL", says: (it) => it.head().data(0, SIZE).result(0, { size: 1 }) },
    { lie: "a result that isn't one", code: "PROTOCOL", says: (it) => it.head().data(0, SIZE).answer({}) },
    {
      lie: "a wrong SHA-256 in its result",
      code: "INTEGRITY",
      says: (it) => it.head().data(0, SIZE).result(0, { sha256: wrongSha }),
    },
    {
      lie: "a wrong SHA-256 in its head",
      code: "INTEGRITY",
      says: (it) => it.head({ sha256: wrongSha }).data(0, SIZE).result(),
    },
    { lie: "the head of another image", code: "PROTOCOL", says: (it) => it.head({ tag: "other" }) },
    { lie: "more than its credit", code: "PROTOCOL", says: (it) => it.head(big).at(it.credit, one) },
    { lie: "more than its credit before its head", code: "PROTOCOL", says: (it) => it.at(it.credit, one) },
    { lie: "a byte at 2³² − 1", code: "PROTOCOL", says: (it) => it.head(big).at(2 ** 32 - 1, one) },
    { lie: "bytes that are never the next ones", code: "TIMEOUT", says: (it) => it.head().data(PIECE, SIZE) },
    { lie: "data and a result without a head", code: "TIMEOUT", says: (it) => it.data(0, SIZE).result() },
    { lie: "nothing but heads", code: "TIMEOUT", says: (it) => it.head().head().head() },
    { lie: "nothing but pending", code: "TIMEOUT", says: (it) => it.pending() },
    { lie: "that it is over, again and again", code: "STALE", says: (it) => it.head().failure("STALE") },
    { lie: "that it was cancelled", code: "CANCELLED", says: (it) => it.failure("CANCELLED") },
    { lie: "what belongs to an upload", code: "TIMEOUT", says: (it) => it.item(17, 2 ** 32 - 1).item(18, 0, 2 ** 32 - 1) },
    { lie: "a failure without a message", code: "TIMEOUT", says: (it) => it.item(14, { code: "NOT_FOUND", retryable: false }) },
    { lie: "a failure that is no map", code: "TIMEOUT", says: (it) => it.item(14, "NOT_FOUND") },
    { lie: "data without bytes", code: "TIMEOUT", says: (it) => it.head().item(16, 0, new Uint8Array(0)) },
  ];

  test.each(lies)("that says $lie is $code", async ({ code, says }) => {
    const { clock, dock, session } = await openSession({ script: lying(says) });
    const read = watch(new ImageStore(session).get("default"));
    await clock.advance(60_000);
    expect(read.code).toBe(code);
    expect(read.error.message).toMatch(/default|image/);
    expect(session.over).toBeUndefined();
    if (code === "PROTOCOL" || code === "TIMEOUT") expect(dock.said("cancel").length).toBeGreaterThan(0);
    await session.close();
    expect(clock.waiting).toBe(0);
  });

  test("that says more after its result has said all", async () => {
    const says: Lie = (it) => {
      it.head().data(0, SIZE).result().result(0, { size: 1 }).head({ size: 7 }).data(0, SIZE);
      it.failure("INTEGRITY").failure("NO_SESSION");
    };
    const { clock, session } = await openSession({ script: lying(says) });
    const { data } = await clock.run(new ImageStore(session).get("default"));
    expect(sha256Of(data)).toEqual(sha256Of(image));
    expect(session.over).toBeUndefined();
  });

  test("in crumbs is PROTOCOL when nobody takes them: they cost memory that no credit counts", async () => {
    const crumbs: Lie = (it) => {
      it.head(big);
      for (let i = 0; i < 10_000; i++) it.at(i, one);
    };
    const { clock, session } = await openSession({ script: lying(crumbs) });
    const stream = new ImageStore(session).stream("default");
    const info = watch(stream.info());
    await clock.settle();
    expect(info.code).toBe("done");
    const read = watch(readAll(stream));
    await clock.settle();
    expect(read.code).toBe("PROTOCOL");
  });

  test("below the offset that was asked for is PROTOCOL", async () => {
    const { clock, session } = await openSession({ script: lying((it) => it.head()) });
    const read = watch(new ImageStore(session).stream("default", { from: SIZE + 1 }).info());
    await clock.settle();
    expect(read.code).toBe("PROTOCOL");
  });
});

describe("an answer", () => {
  const value = (inner: Item): { readonly [key: string]: Item } => ({
    found: true,
    value: inner,
    store: "factory",
    upd: false,
  });
  const lies: readonly { readonly lie: string; readonly code: string; readonly says: Lie }[] = [
    { lie: "that was for another question", code: "PROTOCOL", says: (it) => it.answer({ size: 1, sha256: wrongSha }) },
    { lie: "that is an array instead of a map", code: "TIMEOUT", says: (it) => it.item(13, []) },
    { lie: "whose value is nested 17 deep", code: "PROTOCOL", says: (it) => it.item(13, value(nested(17))) },
    {
      lie: "that is nested 1,000 deep",
      code: "TIMEOUT",
      says: (it, dock) => dock.sendBody(claim(it.id, `${"81".repeat(1_000)}01`)),
    },
    {
      lie: "that claims 2⁶⁴ − 1 items",
      code: "TIMEOUT",
      says: (it, dock) => dock.sendBody(claim(it.id, "9bffffffffffffffff")),
    },
    { lie: "that claims 4 GiB of bytes", code: "TIMEOUT", says: (it, dock) => dock.sendBody(claim(it.id, "5affffffff")) },
    { lie: "that claims 4 GiB of text", code: "TIMEOUT", says: (it, dock) => dock.sendBody(claim(it.id, "7affffffff")) },
    { lie: "of more than a body can have", code: "TIMEOUT", says: (it) => it.item(13, value("x".repeat(9_000))) },
    { lie: "that never comes, but for pending", code: "TIMEOUT", says: (it) => it.pending() },
    { lie: "that is a stream", code: "TIMEOUT", says: (it) => it.head().data(0, SIZE) },
  ];

  test.each(lies)("$lie is $code", async ({ code, says }) => {
    const { clock, session } = await openSession({ script: lying(says) });
    const asked = watch(new KvStore(session).get("timezone"));
    await clock.advance(30_000);
    expect(asked.code).toBe(code);
    await session.close();
    expect(clock.waiting).toBe(0);
  });

  test("to ids that were never asked, 5,000 of them, doesn't hide the one that was", async () => {
    const says: Lie = (it, dock) => {
      for (let i = 1; i <= 5_000; i++) dock.result(i === it.id ? i + 1 : i, { found: false });
      dock.failure(it.id + 1, "NO_SESSION");
      it.answer(value("GMT"));
    };
    const { clock, session } = await openSession({ script: lying(says) });
    expect(await clock.run(new KvStore(session).get("timezone"))).toBe("GMT");
  });

  test("is found in a flood of logs and text, which is handed up", async () => {
    let logs = 0;
    let text = 0;
    const says: Lie = (it, dock) => {
      for (let i = 0; i < 1_000; i++) {
        dock.send({ type: "log", level: "debug", text: "x".repeat(1_024) });
        dock.raw(`line ${i}\r\n\0`);
      }
      it.answer(value("GMT"));
    };
    const onLog = (): void => {
      logs++;
    };
    const onText = (some: string): void => {
      text += some.length;
    };
    const { clock, session } = await openSession({ script: lying(says), session: { onLog, onText } });
    expect(await clock.run(new KvStore(session).get("timezone"))).toBe("GMT");
    expect(logs).toBe(1_000);
    expect(text).toBeGreaterThan(8_000);
  });

  function nested(depth: number): Item {
    let item: Item = 1;
    for (let i = 0; i < depth; i++) item = [item];
    return item;
  }
});

describe("a list", () => {
  /** Pages after which it must have been found out. */
  const ENOUGH = 300;
  const entry = (name: string): Item => [name, "factory", 1, false];
  const page = (entries: Item[], cursor: number): { readonly [key: string]: Item } => ({
    entries,
    generation: 1,
    cursor: Uint8Array.from([cursor >> 16, cursor >> 8, cursor, 1]),
  });
  const names = (from: number): Item[] => Array.from({ length: 400 }, (_, i) => entry(String(from + i).padStart(7, "0")));

  const lies: readonly { readonly lie: string; readonly says: (asked: number) => { readonly [key: string]: Item } }[] = [
    { lie: "of a million entries", says: (asked) => page(names(asked * 400), asked) },
    { lie: "whose first page comes again and again", says: () => page(names(0), 7) },
    { lie: "with an empty page in the middle", says: (asked) => page([], asked) },
  ];

  test.each(lies)("$lie is PROTOCOL", async ({ says }) => {
    let asked = 0;
    const script = lying((it) => asked < ENOUGH && it.answer(says(asked++)));
    const { clock, session } = await openSession({ script });
    const listed = new KvStore(session).list();
    const watched = watch(listed);
    await clock.run(Promise.allSettled([listed]));
    expect(watched.code).toBe("PROTOCOL");
    expect(asked).toBeLessThan(ENOUGH);
  });

  test("that gives the same page each second is PROTOCOL within minutes", async () => {
    const says: Lie = (it) => clock.after(1_000, () => it.answer(page([entry("a")], 7)));
    const { clock, session } = await openSession({ script: lying(says) });
    const listed = watch(new KvStore(session).list());
    await clock.advance(5 * 60_000);
    expect(listed.code).toBe("PROTOCOL");
    await session.close();
  });

  test("that is STALE for ever is begun again three times", async () => {
    const { clock, dock, session } = await openSession({ script: lying((it) => it.failure("STALE")) });
    const listed = watch(new KvStore(session).list());
    await clock.settle();
    expect(listed.code).toBe("STALE");
    expect(dock.said("request")).toHaveLength(4);
  });

  test.each([
    ["an entry that is no array", ["a"]],
    ["an entry with fewer items", [["a", "factory", 1]]],
    ["an entry of an empty name", [["", "factory", 1, false]]],
    ["an entry of a layer that there isn't", [["a", "flash", 1, false]]],
  ])("with %s is PROTOCOL", async (_, entries) => {
    const { clock, session } = await openSession({
      script: lying((it) => it.answer({ entries, generation: 1 })),
    });
    const listed = watch(new KvStore(session).list());
    await clock.settle();
    expect(listed.code).toBe("PROTOCOL");
  });
});

describe("a handshake", () => {
  test("with two welcomes takes the first", async () => {
    const twice: Script = (message, dock) => {
      if (message.type !== "hello") return;
      dock.welcome(message);
      dock.welcome(message, { dock: { id: "another", model: "", name: "" } });
    };
    const { session } = await openSession({ hello: twice });
    expect(session.welcome.dock.id).toBe("RW02-0005");
  });

  test.each([
    ["no room for a body", { maxBody: 0 }],
    ["bodies of 4 GiB", { maxBody: 2 ** 32 - 1 }],
    ["no request", { requests: 0 }],
    ["a million requests", { requests: 1_000_000 }],
    ["no stream", { streams: 0 }],
    ["a negative window", { window: -1 }],
    ["values of 4 GiB", { valueBytes: 2 ** 32 - 1 }],
    ["half a byte in a tag", { tagBytes: 0.5 }],
  ])("whose limits allow %s is NO_ANSWER", async (_, limits) => {
    const says: Script = (message, dock) => {
      if (message.type !== "hello") return;
      const dockItself = { id: "x", model: "", name: "" };
      const { nonce } = message.hello;
      const rest = { version: 1, nonce, bootId: new Uint8Array(8), dock: dockItself, features: [], stores: ["factory"] };
      dock.sendItem([12, { ...rest, limits: { ...USUAL_LIMITS, ...limits } }]);
    };
    const { clock, opening } = beginSession({ hello: says });
    await clock.advance(5_000);
    expect(opening.code).toBe("NO_ANSWER");
  });
});

/** A dock that says the same to each request. */
function lying(says: Lie): Script {
  return (message, dock) => {
    if (message.type === "request") says(new Serving(dock, image), dock);
  };
}

/** An answer whose value claims to be larger than the frame. */
function claim(id: number, item: string): Uint8Array {
  const answer = Buffer.alloc(7);
  answer.set([0x83, 0x0d, 0x1a]);
  answer.writeUInt32BE(id, 3);
  return Buffer.concat([answer, Buffer.from(item, "hex")]);
}
