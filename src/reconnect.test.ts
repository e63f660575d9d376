/** A dock that is lost is looked for, found again, and gone on with (SPEC §3.4). */
import { describe, expect, onTestFinished, test } from "vitest";
import { USUAL_LIMITS } from "../protocol/index.js";
import { ImageStore } from "./image-store.js";
import { KvStore } from "./kv-store.js";
import { duplexPair } from "./testing/duplex-pair.js";
import { FoundAgain, OUTAGE } from "./testing/found-again.js";
import { ManualClock } from "./testing/manual-clock.js";
import { type OpenBench, openSession } from "./testing/open-session.js";
import { type Script, ScriptedDock } from "./testing/scripted-dock.js";
import { watch } from "./testing/watch.js";
import type { Transport } from "./transport/transport.js";

const key = { key: "zone" };
const NONE = { found: false };
const answering: Script = (message, dock) => {
  if (message.type === "request") dock.result(message.id, NONE);
};

describe("a lost dock", () => {
  test("is greeted with the same session and another nonce each time", async () => {
    const bench = await FoundAgain.open();
    for (let i = 0; i < 3; i++) {
      await bench.cut();
      await bench.back();
    }
    const hellos = bench.docks.map((dock) => dock.last("hello").hello);
    expect(hellos).toHaveLength(4);
    expect(new Set(hellos.map(({ session }) => Buffer.from(session ?? []).toString("hex"))).size).toBe(1);
    expect(hellos[0]?.session).toHaveLength(8);
    expect(new Set(hellos.map(({ nonce }) => Buffer.from(nonce).toString("hex"))).size).toBe(4);
  });

  test("is greeted with another session by another host", async () => {
    const [a, b] = [await FoundAgain.open(), await FoundAgain.open()];
    expect(a.dock.last("hello").hello.session).not.toEqual(b.dock.last("hello").hello.session);
  });

  test("is looked for at once, then after 50 ms, then each time twice as long, half a second at most", async () => {
    const bench = await FoundAgain.open();
    await bench.cut();
    await bench.clock.advance(5_000);
    expect(bench.attempts).toEqual([0, 50, 150, 350, 750, 1_250, 1_750, 2_250, 2_750, 3_250, 3_750, 4_250, 4_750]);
  });

  test("is told of: lost, and back", async () => {
    const bench = await FoundAgain.open();
    await bench.cut();
    expect(bench.told).toEqual(["LINK_LOST"]);
    expect(bench.session.isDown).toBe(true);
    await bench.back();
    expect(bench.told).toEqual(["LINK_LOST", "back"]);
    expect(bench.session.isDown).toBe(false);
    expect(bench.session.counters.reconnects).toBe(1);
    expect(bench.clock.waiting).toBe(0);
  });

  test("that says NO_SESSION has restarted: it is left, and found again", async () => {
    const bench = await FoundAgain.open();
    const read = watch(bench.session.request("kv.get", key, {}));
    await bench.clock.settle();
    bench.plug({ script: answering });
    bench.dock.failure(bench.dock.last("request").id, "NO_SESSION", { retryable: true });
    await bench.clock.advance(100);
    expect(bench.docks).toHaveLength(2);
    expect(read.value).toEqual(NONE);
    expect(bench.clock.waiting).toBe(0);
  });

  test("is asked by its new limits and features", async () => {
    const bench = await FoundAgain.open();
    await bench.cut();
    await bench.back({ welcome: { features: [], limits: { ...USUAL_LIMITS, requests: 1 } } });
    const refused = watch(new KvStore(bench.session).set("zone", 1, { store: "runtime" }));
    for (let i = 0; i < 3; i++) void bench.session.request("kv.get", key, {}).catch(() => {});
    await bench.clock.settle();
    expect(refused.code).toBe("UNSUPPORTED");
    expect(bench.dock.said("request")).toHaveLength(1);
  });

  test("isn't another dock: that one is left, and the search goes on", async () => {
    const bench = await FoundAgain.open({ script: answering });
    await bench.cut();
    const read = watch(bench.session.request("kv.get", key, {}));
    await bench.back({ welcome: { dock: { id: "RW02-0006", model: "DL-7450", name: "Desk 13" } } });
    const stranger = bench.dock;
    await bench.clock.advance(2_000);
    expect(read.code).toBe("pending");
    expect(stranger.said("request")).toEqual([]);
    expect(bench.told).toEqual(["LINK_LOST"]);
    await bench.back();
    expect(read.code).toBe("done");
  });

  test("that says nothing, or hangs up in the middle, is tried again", async () => {
    const bench = await FoundAgain.open({ script: answering });
    await bench.cut();
    const read = watch(bench.session.request("kv.get", key, {}));
    await bench.back({ hello: () => {} });
    await bench.clock.advance(5_000);
    await bench.back({ hello: (_, dock) => dock.hangUp() });
    await bench.back({ hello: (message, dock) => message.type === "hello" && dock.failure(7, "BUSY") });
    await bench.clock.advance(5_000);
    await bench.back();
    expect(read.code).toBe("done");
    expect(bench.clock.waiting).toBe(0);
  });

  test("that is lost again as soon as it is found isn't looked for without a pause", async () => {
    const bench = await FoundAgain.open({ script: answering });
    const fleeting: Script = (message, dock) => {
      if (message.type !== "hello") return;
      dock.welcome(message);
      dock.end();
    };
    for (let i = 0; i < 100; i++) bench.plug({ hello: fleeting });
    await bench.cut();
    for (let i = 0; i < 20; i++) await bench.clock.settle();
    expect(bench.docks).toHaveLength(2);
    await bench.clock.advance(1_000);
    expect(bench.docks.length).toBeLessThan(25);
    const closed = watch(bench.session.close());
    await bench.clock.settle();
    expect(closed.code).toBe("done");
    expect(bench.clock.waiting).toBe(0);
  });

  test("that speaks another version now isn't looked for any longer", async () => {
    const bench = await FoundAgain.open();
    const read = watch(bench.session.request("kv.get", key, {}));
    await bench.cut();
    await bench.back({
      hello: (message, dock) => {
        if (message.type !== "hello") return;
        dock.sendItem([14, 0, { code: "VERSION", message: "2", retryable: false, nonce: message.hello.nonce, versions: [2] }]);
      },
    });
    await bench.clock.advance(100);
    expect(read.code).toBe("VERSION");
    expect(bench.session.over?.message).toContain("version 2");
    expect(bench.clock.waiting).toBe(0);
  });
});

describe("a dock that isn't found in time", () => {
  test("ends everything once: reads are LINK_LOST, sent writes OUTCOME_UNKNOWN, unsent ones LINK_LOST", async () => {
    const bench = await FoundAgain.open({ welcome: { limits: { ...USUAL_LIMITS, requests: 2 } } });
    const { clock, session } = bench;
    const kv = new KvStore(session);
    const write = (name: string): Promise<void> => kv.set(name, 1, { store: "runtime" });
    const calls = [kv.get("a"), write("b"), write("c"), new ImageStore(session).get("d")].map((call) => watch<unknown>(call));
    await clock.settle();
    await bench.cut();
    calls.push(watch(write("e")), watch(kv.get("f")));
    let ends = 0;
    void session.ended.then(() => ends++);
    await clock.advance(OUTAGE - 1_100);
    expect(calls.map(({ code }) => code)).toEqual(calls.map(() => "pending"));
    await clock.advance(1_100);
    const codes = ["LINK_LOST", "OUTCOME_UNKNOWN", "LINK_LOST", "LINK_LOST", "LINK_LOST", "LINK_LOST"];
    expect(calls.map(({ code }) => code)).toEqual(codes);
    expect((await session.ended).code).toBe("LINK_LOST");
    expect((await session.ended).message).toContain(`${OUTAGE} ms`);
    expect(ends).toBe(1);
    expect(clock.waiting).toBe(0);
  });

  test("is looked for to the end of its time", async () => {
    const bench = await FoundAgain.open();
    await bench.cut();
    await bench.clock.advance(OUTAGE - 100);
    expect(bench.told).toEqual(["LINK_LOST"]);
    bench.plug();
    await bench.clock.advance(100);
    expect(bench.told).toEqual(["LINK_LOST", "back"]);
  });

  test("isn't found by a call that is made later either", async () => {
    const bench = await FoundAgain.open();
    await bench.cut();
    await bench.clock.advance(OUTAGE);
    const late = watch(new KvStore(bench.session).get("zone"));
    await bench.clock.settle();
    expect(late.code).toBe("LINK_LOST");
    const { length } = bench.attempts;
    bench.plug();
    await bench.clock.advance(OUTAGE);
    expect(bench.attempts).toHaveLength(length);
  });

  test("since what opens lines fails with an error of its own, ends everything all the same", async () => {
    const bench = await FoundAgain.open();
    const read = watch(bench.session.request("kv.get", key, {}));
    await bench.clock.settle();
    bench.breakOpening(new TypeError("not a DockError"));
    await bench.cut();
    await bench.clock.advance(OUTAGE);
    expect(read.code).toBe("LINK_LOST");
    expect(bench.attempts.length).toBeGreaterThan(1);
    expect(bench.clock.waiting).toBe(0);
  });
});

describe("a line that is opened for ever", () => {
  /** A session whose link is lost, and what opens the next one, which doesn't come to an end by itself. */
  async function opening(): Promise<OpenBench & { readonly opened: (line: Transport) => void }> {
    let opened: (line: Transport) => void = () => {};
    const line = new Promise<Transport>((resolve) => {
      opened = resolve;
    });
    const reopening = { timeout: OUTAGE, open: () => line, onLost() {}, onBack() {} };
    const bench = await openSession({ session: { reopening } });
    bench.dock.hangUp();
    await bench.clock.settle();
    return { ...bench, opened };
  }

  test("ends everything when the time is over, and is closed when it is open after all", async () => {
    const { clock, session, opened } = await opening();
    const read = watch(new KvStore(session).get("zone"));
    await clock.advance(OUTAGE - 1);
    expect(read.code).toBe("pending");
    await clock.advance(1);
    expect(read.code).toBe("LINK_LOST");
    expect(clock.waiting).toBe(0);
    const late = duplexPair().host;
    opened(late);
    await clock.settle();
    expect(late.stream.destroyed).toBe(true);
  });

  test("doesn't hold up close", async () => {
    const { clock, session } = await opening();
    const closed = watch(session.close());
    await clock.settle();
    expect(closed.code).toBe("done");
    expect(clock.waiting).toBe(0);
  });
});

describe("a caller's own", () => {
  /** What is thrown where nobody catches it, until the test has ended. */
  function uncaught(): unknown[] {
    const errors: unknown[] = [];
    process.setUncaughtExceptionCaptureCallback((error) => errors.push(error));
    onTestFinished(() => process.setUncaughtExceptionCaptureCallback(null));
    return errors;
  }

  test.each(["onLost", "onBack"])("%s that throws stays outside: the dock is found, once, and gone on with", async (name) => {
    const oops = new Error("oops");
    const errors = uncaught();
    let found = 0;
    const open = async (): Promise<Transport> => {
      const { dock, host } = duplexPair();
      found++;
      new ScriptedDock(dock, new ManualClock(), { script: answering, welcome: { bootId: new Uint8Array(8) } });
      return host;
    };
    const throwing = (): never => {
      throw oops;
    };
    const reopening = { timeout: OUTAGE, open, onLost() {}, onBack() {}, [name]: throwing };
    const { clock, session } = await openSession({ session: { reopening } });
    session.restarts(session.welcome.bootId);
    const read = watch(new KvStore(session).get("zone"));
    await clock.advance(OUTAGE);
    expect(errors).toEqual([oops]);
    expect([found, session.isDown, read.code]).toEqual([1, false, "done"]);
    expect(clock.waiting).toBe(0);
  });
});

describe("close while it is down", () => {
  test.each([
    { when: "a line is waited for", ready: async (_: FoundAgain) => {} },
    { when: "a dock is greeted", ready: async (bench: FoundAgain) => await bench.back({ hello: () => {} }) },
  ])("while $when: everything is CLOSED, and no timer is left", async ({ ready }) => {
    const bench = await FoundAgain.open();
    const asked = [
      watch(bench.session.request("kv.get", key, {})),
      watch<unknown>(bench.session.request("kv.delete", { ...key, store: "runtime" }, {})),
      watch<unknown>(new ImageStore(bench.session).get("default")),
    ];
    await bench.clock.settle();
    await bench.cut();
    await ready(bench);
    const closed = watch(Promise.all([bench.session.close(), bench.session.close()]));
    await bench.clock.settle();
    expect(closed.code).toBe("done");
    expect(asked.map(({ code }) => code)).toEqual(["CLOSED", "OUTCOME_UNKNOWN", "CLOSED"]);
    expect((await bench.session.ended).code).toBe("CLOSED");
    expect(bench.clock.waiting).toBe(0);
    bench.plug();
    await bench.clock.advance(OUTAGE);
    expect(bench.told).toEqual(["LINK_LOST"]);
  });
});
