/** The door: what a dock says of itself, and how it is opened, restarted and closed. The clock is the real one, and nothing waits for it. */
import { createServer, type Socket } from "node:net";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "./clock.js";
import { Dock, type OpenOptions } from "./dock.js";
import { DockError } from "./errors.js";
import type { TraceEvent } from "./link.js";
import type { Reopening } from "./reconnect.js";
import { duplexPair } from "./testing/duplex-pair.js";
import { fakeTime } from "./testing/fake-time.js";
import { honestDock } from "./testing/honest-dock.js";
import { obliging, opsOf } from "./testing/obliging-dock.js";
import { picture, sha256Of } from "./testing/picture.js";
import { ScriptedDock, type ScriptedDockOptions } from "./testing/scripted-dock.js";
import { watch } from "./testing/watch.js";
import { WRITABLE } from "./testing/writable.js";

const info = {
  id: "RW02-0005",
  model: "DL-7450",
  name: "Desk 12",
  firmware: "1.2.3",
  sdk: "1.0",
  bootId: Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 255]),
  uptimeMs: 86_400_000,
  features: ["stores"],
  stores: [{ store: "factory", capacity: 1_000, used: 10 }],
};

describe("an open dock", () => {
  test("knows its id, its label, what it can do, what it takes, and its line", async () => {
    const { dock } = await openDock();
    expect(dock).toMatchObject({ id: "RW02-0005", name: "Desk 12", features: ["stores"] });
    expect(dock.stores).toEqual(["factory", "runtime", "ephemeral"]);
    expect(dock.limits).toMatchObject({ requests: 32, streams: 4 });
    expect(dock.link.name).toBe("a line in memory");
    expect(dock.link.counters).toMatchObject({ framesIn: 1, framesOut: 1, crc: 0 });
  });

  test("says more when asked, its boot id in hexadecimal", async () => {
    const { dock } = await openDock({
      script: (message, it) => {
        if (message.type === "request" && message.op === "dock.info") it.result(message.id, info);
      },
    });
    expect(await dock.info()).toEqual({ ...info, bootId: "00010203040506ff" });
  });

  test("gives images and keys", async () => {
    const image = picture(100_000);
    const { dock } = await openDock(honestDock({ images: { default: image }, keys: { timezone: "GMT" } }));
    const [{ data }, zone] = await Promise.all([dock.images.get("default"), dock.kv.get("timezone")]);
    expect(sha256Of(data)).toEqual(sha256Of(image));
    expect(zone).toBe("GMT");
  });

  test("shows everything that passes along the line to who asked for it", async () => {
    const events: TraceEvent[] = [];
    const { dock, peer } = await openDock(honestDock({ keys: { timezone: "GMT" } }), { trace: (event) => events.push(event) });
    peer.raw("boot ok\n\0");
    peer.raw(Uint8Array.of(1, 2, 3, 0, 5, 0x82, 1, 1, 1, 0));
    await dock.kv.get("timezone");
    const kinds = events.map((event) => ("message" in event ? `${event.kind} ${event.message.type}` : event.kind));
    const handshake = ["opened", "sent hello", "received welcome"];
    expect(kinds).toEqual([...handshake, "sent request", "text", "dropped", "dropped", "received result"]);
    const dropped = events.filter((event) => event.kind === "dropped");
    expect(dropped).toMatchObject([
      { why: "noise", bytes: 3 },
      { why: "crc", bytes: 5 },
    ]);
  });
});

describe("a restart that may have happened is OUTCOME_UNKNOWN", () => {
  /** Longer than anything waits for a dock that is away, in milliseconds. */
  const LONG = 60_000;

  beforeEach(fakeTime);

  test("when the dock says nothing more in the caller's time", async () => {
    const { dock, peer } = await openDock({ welcome: WRITABLE });
    const restart = watch(dock.restart({ timeout: 200 }));
    await vi.advanceTimersByTimeAsync(LONG);
    expect(opsOf(peer)[0]).toBe("dock.restart");
    expect(restart.code).toBe("OUTCOME_UNKNOWN");
  });

  test("when the caller has aborted it, and the dock says nothing more", async () => {
    const { dock, peer } = await openDock({ welcome: WRITABLE });
    const abort = new AbortController();
    const restart = watch(dock.restart({ signal: abort.signal }));
    await vi.advanceTimersByTimeAsync(100);
    abort.abort();
    await vi.advanceTimersByTimeAsync(LONG);
    expect(opsOf(peer)[0]).toBe("dock.restart");
    expect(restart.code).toBe("OUTCOME_UNKNOWN");
  });

  test("when the dock has agreed, and isn't back in the caller's time", async () => {
    let isLookedFor = (): void => {};
    const lookedFor = new Promise<void>((resolve) => {
      isLookedFor = resolve;
    });
    const nothing: Reopening["open"] = async () => {
      isLookedFor();
      throw new DockError({ code: "NO_DOCK", message: "nothing is plugged in" });
    };
    const { dock } = await openDock({ script: obliging(), welcome: WRITABLE }, { reconnect: true }, nothing);
    const restart = watch(dock.restart({ timeout: 300 }));
    await lookedFor;
    await vi.advanceTimersByTimeAsync(299);
    expect(restart.code).toBe("pending");
    await vi.advanceTimersByTimeAsync(1);
    expect(restart.code).toBe("OUTCOME_UNKNOWN");
  });
});

describe("closing", () => {
  test("by the caller settles `closed` with nothing, and can be done twice", async () => {
    const { dock, line } = await openDock();
    await dock.close();
    await dock.close();
    expect(await dock.closed).toBeUndefined();
    expect(line.host.stream.destroyed).toBe(true);
  });

  test("comes with the end of `await using`", async () => {
    const { dock, line } = await openDock();
    {
      await using it = dock;
      expect(it.id).toBe("RW02-0005");
    }
    expect(line.host.stream.destroyed).toBe(true);
  });

  test("by the other side settles `closed` with the reason", async () => {
    const { dock, peer } = await openDock();
    peer.hangUp();
    expect(await dock.closed).toMatchObject({ name: "DockError", code: "LINK_LOST", retryable: true });
  });

  test("makes every later call CLOSED", async () => {
    const { dock } = await openDock();
    await dock.close();
    const calls = [
      () => dock.info(),
      () => dock.images.list(),
      () => dock.images.get("default"),
      () => dock.images.getToken("default"),
      () => dock.images.stream("default").info(),
      () => dock.kv.list(),
      () => dock.kv.get("timezone"),
      () => dock.kv.find("timezone"),
      () => dock.kv.entries().next(),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ name: "DockError", code: "CLOSED" });
  });

  test("of the line right after an answer doesn't lose the answer", async () => {
    const { dock } = await openDock({
      script: (message, it) => {
        if (message.type !== "request") return;
        it.result(message.id, { found: true, value: "GMT", store: "factory", upd: false });
        it.end();
      },
    });
    expect(await dock.kv.get("timezone")).toBe("GMT");
    expect((await dock.closed)?.code).toBe("LINK_LOST");
  });
});

describe("options that can't be", () => {
  test.each([
    ["timeout", 0],
    ["timeout", Number.NaN],
    ["timeout", Number.POSITIVE_INFINITY],
    ["handshakeTimeout", -1],
  ])("such as a %s of %d are USAGE, and no line is left open", async (name, value) => {
    const server = createServer();
    const sockets: Socket[] = [];
    server.on("connection", (socket) => sockets.push(socket.resume()));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await expect(Dock.open(`tcp://127.0.0.1:${port}`, { [name]: value })).rejects.toMatchObject({ code: "USAGE" });
    const connections = await new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
    expect(connections).toBe(0);
  });
});

async function openDock(script: ScriptedDockOptions = {}, options: OpenOptions = {}, reopen?: Reopening["open"]) {
  const line = duplexPair();
  const peer = new ScriptedDock(line.dock, systemClock, script);
  const dock = await Dock.over(line.host, options, reopen);
  onTestFinished(() => dock.close());
  return { dock, line, peer };
}
