/** The agent in MicroPython whose host says anything, in any order: it never breaks, keeps to its bounds, and serves the next host. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { DockModel, PROFILES } from "../../mocks/dock.js";
import { type PythonDock, prepareMicroPython } from "../../mocks/micropython/engine.js";
import type { Peer } from "../../mocks/ports/port.js";
import { DELIMITER_BYTES, encodeFrame, encodeMessage, type HostMessage } from "../../protocol/index.js";
import { duplexPair } from "../../src/testing/duplex-pair.js";
import { ManualClock } from "../../src/testing/manual-clock.js";
import { expectServed } from "../promises/honest.js";
import { type Act, acts } from "../promises/hostile.js";
import { Overheard } from "../promises/overheard.js";

const RUNS = Number(process.env.DL7450_PROMISES ?? 100);
const SEED = Number(process.env.DL7450_SEED ?? 1);
/** Longest time for the runs, in milliseconds: far more than they take. */
const LONGEST = 60_000 + RUNS * 600;
/** Polls in a row without an answer, after which none is to come. */
const QUIET = 3;

/** An agent that starts anew on a datastore without application data, and tells when a step of it fails. */
const APPLICATION = `
import gc, sys
import _check
import _contents
import datastore_agent

class Agent(datastore_agent.Agent):
    def step(self):
        try:
            return super().step()
        except Exception as error:
            _check.failed(type(error).__name__ + ": " + str(error))
            raise

def begin():
    global agent
    _contents.layers[1].images.clear()
    _contents.layers[1].keys.clear()
    agent = Agent(sys.stdin.buffer, sys.stdout.buffer)

def held():
    gc.collect()
    return gc.mem_alloc()

_check.run(begin, lambda: agent.poll(), held)
`;

let dock: PythonDock;
const failed: string[] = [];
let begin = (): void => {};
let poll = (): void => {};
let held = (): number => 0;

beforeAll(async () => {
  dock = await prepareMicroPython(new DockModel(PROFILES.full, "MOCK-0001"), { announced: true });
  dock.python.registerJsModule("_check", {
    failed: (why: string) => void failed.push(why),
    run: (...all: [typeof begin, typeof poll, typeof held]) => {
      [begin, poll, held] = all;
    },
  });
  dock.python.runPython(APPLICATION);
});

/** An agent and what it has said. */
class Bench {
  readonly overheard = new Overheard("writes");
  /** Where what it says goes. */
  sink: (bytes: Uint8Array) => void = (bytes) => void this.#said.push(bytes);
  #said: Uint8Array[] = [];
  #peer: Peer;
  /** Whether the line takes bytes only each second time. */
  #isSlow = false;
  #wasFull = false;

  constructor() {
    begin();
    failed.length = 0;
    this.#peer = this.#connect();
  }

  act(act: Act): void {
    switch (act.kind) {
      case "bytes":
        return this.#overhear(act.bytes, new Uint8Array());
      case "frame":
        return this.#overhear(Buffer.concat([DELIMITER_BYTES, encodeFrame(act.body)]), act.body);
      case "line":
        this.#isSlow = act.is === "full";
        if (act.is === "gone") this.#peer = this.#connect();
    }
  }

  /** Gives it bytes, in two pieces as lines do, and lets it work until it has nothing to do. */
  hear(bytes: Uint8Array): void {
    this.#peer.receive(bytes.subarray(0, bytes.length >> 1));
    this.#peer.receive(bytes.subarray(bytes.length >> 1));
    for (let quiet = 0; quiet < QUIET; quiet++) {
      const before = this.#count;
      poll();
      if (this.#count > before) quiet = 0;
    }
  }

  #count = 0;

  #connect(): Peer {
    return dock.wire.connect({
      isFull: () => {
        this.#wasFull = this.#isSlow && !this.#wasFull;
        return this.#wasFull;
      },
      send: (bytes) => {
        this.#count++;
        this.sink(bytes);
      },
    });
  }

  #overhear(bytes: Uint8Array, body: Uint8Array): void {
    this.hear(bytes);
    const said = Buffer.concat(this.#said);
    this.#said = [];
    this.overheard.heard(body, said);
  }
}

/** Whether the real driver can be served on the same line, without a hint at what was before. */
async function serveHonestly(bench: Bench): Promise<void> {
  const { host, dock: end } = duplexPair();
  const clock = new ManualClock();
  bench.act({ kind: "line", is: "empty" });
  bench.sink = (bytes) => void end.write(bytes);
  end.on("data", (bytes: Buffer) => bench.hear(bytes));
  await expectServed(host, clock, "runtime");
}

/** Of a host that has always the same name, so that what it has written is remembered. */
function hello(byte: number): HostMessage {
  const [nonce, session] = [new Uint8Array(8).fill(byte), new Uint8Array(8)];
  return { type: "hello", hello: { versions: [1], nonce, session, maxBody: 8_256, software: "nobody" } };
}

test(
  "whatever a host says, the agent keeps to the protocol, and serves the next one",
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(acts, { maxLength: 120, size: "max" }), async (said) => {
        const bench = new Bench();
        bench.act({ kind: "frame", body: encodeMessage(hello(1)) });
        for (const act of said) {
          bench.act(act);
          expect([...bench.overheard.problems, ...failed]).toEqual([]);
        }
        await serveHonestly(bench);
        expect(failed).toEqual([]);
      }),
      { numRuns: RUNS, seed: SEED, interruptAfterTimeLimit: LONGEST / 2, markInterruptAsFailure: true },
    );
  },
  LONGEST,
);

/** Messages that each leave something behind: an upload that breaks off, answers, a name that is written again. */
function tedious(i: number): HostMessage[] {
  const sha256 = createHash("sha256").update(String(i)).digest();
  const id = 10 * i + 1;
  const tag = `t${i % 4}`;
  const value = "x".repeat(4_000);
  return [
    hello(i % 200),
    { type: "request", id, op: "image.put", params: { tag, type: "none", size: 20_000, sha256, store: "runtime" } },
    { type: "request", id: id + 1, op: "kv.set", params: { key: tag, value, store: "runtime" } },
    { type: "request", id: id + 2, op: "kv.get", params: { key: tag } },
    { type: "cancel", id: id + 3 },
  ];
}

test("what the agent holds doesn't grow with what its host has said", () => {
  const bench = new Bench();
  bench.sink = () => {};
  const say = (i: number): void => bench.hear(Buffer.concat(tedious(i).flatMap((it) => [DELIMITER_BYTES, frameOf(it)])));
  for (let i = 0; i < 200; i++) say(i);
  const before = held();
  for (let i = 200; i < 600; i++) say(i);
  expect(held() - before).toBeLessThan(1_000);
  expect(failed).toEqual([]);
});

test("a frame without an end is kept no further than the longest that there is", () => {
  const bench = new Bench();
  bench.sink = () => {};
  const before = held();
  const run = new Uint8Array(64 * 1024).fill(0x84);
  for (let i = 0; i < 50; i++) bench.hear(run);
  expect(held() - before).toBeLessThan(1_000);
  expect(failed).toEqual([]);
});

function frameOf(message: HostMessage): Uint8Array {
  return Buffer.concat([encodeFrame(encodeMessage(message)), DELIMITER_BYTES]);
}
