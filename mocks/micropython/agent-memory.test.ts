/** How much of Python's heap the agent for real docks needs: 96 KiB for itself and all that it does, with images outside of it. */
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { ImageStore } from "../../src/image-store.js";
import { KvStore } from "../../src/kv-store.js";
import { Session, USUAL_HANDSHAKE_TIMEOUT } from "../../src/session.js";
import { duplexPair } from "../../src/testing/duplex-pair.js";
import { ManualClock } from "../../src/testing/manual-clock.js";
import { DockModel, PROFILES } from "../dock.js";
import { prepareMicroPython } from "./engine.js";

const LIMIT = 96 * 1024;
const LARGE = 2_000_000;

/**
 * This MicroPython collects garbage only when a call from outside returns. So each call is one step of the agent, and what is in use at its
 * end is what lives and the step's own garbage: at least what a heap must have room for.
 */
const APPLICATION = `
import gc, sys
import _check, _contents
import binascii, dock, hashlib, image, time, datastore  # stand for what isn't in the heap on a dock
agent = None

def begin():
    global agent
    import datastore_agent
    streams = sys.stdin.buffer, sys.stdout.buffer
    agent = datastore_agent.Agent(*streams, allocate=_contents.block, release=_contents.release)
    gc.collect()

def step():
    goes_on = agent.step()
    used = gc.mem_alloc()
    gc.collect()
    return used if goes_on else -used

gc.collect()
_check.run(begin, step, gc.mem_alloc)
`;

test("all that can be asked for is done in 96 KiB of heap", { timeout: 60_000 }, async () => {
  const model = new DockModel(PROFILES.full, "MOCK-0001");
  model.fillImage("factory", "large", "none", randomBytes(LARGE));
  for (let i = 0; i < 150; i++) model.fillKey("factory", `one of many keys, number ${i}`, { value: "x".repeat(i), upd: false });
  const { python, wire } = await prepareMicroPython(model, { announced: true });
  let begin = (): void => {};
  let step = (): number => 0;
  let used = (): number => 0;
  python.registerJsModule("_check", {
    run: (...all: [typeof begin, typeof step, typeof used]) => {
      [begin, step, used] = all;
    },
  });
  python.runPython(APPLICATION);
  const before = used();
  begin();
  const own = used() - before;
  let most = 0;
  const { host, dock: end } = duplexPair();
  const peer = wire.connect({ isFull: () => false, send: (bytes) => void end.write(bytes) });
  end.on("data", (bytes: Buffer) => {
    peer.receive(bytes);
    for (let goesOn = true; goesOn; ) {
      const now = step();
      goesOn = now > 0;
      most = Math.max(most, Math.abs(now) - before);
    }
  });
  const clock = new ManualClock();
  const options = { clock, software: "somebody who wants everything", handshakeTimeout: USUAL_HANDSHAKE_TIMEOUT };
  const session = await clock.run(Session.open(host, options));
  const [keys, images] = [new KvStore(session), new ImageStore(session)];
  const store = "runtime";
  const picture = randomBytes(LARGE);

  expect(await clock.run(keys.list())).toHaveLength(150);
  const value = Array.from({ length: 4_000 }, (_, i) => i % 24);
  await clock.run(keys.set("k".repeat(255), value, { store }));
  expect(await clock.run(keys.get("k".repeat(255)))).toEqual(value);
  await clock.run(images.put("t".repeat(255), picture, { store, type: "none" }));
  const token = await clock.run(images.getToken("t".repeat(255)));
  expect(picture.equals((await clock.run(images.get(token))).data)).toBe(true);
  const names = Array.from({ length: 40 }, (_, i) => `one of many keys, number ${i}`);
  const tags = ["large", "t".repeat(255), "large", "t".repeat(255), "large", "large"];
  await clock.run(
    Promise.all([
      ...tags.map((tag) => images.get(tag)),
      images.put("another", randomBytes(LARGE), { store, type: "none" }),
      ...names.map((key) => keys.get(key)),
      keys.list(),
      images.list(),
    ]),
  );
  await clock.run(keys.delete("k".repeat(255), { store })); // what is stored is in the heap only here
  for (let i = 0; i < 70; i++) await clock.run(keys.set("again", "x".repeat(2_000 + i), { store }));
  await clock.run(images.delete("another", { store }));
  await clock.run(session.close());

  expect(own).toBeGreaterThan(10_000); // or it isn't measured
  expect(most).toBeGreaterThan(own);
  expect(most).toBeLessThanOrEqual(LIMIT);
  if (process.env.DL7450_MEASURE !== undefined) process.stderr.write(`heap: ${own} bytes at rest, at most ${most}\n`);
});
