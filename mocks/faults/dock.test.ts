import { describe, expect, test } from "vitest";
import type { DockMessage, HostMessage, Item, Welcome } from "../../protocol/index.js";
import { USUAL_LIMITS } from "../../protocol/index.js";
import { Faults } from "../faults.js";
import { Random } from "../random.js";
import { parseFault } from "./parse.js";
import { ManualClock } from "./testing/manual-clock.js";
import { RecordedDock } from "./testing/recorded-dock.js";

interface Faulty {
  readonly dock: RecordedDock;
  readonly clock: ManualClock;
  readonly hear: (message: HostMessage) => boolean;
  readonly say: (message: DockMessage) => readonly DockMessage[];
  readonly count: () => number;
}

function faulty(text: string, seed = 1): Faulty {
  const clock = new ManualClock();
  const faults = new Faults(clock);
  const fault = parseFault(text, new Random(seed));
  faults.add(fault);
  const dock = new RecordedDock(clock);
  const count = (): number => faults.counts.get(fault.kind) ?? 0;
  return { dock, clock, hear: (it) => faults.hear(it, dock), say: (it) => faults.say(it, dock), count };
}

const nonce = new Uint8Array(8);
const hello: HostMessage = { type: "hello", hello: { versions: [1], nonce, maxBody: 8_256, software: "test" } };
const cancel = (id: number): HostMessage => ({ type: "cancel", id });
const hostData = (length: number): HostMessage => ({ type: "hostData", id: 1, offset: 0, bytes: new Uint8Array(length) });
const dockData = (id: number, length = 100): DockMessage => ({
  type: "dockData",
  id,
  offset: 0,
  bytes: new Uint8Array(length),
});
const result = (id: number): DockMessage => ({ type: "result", id, value: {} });

function request(id: number, op = "kv.get", params: Record<string, Item> = { key: "timezone" }): HostMessage {
  return { type: "request", id, op, params };
}

/** @param resumed whether the session of before goes on */
function welcome(resumed: Pick<Welcome, "resumed"> = {}): DockMessage {
  const limits = { ...USUAL_LIMITS };
  const dock = { id: "1", model: "mock", name: "MOCK-0001" };
  const stores: Welcome["stores"] = ["factory"];
  return { type: "welcome", welcome: { version: 1, nonce, bootId: nonce, dock, limits, features: [], stores, ...resumed } };
}

/** How many of 2,000 new requests are taken, and of which ids. */
function taken(text: string, seed = 1, op?: string, params?: Record<string, Item>): number[] {
  const { hear } = faulty(text, seed);
  return Array.from({ length: 2_000 }, (_, i) => i + 1).filter((id) => hear(request(id, op, params)));
}

const writes = ["kv.set", { key: "a", value: 1, store: "runtime" }] as const;

test.each([
  ["busy:rate=0.1", ...writes],
  ["full:rate=0.1", ...writes],
  ["slow:rate=0.1", ...writes],
] as const)("%s meets about as many requests as it says, the same ones with the same seed", (text, op, params) => {
  const ids = taken(text, 1, op, params);
  expect(Math.abs(ids.length - 200)).toBeLessThan(60); // 13 is the standard deviation
  expect(taken(text, 1, op, params)).toEqual(ids);
  expect(taken(text, 2, op, params)).not.toEqual(ids);
});

describe("restart", () => {
  test("comes at the message that brings the byte asked for, which isn't heard", () => {
    const { dock, clock, hear, count } = faulty("restart:at=250,way=toDock");
    expect([hear(hostData(100)), hear(hostData(100)), hear(hostData(100))]).toEqual([false, false, true]);
    expect(dock.did).toEqual([]); // the dock is busy with that message
    clock.advance(0);
    expect(dock.did).toEqual(["restart"]);
    expect(count()).toBe(1);
    expect(hear(hostData(100))).toBe(false);
  });

  test("comes at the message that would take the byte asked for away, which isn't said", () => {
    const { dock, clock, say } = faulty("restart:at=250,way=toHost");
    expect([1, 2, 3].map(() => say(dockData(1)).length)).toEqual([1, 1, 0]);
    clock.advance(0);
    expect(dock.did).toEqual(["restart"]);
  });

  test("counts any other message as one byte", () => {
    const { hear, say } = faulty("restart:at=3");
    expect(hear(request(1))).toBe(false);
    expect(say(result(1))).toHaveLength(1);
    expect(hear(request(2))).toBe(true);
  });

  test("hears and says nothing while it is away", () => {
    const { dock, clock, hear, say } = faulty("restart:at=1,way=toDock,ms=500");
    hear(request(1));
    clock.advance(499);
    expect(hear(hello)).toBe(true);
    expect(say(result(1))).toEqual([]);
    expect(dock.did).toEqual([]);
    clock.advance(1);
    expect(dock.did).toEqual(["restart"]);
    expect(hear(hello)).toBe(false);
    expect(say(result(1))).toHaveLength(1);
  });
});

test("restart at what is said has the dock hear nothing either while it is away", () => {
  const { hear, say } = faulty("restart:at=1,way=toHost,ms=500");
  expect(hear(hello)).toBe(false);
  say(result(1));
  expect(hear(hello)).toBe(true);
});

describe("slow", () => {
  test("has a request carried out later, and says pending each 200 ms meanwhile", () => {
    const { dock, clock, hear, count } = faulty("slow:ms=500");
    expect(hear(request(1))).toBe(true);
    clock.advance(199);
    expect(dock.said).toEqual([]);
    clock.advance(300);
    expect(dock.said).toEqual([1, 1].map((id) => ({ type: "pending", id })));
    expect(dock.heard).toEqual([]);
    clock.advance(1);
    expect(dock.heard).toEqual([request(1)]);
    expect(clock.waiting).toBe(0);
    expect(count()).toBe(1);
  });

  test("answers a repetition with pending, and does nothing else", () => {
    const { dock, clock, hear, count } = faulty("slow:ms=100");
    hear(request(1));
    expect(hear(request(1))).toBe(true);
    expect(dock.said).toEqual([{ type: "pending", id: 1 }]);
    clock.advance(1_000);
    expect(dock.heard).toHaveLength(1);
    expect(count()).toBe(1);
  });

  test("leaves a cancel to the dock, and doesn't carry out what was cancelled", () => {
    const { dock, clock, hear } = faulty("slow:ms=100");
    hear(request(1));
    expect(hear(cancel(1))).toBe(false);
    clock.advance(1_000);
    expect(dock.heard).toEqual([]);
  });

  test("drops with a hello what it has kept", () => {
    const { dock, clock, hear } = faulty("slow:ms=100");
    hear(request(1));
    expect(hear(hello)).toBe(false);
    clock.advance(1_000);
    expect(dock.heard).toEqual([]);
    expect(dock.said).toEqual([]);
  });

  test("keeps 1,024 requests at most", () => {
    const { hear } = faulty("slow:ms=100");
    const kept = Array.from({ length: 1_100 }, (_, i) => hear(request(i + 1)));
    expect(kept.filter((it) => it)).toHaveLength(1_024);
  });
});

describe.each([
  ["busy", "BUSY", true],
  ["full", "NO_SPACE", false],
] as const)("%s", (kind, code, retryable) => {
  const write = (id: number): HostMessage => request(id, ...writes);

  test(`answers ${code}, which the dock never sees`, () => {
    const { dock, hear, count } = faulty(`${kind}:at=1`);
    expect(hear(write(1))).toBe(true);
    expect(dock.said).toMatchObject([{ type: "failure", id: 1, failure: { code, retryable } }]);
    expect(count()).toBe(1);
    expect(hear(write(2))).toBe(false);
  });

  test("answers the same to a repetition and to a cancel, and counts once", () => {
    const { dock, hear, count } = faulty(`${kind}:at=1`);
    for (const message of [write(1), write(1), cancel(1)]) expect(hear(message)).toBe(true);
    const [first, ...more] = dock.said;
    expect(more).toEqual([first, first]);
    expect(count()).toBe(1);
  });

  test("doesn't refuse what has arrived before, nor what was cancelled before", () => {
    const { hear } = faulty(`${kind}:at=3`);
    const heard = [write(5), cancel(6), write(6), write(5), write(4), write(7), write(8)].map(hear);
    expect(heard).toEqual([false, false, false, false, false, false, true]);
  });

  test("takes ids up again from 1", () => {
    const { hear } = faulty(`${kind}:at=2`);
    expect([write(2 ** 32 - 1), write(1)].map(hear)).toEqual([false, true]);
  });

  test("forgets with a new session what was refused, but not with one that goes on", () => {
    const { hear, say } = faulty(`${kind}:at=1`);
    hear(write(1));
    say(welcome({ resumed: true }));
    expect(hear(write(1))).toBe(true);
    say(welcome());
    expect(hear(write(1))).toBe(false);
  });

  test("can refuse lower ids in a new session", () => {
    const { hear, say } = faulty(`${kind}:at=2`);
    hear(write(100));
    say(welcome());
    expect(hear(write(7))).toBe(true);
  });
});

test("full refuses only kv.set and image.put, and says which layer", () => {
  const { dock, hear } = faulty("full:rate=1");
  const store = "runtime";
  const ops = ["kv.get", "kv.delete", "image.delete", "txn.commit", "kv.set", "image.put"];
  expect(ops.map((op, i) => hear(request(i + 1, op, { store })))).toEqual([false, false, false, false, true, true]);
  expect(dock.said).toMatchObject([{ failure: { store, free: 0 } }, { failure: { store, free: 0 } }]);
});

test("forget ends the session, has the dock hear what comes, and spares a hello", () => {
  const { dock, hear, count } = faulty("forget:at=2");
  for (const message of [request(1), hello]) expect(hear(message)).toBe(false);
  expect(dock.did).toEqual([]);
  expect(hear(request(2))).toBe(false);
  expect(dock.did).toEqual(["forget"]);
  expect(count()).toBe(1);
});

describe("replace", () => {
  const bytes = Buffer.from("an image of no type that anybody knows");
  const png = Buffer.concat([Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), bytes]);
  const head = (store: string): DockMessage => ({ type: "head", id: 1, meta: { tag: "it", type: "none", size: 1, store } });

  test.each(["runtime", "ephemeral"] as const)(
    "puts another image of the same type and size into %s while it is said",
    (store) => {
      const { dock, say, count } = faulty("replace:at=2");
      dock.model.fillImage(store, "it", "png", png);
      for (const message of [head(store), dockData(1)]) expect(say(message)).toEqual([message]);
      expect(dock.model.image("it", store)?.bytes).toEqual(png);
      expect(say(dockData(1))).toEqual([dockData(1)]);
      const now = dock.model.image("it", store);
      expect(now?.type).toBe("png");
      expect(now?.bytes).toHaveLength(png.length);
      expect(now?.bytes).not.toEqual(png);
      expect(count()).toBe(1);
    },
  );

  test("replaces an image of one byte", () => {
    const { dock, say } = faulty("replace:at=1");
    dock.model.fillImage("runtime", "it", "none", Uint8Array.of(1));
    for (const message of [head("runtime"), dockData(1)]) say(message);
    expect([...(dock.model.image("it", "runtime")?.bytes ?? [])]).toEqual([0xfe]);
  });

  test("leaves factory alone, and what isn't read", () => {
    const { dock, say, count } = faulty("replace:rate=1");
    for (const store of ["factory", "runtime"] as const) dock.model.fillImage(store, "it", "none", bytes);
    for (const message of [head("factory"), dockData(1), dockData(2)]) say(message);
    expect(dock.model.image("it", "factory")?.bytes).toEqual(bytes);
    expect(dock.model.image("it", "runtime")?.bytes).toEqual(bytes);
    expect(count()).toBe(0);
  });

  test("takes the last head of a stream as what is read", () => {
    const { dock, say, count } = faulty("replace:rate=1");
    dock.model.fillImage("runtime", "it", "none", bytes);
    for (const message of [head("runtime"), head("factory"), dockData(1)]) say(message);
    expect(count()).toBe(0);
  });

  test("leaves an image alone while a transaction is open on its layer", () => {
    const { dock, say, count } = faulty("replace:rate=1");
    dock.model.fillImage("runtime", "it", "none", bytes);
    dock.model.begin("runtime", false);
    for (const message of [head("runtime"), dockData(1)]) say(message);
    expect(dock.model.image("it", "runtime")?.bytes).toEqual(bytes);
    expect(count()).toBe(0);
  });
});
