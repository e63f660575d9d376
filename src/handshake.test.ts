import { describe, expect, test } from "vitest";
import { encodeFrame, encodeMessage } from "../protocol/index.js";
import { Session } from "./session.js";
import { duplexPair } from "./testing/duplex-pair.js";
import { ManualClock } from "./testing/manual-clock.js";
import { beginSession, openSession } from "./testing/open-session.js";
import type { Said, Script } from "./testing/scripted-dock.js";
import { watch } from "./testing/watch.js";

const silent: Script = () => {};

describe("hello", () => {
  test("is said again after 250, 500, 1,000 and 2,000 ms, always the same", async () => {
    const { clock, dock } = beginSession({ hello: silent });
    await clock.advance(4_999);
    expect(dock.timesOf("hello")).toEqual([0, 250, 750, 1_750, 3_750]);
    expect(new Set(dock.heard.map(({ frame }) => frame)).size).toBe(1);
  });

  test("says it at most every 2 s", async () => {
    const { clock, dock } = beginSession({ hello: silent, session: { handshakeTimeout: 20_000 } });
    await clock.advance(9_000);
    expect(dock.timesOf("hello").slice(-3)).toEqual([3_750, 5_750, 7_750]);
  });

  test("offers version 1, a body of 8,256 bytes, and who asks", async () => {
    const { dock } = await openSession();
    const { hello } = dock.last("hello");
    expect(hello).toMatchObject({ versions: [1], maxBody: 8_256, software: "a test" });
  });

  test("has another nonce in each handshake", async () => {
    const first = await openSession();
    const second = await openSession();
    expect(first.dock.last("hello").hello.nonce).not.toEqual(second.dock.last("hello").hello.nonce);
  });

  test("stops when it is answered, and leaves no timer behind", async () => {
    const { clock, dock } = await openSession();
    expect(clock.waiting).toBe(0);
    await clock.advance(60_000);
    expect(dock.said("hello")).toHaveLength(1);
  });
});

describe("a welcome", () => {
  test("with the nonce of the hello makes a session", async () => {
    const { session } = await openSession({ welcome: { dock: { id: "RW02-0009", model: "DL-7450", name: "Lobby" } } });
    expect(session.welcome.dock).toEqual({ id: "RW02-0009", model: "DL-7450", name: "Lobby" });
  });

  test("with another nonce is ignored", async () => {
    const { clock, dock, opening } = beginSession({ hello: silent });
    await clock.settle();
    dock.welcome(dock.last("hello"), { nonce: new Uint8Array(8), dock: { id: "stale", model: "", name: "" } });
    await clock.settle();
    expect(opening.code).toBe("pending");
    dock.welcome(dock.last("hello"));
    await clock.settle();
    expect(opening.value.welcome.dock.id).toBe("RW02-0005");
  });

  test("is found between what a session before has left on the line", async () => {
    const stale: Script = (message, dock) => {
      if (message.type !== "hello") return;
      dock.raw("\r\nboot ok\r\n");
      dock.result(7, { found: true, value: "stale", store: "factory", upd: false });
      dock.send({ type: "dockData", id: 7, offset: 0, bytes: Uint8Array.of(1, 2, 3) });
      dock.failure(7, "NO_SESSION");
      dock.raw(Uint8Array.of(0x01, 0x90, 0xee, 0x00, 0x04, 0x82));
      dock.welcome(message);
    };
    const { session } = await openSession({ hello: stale });
    expect(session.over).toBeUndefined();
  });

  test("that comes again in the session changes nothing", async () => {
    const { clock, dock, session } = await openSession();
    dock.welcome(dock.last("hello"), { dock: { id: "another", model: "", name: "" } });
    await clock.settle();
    expect(session.welcome.dock.id).toBe("RW02-0005");
    expect(session.over).toBeUndefined();
  });

  test("of a version that wasn't offered is PROTOCOL", async () => {
    const { clock, opening } = beginSession({ welcome: { version: 2 } });
    await clock.settle();
    expect(opening.code).toBe("PROTOCOL");
    expect(opening.error.message).toContain("version 2");
  });

  test("longer than 512 bytes is not read before the handshake is through", async () => {
    const names = { id: "i".repeat(64), model: "m".repeat(32), name: "n".repeat(64) };
    const { clock, opening } = beginSession({ welcome: { dock: names, features: Array(16).fill("f".repeat(16)) } });
    await clock.advance(5_000);
    expect(opening.code).toBe("NO_ANSWER");
  });
});

describe("opening fails", () => {
  test("with ECHO when the line sends back what it is sent", async () => {
    const echo: Script = (message, dock) => dock.raw(encodeFrame(encodeMessage(message)));
    const { clock, opening } = beginSession({ hello: echo });
    await clock.settle();
    expect(opening.code).toBe("ECHO");
  });

  test("with VERSION when the dock speaks none of the host's versions", async () => {
    const refuse: Script = (message, dock) => refusal(message, dock, [2, 3]);
    const { clock, opening } = beginSession({ hello: refuse });
    await clock.settle();
    expect(opening.code).toBe("VERSION");
    expect(opening.error.details).toEqual({ versions: [2, 3] });
    expect(opening.error.message).toContain("2, 3");
  });

  test("with VERSION only when the refusal has the nonce of this hello", async () => {
    const { clock, dock, opening } = beginSession({ hello: silent });
    await clock.settle();
    const hello = dock.last("hello");
    refusal({ ...hello, hello: { ...hello.hello, nonce: new Uint8Array(8) } }, dock, [2]);
    await clock.settle();
    expect(opening.code).toBe("pending");
  });

  test("with NO_ANSWER after the time that was given, which it names", async () => {
    const { clock, opening } = beginSession({ hello: silent, session: { handshakeTimeout: 1_234 } });
    await clock.advance(1_233);
    expect(opening.code).toBe("pending");
    await clock.advance(1);
    expect(opening.code).toBe("NO_ANSWER");
    expect(opening.error.message).toContain("1234 ms");
    expect(opening.error.message).toContain("a line in memory");
    expect(opening.error.retryable).toBe(true);
  });

  test("with NO_ANSWER that names what is plugged in there", async () => {
    const { clock, opening } = beginSession({ hello: silent, pair: { device: "Arduino, Uno, USB 2341:0043" } });
    await clock.advance(5_000);
    expect(opening.error.message).toMatch(
      /^No dock answered at a line in memory \(Arduino, Uno, USB 2341:0043\) within 5000 ms\. /,
    );
  });

  test.each([
    { rule: "nothing came", line: "", hint: "Nothing came back" },
    { rule: "only text came", line: "MicroPython v1.27\r\n>>> ", hint: 'only prints text, last: ">>>"' },
    { rule: "text with control characters came", line: "\x1b[31mred\x1b[0m\r\n", hint: String.raw`"\x1b[31mred\x1b[0m"` },
    { rule: "other bytes came", line: "\x01\x01\x01\x02\x02\x02\x00", hint: "7 bytes came back" },
  ])("with NO_ANSWER and a hint when $rule", async ({ line, hint }) => {
    const say: Script = (_message, dock) => dock.raw(line);
    const { clock, opening } = beginSession({ hello: onlyOnce(say) });
    await clock.advance(5_000);
    expect(opening.code).toBe("NO_ANSWER");
    expect(opening.error.message).toContain(hint);
  });

  test("with ABORTED at once, with the reason of the signal, and nothing is left", async () => {
    const abort = new AbortController();
    const { clock, line, opening } = beginSession({ hello: silent, session: { signal: abort.signal } });
    await clock.settle();
    abort.abort(new Error("no longer wanted"));
    await clock.settle();
    expect(opening.code).toBe("ABORTED");
    expect(opening.error.cause).toEqual(new Error("no longer wanted"));
    expect(clock.waiting).toBe(0);
    expect(line.host.stream.destroyed).toBe(true);
  });

  test("with ABORTED when the signal was aborted before", async () => {
    const { clock, line, opening } = beginSession({ session: { signal: AbortSignal.abort() } });
    await clock.settle();
    expect(opening.code).toBe("ABORTED");
    expect(line.host.stream.destroyed).toBe(true);
  });

  test("with LINK_LOST when the line goes away", async () => {
    const { clock, dock, opening } = beginSession({ hello: silent });
    await clock.settle();
    dock.hangUp();
    await clock.settle();
    expect(opening.code).toBe("LINK_LOST");
    expect(clock.waiting).toBe(0);
  });

  test("with BUSY when a TCP connection ends without a byte, as that of a taken port does", async () => {
    const pair = duplexPair();
    const clock = new ManualClock();
    const options = { clock, software: "a test", handshakeTimeout: 5_000, timeout: 10_000 };
    const opening = watch(Session.open({ ...pair.host, kind: "tcp" }, options));
    await clock.settle();
    pair.host.stream.push(null);
    await clock.settle();
    expect(opening.code).toBe("BUSY");
    expect(opening.error.retryable).toBe(true);
  });

  test("with LINK_LOST and the cause when the line breaks", async () => {
    const { clock, line, opening } = beginSession({ hello: silent });
    await clock.settle();
    line.host.stream.destroy(new Error("EIO: i/o error"));
    await clock.settle();
    expect(opening.code).toBe("LINK_LOST");
    expect(opening.error.message).toContain("EIO");
    expect(opening.error.cause).toEqual(new Error("EIO: i/o error"));
  });

  test("and closes the line", async () => {
    const { clock, line } = beginSession({ hello: silent });
    await clock.advance(5_000);
    expect(line.host.stream.destroyed).toBe(true);
    expect(clock.waiting).toBe(0);
  });
});

test("console text is handed up before, in and after the handshake, however it comes", async () => {
  const texts: string[] = [];
  const talk: Script = (message, dock) => {
    dock.raw("\0boot ");
    dock.raw("ok\0");
    if (message.type === "hello") dock.welcome(message);
    dock.raw("Gr\xc3");
    dock.raw(Buffer.from("grüße").subarray(0, 4));
    dock.raw(Buffer.from("grüße").subarray(4));
  };
  await openSession({ hello: talk, session: { onText: (text) => texts.push(text) } });
  expect(texts.join("")).toBe("boot okGrÃgrüße");
});

function refusal(
  message: Parameters<Script>[0] | Said<"hello">,
  dock: Parameters<Script>[1],
  versions: readonly number[],
): void {
  if (message.type !== "hello") return;
  const { nonce } = message.hello;
  const why = { code: "VERSION", message: "not that one", retryable: false, nonce, versions: [...versions] };
  dock.send({ type: "failure", id: 0, failure: why });
}

function onlyOnce(script: Script): Script {
  let done = false;
  return (message, dock) => {
    if (!done) script(message, dock);
    done = true;
  };
}
