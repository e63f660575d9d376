/** What a host that speaks for itself gets from a recording. */
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  DELIMITER_BYTES,
  type DockMessage,
  decodeFrame,
  encodeFrame,
  encodeMessage,
  type HostMessage,
  type Item,
  LARGEST_BODY,
  LineGuard,
  NotATrace,
  parseDockMessage,
  TraceReader,
  USUAL_LIMITS,
  type Welcome,
} from "../protocol/index.js";
import { Recording } from "./recording.js";
import { Replay, readRecording } from "./replay.js";
import { Memory, Service } from "./service.js";

const HEADER = '{"dl7450":"trace","format":1,"software":"","target":"","startedAt":""}';
const nonce = (n: number): Uint8Array => new Uint8Array(8).fill(n);
const dock = { id: "01", model: "DL-7450", name: "RW02-0005" };
const welcome = { version: 1, bootId: nonce(9), dock, limits: { ...USUAL_LIMITS, streams: 2 }, features: ["x"] };

/** A trace out of messages, and texts of the dock. */
class Tape {
  readonly lines: string[] = [HEADER];

  out(message: HostMessage): this {
    return this.#frame("out", message);
  }

  in(message: DockMessage | string): this {
    if (typeof message !== "string") return this.#frame("in", message);
    this.lines.push(JSON.stringify({ at: 0, dir: "in", text: message }));
    return this;
  }

  hello(n: number, session = n, said: Partial<Welcome> = {}): this {
    return this.out(helloOf(n, session)).in({
      type: "welcome",
      welcome: { ...welcome, stores: ["factory"], nonce: nonce(n), ...said },
    });
  }

  /** A request and its result. */
  asked(id: number, op: string, params: { readonly [key: string]: Item }, value: { readonly [key: string]: Item }): this {
    return this.out({ type: "request", id, op, params }).in({ type: "result", id, value });
  }

  get text(): string {
    return `${this.lines.join("\n")}\n`;
  }

  #frame(dir: "in" | "out", message: DockMessage | HostMessage): this {
    const body = Buffer.from(encodeMessage(message)).toString("base64");
    this.lines.push(JSON.stringify({ at: 0, dir, body }));
    return this;
  }
}

function helloOf(n: number, session: number): HostMessage {
  return { type: "hello", hello: { versions: [1], nonce: nonce(n), maxBody: 8_256, software: "", session: nonce(session) } };
}

function recordingOf(text: string | Uint8Array): Recording {
  const reader = new TraceReader();
  const recording = new Recording();
  for (const line of [...reader.feed(Buffer.from(text)), ...reader.end()]) {
    if (line.kind === "record") recording.add(line.record);
  }
  recording.end();
  return recording;
}

/** A recording that is served. `said` are messages and texts, in the order in which they came. */
function served(recording: Recording): {
  readonly said: (DockMessage | string)[];
  readonly say: (message: HostMessage) => void;
} {
  const said: (DockMessage | string)[] = [];
  const guard = new LineGuard(LARGEST_BODY);
  const send = (bytes: Uint8Array): void => {
    for (const piece of guard.feed(bytes)) {
      if (piece.kind === "text") said.push(Buffer.from(piece.bytes).toString());
      if (piece.kind === "frames") for (const message of messagesIn(piece.bytes)) said.push(message);
    }
  };
  const behind = new Replay(recording);
  const clock = { now: () => 0, after: () => () => {} };
  const line = { send, isFull: () => false };
  const service = new Service(behind, new Memory(0), { line, clock, limits: behind.limits });
  return { said, say: (message) => service.receive(Buffer.concat([DELIMITER_BYTES, encodeFrame(encodeMessage(message))])) };
}

function* messagesIn(bytes: Uint8Array): Generator<DockMessage> {
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at);
    const frame = decodeFrame(Uint8Array.from(bytes.subarray(at, end < 0 ? bytes.length : end)), LARGEST_BODY);
    const parsed = frame.kind === "body" ? parseDockMessage(frame.body) : undefined;
    if (parsed?.kind === "message") yield parsed.message;
    if (end < 0) return;
    at = end + 1;
  }
}

/** Serves a trace to a host that has said hello. */
function replayed(tape: Tape): ReturnType<typeof served> {
  const service = served(recordingOf(tape.text));
  service.say(helloOf(100, 100));
  return service;
}

const get = (id: number, key: string): HostMessage => ({ type: "request", id, op: "kv.get", params: { key } });

describe("a hello", () => {
  test("is answered with the recorded welcome, the host's nonce, and what the dock takes", () => {
    const { said } = replayed(new Tape().hello(1));
    expect(said).toEqual([{ type: "welcome", welcome: { ...welcome, stores: ["factory"], nonce: nonce(100) } }]);
  });

  test("gets the welcomes in order, the last one again; one that comes again gets the same", () => {
    const tape = new Tape()
      .hello(1, 1)
      .hello(1, 1)
      .hello(2, 1, { bootId: nonce(8) });
    const { said, say } = served(recordingOf(tape.text));
    for (const n of [51, 51, 52, 53]) say(helloOf(n, 50));
    const boots = said.map((it) => (typeof it !== "string" && it.type === "welcome" ? it.welcome.bootId[0] : undefined));
    expect(boots).toEqual([9, 9, 8, 8]);
  });
});

describe("a request", () => {
  const value = { found: true, value: 1, store: "factory", upd: false };
  const tape = new Tape().hello(1).asked(1, "kv.get", { key: "a", store: "factory" }, value);
  tape.asked(2, "kv.get", { key: "b" }, { found: false }).asked(3, "kv.get", { key: "b" }, value);

  test("is found by operation and params, whatever its id and the order of keys", () => {
    const { said, say } = replayed(tape);
    say({ type: "request", id: 70, op: "kv.get", params: { store: "factory", key: "a" } });
    expect(said.at(-1)).toEqual({ type: "result", id: 70, value });
  });

  test("that comes several times gets the answers in order, the last one again", () => {
    const { said, say } = replayed(tape);
    for (const id of [5, 6, 7, 6]) say(get(id, "b"));
    expect(said.slice(1)).toMatchObject([
      { id: 5, value: { found: false } },
      { id: 6, value },
      { id: 7, value },
      { id: 6, value },
    ]);
  });

  test("that isn't in the recording is refused, and says so", () => {
    const { said, say } = replayed(tape);
    say(get(5, "c\u001b".repeat(100)));
    expect(said.at(-1)).toMatchObject({
      failure: { code: "UNSUPPORTED", message: expect.stringMatching(/not in the recording$/) },
    });
    say({ type: "request", id: 6, op: "x".repeat(1_000), params: {} });
    const last = said.at(-1);
    const message = typeof last !== "string" && last?.type === "failure" ? last.failure.message : "";
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(256);
    expect(message).toContain("not in the recording");
  });

  test("that failed fails again, with all that was said of it", () => {
    const failure = { code: "NO_SPACE", message: "full", retryable: true, free: 7, store: "runtime" } as const;
    const { said, say } = replayed(new Tape().hello(1).out(get(1, "a")).in({ type: "failure", id: 1, failure }));
    say(get(5, "a"));
    expect(said.at(-1)).toEqual({ type: "failure", id: 5, failure });
  });

  test("whose answer never came, or was another one's, fails with INTERNAL", () => {
    const lost = { code: "NO_SESSION", message: "", retryable: false };
    const { said, say } = replayed(new Tape().hello(1).out(get(1, "a")).in({ type: "failure", id: 1, failure: lost }));
    say(get(5, "a"));
    expect(said.at(-1)).toMatchObject({
      failure: { code: "INTERNAL", message: expect.stringContaining("the recording ends") },
    });
  });

  test("that was sent again in the recording, also over another line, was asked once", () => {
    const again = new Tape().hello(1, 1).out(get(1, "a")).hello(2, 1).out(get(1, "a")).in({ type: "result", id: 1, value });
    const { said, say } = replayed(again.in({ type: "result", id: 1, value: {} }));
    say(get(5, "a"));
    expect(said.at(-1)).toEqual({ type: "result", id: 5, value });
  });

  test("in a transaction is the same whatever the transaction's number", () => {
    const set = { key: "a", value: 1, store: "runtime" };
    const { said, say } = replayed(new Tape().hello(1).asked(1, "kv.set", { ...set, txn: 3 }, { generation: 4 }));
    say({ type: "request", id: 5, op: "kv.set", params: { ...set, txn: 8 } });
    expect(said.at(-1)).toMatchObject({ value: { generation: 4 } });
  });

  test("of another host finds the recording from its beginning, when as many have come as there were", () => {
    const two = new Tape().hello(1).asked(1, "kv.get", { key: "b" }, { found: false });
    two.hello(2).asked(1, "kv.get", { key: "b" }, value);
    const { said, say } = served(recordingOf(two.text));
    const found: unknown[] = [];
    for (const host of [10, 11, 12]) {
      say(helloOf(host, host));
      say(get(5, "b"));
      const last = said.at(-1);
      found.push(typeof last !== "string" && last?.type === "result" ? last.value.found : undefined);
    }
    expect(found).toEqual([false, true, false]);
  });
});

test("console text and log messages come between the same answers", () => {
  const log = { type: "log", level: "warning", text: "hot" } as const;
  const tape = new Tape().in("boot\r\n").hello(1).in("a").in("sks\n").out(get(1, "a"));
  tape.in({ type: "result", id: 1, value: {} }).in(log).asked(2, "kv.get", { key: "b" }, {}).in("Traceback\n");
  const { said, say } = replayed(tape);
  say(get(5, "a"));
  say(get(6, "b"));
  const shown = said.map((it) => (typeof it === "string" ? it : it.type));
  expect(shown).toEqual(["boot\r\n", "welcome", "asks\n", "result", "log", "result", "Traceback\n"]);
});

describe("an image that is read", () => {
  const image = Buffer.from(Array.from({ length: 20_000 }, (_, i) => i % 251));
  const hash = (from: number): Buffer => createHash("sha256").update(image.subarray(from)).digest();
  const meta = { tag: "logo", type: "none", size: image.length, store: "factory", generation: 1, sha256: hash(0) };
  const ask = (id: number, from: number, credit: number): HostMessage => ({
    type: "request",
    id,
    op: "image.get",
    params: from === 0 ? { tag: "logo", credit } : { tag: "logo", from, ifSha256: hash(0), credit },
  });
  const data = (id: number, from: number, to: number): DockMessage => ({
    type: "dockData",
    id,
    offset: from,
    bytes: image.subarray(from, to),
  });
  const end = (id: number, from: number): DockMessage => ({
    type: "result",
    id,
    value: { size: image.length, sha256: hash(from) },
  });
  const whole = new Tape()
    .hello(1)
    .out(ask(1, 0, 20_000))
    .in({ type: "head", id: 1, meta });
  whole
    .in(data(1, 0, 8_000))
    .in(data(1, 9_000, 20_000))
    .in(data(1, 8_000, 9_000))
    .in(end(1, 0));

  /** What came, and how it ended. */
  function read(said: readonly (DockMessage | string)[]): { readonly bytes: Buffer; readonly last: DockMessage | undefined } {
    const messages = said.filter((it) => typeof it !== "string");
    const bytes = Buffer.concat(messages.flatMap((it) => (it.type === "dockData" ? [it.bytes] : [])));
    return { bytes, last: messages.at(-1) };
  }

  test("comes as far as the credit goes, in the host's own pieces, with the recorded result", () => {
    const { said, say } = replayed(whole);
    say(ask(5, 0, 5_000));
    expect(read(said).bytes.length).toBe(5_000);
    say({ type: "hostCredit", id: 5, limit: 30_000 });
    const { bytes, last } = read(said);
    expect(Buffer.compare(bytes, image)).toBe(0);
    expect(last).toEqual({ type: "result", id: 5, value: { size: image.length, sha256: Uint8Array.from(hash(0)) } });
  });

  test("comes from anywhere, with the SHA-256 of what comes; and is sent again where asked for", () => {
    const { said, say } = replayed(whole);
    say(ask(5, 7_000, 20_000));
    expect(Buffer.compare(read(said).bytes, image.subarray(7_000))).toBe(0);
    expect(read(said).last).toMatchObject({ value: { sha256: Uint8Array.from(hash(7_000)) } });
    say({ type: "hostResend", id: 5, from: 8_000, to: 8_010, limit: 20_000 });
    expect(said.slice(-2)).toMatchObject([{ type: "dockData", offset: 8_000 }, { type: "result" }]);
  });

  test("whose read was broken off and gone on with is whole for a host that isn't interrupted", () => {
    const broken = new Tape()
      .hello(1)
      .out(ask(1, 0, 20_000))
      .in({ type: "head", id: 1, meta })
      .in(data(1, 0, 8_000));
    broken
      .hello(2, 1)
      .out(ask(2, 8_000, 20_000))
      .in({ type: "head", id: 2, meta });
    broken.in(data(2, 8_000, 20_000)).in(end(2, 8_000));
    const { said, say } = replayed(broken);
    say(ask(5, 0, 20_000));
    expect(Buffer.compare(read(said).bytes, image)).toBe(0);
    expect(read(said).last).toMatchObject({ type: "result", value: { sha256: Uint8Array.from(hash(0)) } });
  });

  test("of which the recording has no end comes as far as it goes, and then fails", () => {
    const half = new Tape()
      .hello(1)
      .out(ask(1, 0, 20_000))
      .in({ type: "head", id: 1, meta })
      .in(data(1, 0, 8_000));
    const { said, say } = replayed(half);
    say(ask(5, 0, 20_000));
    expect(read(said)).toMatchObject({ last: { type: "failure", id: 5, failure: { code: "INTERNAL" } } });
    expect(read(said).bytes.length).toBe(8_000);
    say(ask(6, 9_000, 20_000));
    expect(read(said).last).toMatchObject({ failure: { message: expect.stringContaining("not in the recording") } });
  });

  test("of which a piece is missing, though it had an end, comes as far as it goes, and then fails", () => {
    const holed = new Tape()
      .hello(1)
      .out(ask(1, 0, 20_000))
      .in({ type: "head", id: 1, meta })
      .in(data(1, 0, 8_000));
    const { said, say } = replayed(holed.in(data(1, 9_000, 20_000)).in(end(1, 0)));
    say(ask(5, 0, 20_000));
    expect(read(said)).toMatchObject({
      last: { failure: { code: "INTERNAL", message: expect.stringContaining("lacks the rest") } },
    });
  });

  test("that is another one than the host goes on with is CHANGED", () => {
    const { said, say } = replayed(whole);
    say({ type: "request", id: 5, op: "image.get", params: { tag: "logo", from: 1, ifSha256: hash(1), credit: 9 } });
    expect(read(said).last).toMatchObject({ failure: { code: "CHANGED" } });
  });
});

describe("an image that is written", () => {
  const image = new Uint8Array(100_000).fill(7);
  const params = {
    tag: "logo",
    type: "none",
    size: image.length,
    sha256: createHash("sha256").update(image).digest(),
    store: "runtime",
  };
  const ask = (id: number): HostMessage => ({ type: "request", id, op: "image.put", params });
  const begun = (): Tape =>
    new Tape().hello(1).out(ask(1)).in({ type: "dockResend", id: 1, from: 50_000, to: 50_000, limit: 60_000 });

  /** Sends what there is credit for, until the dock says something else. */
  function upload({ said, say }: ReturnType<typeof replayed>, bytes: Uint8Array): DockMessage | string | undefined {
    say(ask(5));
    for (let at = 0; at < bytes.length; at += 8_000) {
      say({ type: "hostData", id: 5, offset: at, bytes: bytes.subarray(at, at + 8_000) });
    }
    return said.at(-1);
  }

  test("is taken from its beginning, by credit, and gets the recorded result when all is there", () => {
    const service = replayed(begun().in({ type: "result", id: 1, value: { generation: 3, existed: true } }));
    expect(upload(service, image)).toEqual({ type: "result", id: 5, value: { generation: 3, existed: true } });
    const types = service.said.map((it) => (typeof it === "string" ? it : it.type));
    expect(types.slice(0, 3)).toEqual(["welcome", "dockResend", "dockCredit"]);
    expect(service.said[1]).toMatchObject({ from: 0, to: 0 });
  });

  test("fails as it failed, and with INTEGRITY when other bytes come", () => {
    const failure = { code: "INVALID", message: "no png", retryable: false };
    const failed = (): Tape => begun().in({ type: "failure", id: 1, failure });
    expect(upload(replayed(failed()), image)).toMatchObject({ failure });
    expect(upload(replayed(failed()), image.slice().fill(8))).toMatchObject({ failure: { code: "INTEGRITY" } });
  });

  test("isn't asked for when it wasn't then", () => {
    const { said, say } = replayed(new Tape().hello(1).asked(1, "image.put", params, { generation: 3, existed: true }));
    say(ask(5));
    expect(said.slice(1)).toMatchObject([{ type: "result", id: 5 }]);
  });
});

describe("a file", () => {
  async function fileOf(text: string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "dl7450-replay-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, "t.ndjson");
    await writeFile(path, text);
    return path;
  }

  test("is read with its broken lines told of, and refused when it is no trace or greets nobody", async () => {
    const broken: number[] = [];
    const read = (text: string): Promise<Recording> => fileOf(text).then((path) => readRecording(path, (n) => broken.push(n)));
    expect((await read(`${new Tape().hello(1).text}{\n`)).greetings).toHaveLength(1);
    expect(broken).toEqual([4]);
    await expect(read("\n")).rejects.toThrow(NotATrace);
    await expect(read(new Tape().text)).rejects.toThrow("has no handshake in it");
  });
});

test("whatever a trace has become, a host that asks gets answers, and nothing breaks", () => {
  const tape = new Tape().in("boot\r\n").hello(1).asked(1, "kv.get", { key: "a" }, { found: false });
  const meta = { tag: "logo", type: "none", size: 3, store: "factory", generation: 1 };
  const params = { tag: "logo", credit: 3 };
  tape.out({ type: "request", id: 2, op: "image.get", params }).in({ type: "head", id: 2, meta });
  tape.in({ type: "dockData", id: 2, offset: 0, bytes: Uint8Array.of(1, 2, 3) });
  tape.in({ type: "result", id: 2, value: { size: 3, sha256: new Uint8Array(32) } });
  const put = { tag: "up", type: "none", size: 2, sha256: new Uint8Array(32), store: "runtime" };
  tape
    .out({ type: "request", id: 3, op: "image.put", params: put })
    .in({ type: "dockResend", id: 3, from: 0, to: 0, limit: 2 });
  tape.in({ type: "result", id: 3, value: { generation: 1, existed: false } });
  const line = fc.record({
    at: fc.nat(),
    body: fc.nat(),
    byte: fc.nat({ max: 255 }),
    kind: fc.constantFrom("flip", "cut", "double"),
  });
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), (changes) => {
      const lines = tape.lines.slice(1);
      for (const { at, body, byte, kind } of changes) {
        const index = at % lines.length;
        const old = lines[index] ?? "";
        const json: { body?: string } = JSON.parse(old);
        const bytes = Buffer.from(json.body ?? "", "base64");
        if (kind === "cut") lines.splice(index, 1, "");
        if (kind === "double") lines.push(old);
        if (kind === "flip" && bytes.length > 0) {
          bytes[body % bytes.length] = byte;
          lines[index] = JSON.stringify({ ...json, body: bytes.toString("base64") });
        }
        if (lines[index] === "") lines[index] = '{"at":0,"dir":"in","text":"x"}';
      }
      const recording = recordingOf([HEADER, ...lines].join("\n"));
      if (recording.greetings.length === 0) return;
      const { said, say } = served(recording);
      say(helloOf(50, 50));
      say(get(1, "a"));
      say({ type: "request", id: 2, op: "image.get", params });
      say({ type: "request", id: 3, op: "image.put", params: put });
      say({ type: "hostData", id: 3, offset: 0, bytes: Uint8Array.of(1, 2) });
      for (const id of [1, 2, 3]) say({ type: "cancel", id });
      for (const id of [1, 2, 3]) expect(said.some((it) => typeof it !== "string" && "id" in it && it.id === id)).toBe(true);
    }),
  );
});
