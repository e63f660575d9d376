/** A dock whose host says anything, in any order: it never breaks, keeps to its bounds, and serves the next host. */
import { createHash } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { DockModel, PROFILES } from "../mocks/dock.js";
import { DockBehind } from "../mocks/dock-behind.js";
import { Memory, Service } from "../mocks/service.js";
import {
  DELIMITER_BYTES,
  encodeFrame,
  encodeMessage,
  type HostMessage,
  LAYERS,
  parseHostMessage,
  USUAL_LIMITS,
} from "../protocol/index.js";
import { duplexPair } from "../src/testing/duplex-pair.js";
import { ManualClock } from "../src/testing/manual-clock.js";
import { expectServed } from "./promises/honest.js";
import { type Act, acts, LAST_TXN } from "./promises/hostile.js";
import { Overheard } from "./promises/overheard.js";

const RUNS = Number(process.env.DL7450_PROMISES ?? 100);
const SEED = Number(process.env.DL7450_SEED ?? 1);
/** Longest time for the runs, in milliseconds: far more than they take. A failure is made smaller for less than that. */
const LONGEST = 40_000 + RUNS * 400;
const CAPACITIES = { factory: 1_000, runtime: 30_000, ephemeral: 3_000_000 };

/** A dock and what it has said. */
class Bench {
  readonly clock = new ManualClock();
  readonly dock = new DockModel(PROFILES.full, "MOCK-0001", { capacities: CAPACITIES });
  readonly memory = new Memory(this.clock.now());
  readonly overheard = new Overheard();
  readonly service: Service;
  isFull = false;
  /** Where what the dock says goes. */
  sink: (bytes: Uint8Array) => void = (bytes) => void this.#said.push(bytes);
  #said: Uint8Array[] = [];

  constructor() {
    const line = { send: (bytes: Uint8Array) => this.sink(bytes), isFull: () => this.isFull };
    this.service = new Service(new DockBehind(this.dock), this.memory, { line, clock: this.clock });
  }

  act(act: Act): void {
    switch (act.kind) {
      case "bytes":
        this.service.receive(Uint8Array.from(act.bytes));
        return this.#overhear(new Uint8Array());
      case "frame":
        return this.#frame(this.#withTransaction(act.body));
      case "line":
        this.isFull = act.is === "full";
        if (act.is === "empty") this.service.drained();
        if (act.is !== "gone") return this.#overhear(new Uint8Array());
        this.service.hangUp();
        this.overheard.ended();
    }
  }

  /** In two pieces, as lines do. */
  #frame(body: Uint8Array): void {
    const bytes = Buffer.concat([DELIMITER_BYTES, encodeFrame(body)]);
    this.service.receive(bytes.subarray(0, bytes.length >> 1));
    this.service.receive(bytes.subarray(bytes.length >> 1));
    const { bootId } = this.dock;
    this.#overhear(body);
    if (this.dock.bootId !== bootId || this.memory.session === undefined) this.overheard.ended();
  }

  #overhear(body: Uint8Array): void {
    const said = Buffer.concat(this.#said);
    this.#said = [];
    this.overheard.heard(body, said);
  }

  #withTransaction(body: Uint8Array): Uint8Array {
    const parsed = parseHostMessage(body);
    if (parsed.kind !== "message" || parsed.message.type !== "request" || parsed.message.params.txn !== LAST_TXN) return body;
    return encodeMessage({ ...parsed.message, params: { ...parsed.message.params, txn: this.overheard.txn } });
  }
}

/** What can't be in a dock, whatever it was told. */
function problemsOf({ dock, memory, overheard }: Bench): string[] {
  const streams = memory.session?.streams.size ?? 0;
  const broken = dock.images().filter(({ bytes, sha256 }) => !createHash("sha256").update(bytes).digest().equals(sha256));
  return [
    ...overheard.problems,
    ...(streams > USUAL_LIMITS.streams ? [`${streams} streams`] : []),
    ...broken.map(({ tag }) => `the image ${tag} isn't what it was to be`),
    ...LAYERS.filter((store) => dock.used(store) > dock.capacity(store)).map((store) => `${store} holds too much`),
  ];
}

/** Whether the real driver can be served on the same line, without a hint at what was before. */
async function serveHonestly(bench: Bench): Promise<void> {
  const { host, dock: end } = duplexPair();
  const { clock } = bench;
  bench.isFull = false;
  bench.sink = (bytes) => void end.write(bytes);
  end.on("data", (bytes: Buffer) => bench.service.receive(bytes));
  await expectServed(host, clock, "ephemeral");
}

function hello(byte: number): HostMessage {
  const nonce = new Uint8Array(8).fill(byte);
  return { type: "hello", hello: { versions: [1], nonce, session: nonce, maxBody: 8_256, software: "nobody" } };
}

test(
  "whatever a host says, the dock keeps to the protocol and to its bounds, and serves the next one",
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(acts, { maxLength: 120, size: "max" }), async (said) => {
        const bench = new Bench();
        bench.act({ kind: "frame", body: encodeMessage(hello(1)) });
        for (const act of said) {
          bench.act(act);
          expect(problemsOf(bench)).toEqual([]);
        }
        await serveHonestly(bench);
      }),
      { numRuns: RUNS, seed: SEED, interruptAfterTimeLimit: LONGEST / 2, markInterruptAsFailure: true },
    );
  },
  LONGEST,
);

/** A dock that is only talked to: what it says is of no interest. */
function deaf(): Bench {
  const bench = new Bench();
  bench.sink = () => {};
  hear(bench, hello(1));
  return bench;
}

function hear({ service }: Bench, ...messages: readonly HostMessage[]): void {
  service.receive(Buffer.concat([DELIMITER_BYTES, ...messages.map((it) => encodeFrame(encodeMessage(it)))]));
}

/** Bytes that this process holds for good. */
function held(): number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  for (let i = 0; i < 3 && typeof collect === "function"; i++) collect(); // what one finds dead, another frees
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Five messages that each leave something behind: an upload that breaks off, answers, a name that is written again. */
function tedious(i: number): HostMessage[] {
  const sha256 = createHash("sha256").update(String(i)).digest();
  const id = 10 * i + 1;
  const tag = `t${i % 4}`;
  return [
    { type: "request", id, op: "image.put", params: { tag, type: "none", size: 20_000, sha256, store: "ephemeral" } },
    { type: "hostData", id, offset: 0, bytes: new Uint8Array(8_000).fill(i) },
    { type: "cancel", id },
    { type: "request", id: id + 1, op: "kv.set", params: { key: tag, value: "x".repeat(4_000), store: "runtime" } },
    { type: "request", id: id + 2, op: "kv.get", params: { key: tag } },
  ];
}

test("what a dock holds doesn't grow with what its host has said", () => {
  const bench = deaf();
  for (let i = 0; i < 200; i++) hear(bench, ...tedious(i));
  const before = held();
  for (let i = 200; i < 2_200; i++) hear(bench, ...tedious(i));
  expect(held() - before).toBeLessThan(2_000_000);
});

test("a frame without an end is kept no further than the longest that there is", () => {
  const bench = deaf();
  const run = new Uint8Array(64 * 1024).fill(0x84);
  const before = held();
  for (let i = 0; i < 500; i++) bench.service.receive(Uint8Array.from(run));
  expect(held() - before).toBeLessThan(2_000_000);
});

test("of a thousand uploads that are begun, no more are open than there may be", () => {
  const bench = deaf();
  for (let id = 1; id <= 1_000; id++) {
    const sha256 = createHash("sha256").update(String(id)).digest();
    const params = { tag: `t${id}`, type: "none", size: 1_000, sha256, store: "ephemeral" };
    hear(bench, { type: "request", id, op: "image.put", params });
  }
  expect(bench.memory.session?.streams.size).toBe(USUAL_LIMITS.streams);
});

test("for an upload of 4 GB no memory is taken", () => {
  const bench = deaf();
  const before = process.memoryUsage().arrayBuffers;
  for (let id = 1; id <= 4; id++) {
    const params = { tag: "a", type: "none", size: 2 ** 32 - 1, sha256: new Uint8Array(32), store: "ephemeral" };
    hear(bench, { type: "request", id, op: "image.put", params });
  }
  expect(bench.memory.session?.streams.size).toBe(0);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
});
