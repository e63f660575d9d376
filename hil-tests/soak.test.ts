/** The soak's own accounts: what a dock holds and how often it has changed are as the callers were told, scene by scene. */
import { expect, test } from "vitest";
import { DockModel, PROFILES } from "../mocks/dock.js";
import { DockBehind } from "../mocks/dock-behind.js";
import { parseFault } from "../mocks/faults/parse.js";
import { Faults } from "../mocks/faults.js";
import { Random } from "../mocks/random.js";
import { Memory, Service } from "../mocks/service.js";
import { Session } from "../src/session.js";
import { ManualClock } from "../src/testing/manual-clock.js";
import { problemsOf } from "./promises/found.js";
import { MemoryPort } from "./promises/memory-port.js";
import { InMemory } from "./promises/play.js";
import { Tape } from "./promises/tape.js";
import { Reference } from "./soak/reference.js";
import { Tally, Worker } from "./soak/worker.js";

/** Draws that set a key in runtime: the layer, what to do, the key; then no abort, and a short value. */
const SETS_A_KEY = [1, 11, 0];

test("a write that was lost isn't taken for done because its value was written in a scene before", async () => {
  const clock = new ManualClock();
  const dock = new DockModel(PROFILES.full, "SOAK-0001");
  const faults = new Faults(clock);
  // The dock hears a hello and the write of one scene, and restarts as it hears that of the next.
  faults.add(parseFault("restart:at=3,way=toDock", new Random(1)));
  const memory = new Memory(clock.now());
  const serve = faults.wrap((line) => new Service(new DockBehind(dock), memory, { line, clock, faults }));
  const port = new MemoryPort(serve, { plug: "can be pulled", holdsBack: true, seed: 1 });
  const nothing = (): void => {};
  const reopening = { open: async () => port.open(), timeout: 30_000, onLost: nothing, onBack: nothing };
  const session = await clock.run(Session.open(port.open(), { clock, software: "soak", handshakeTimeout: 5_000, reopening }));
  const [reference, tally, chance] = [new Reference(), new Tally(), new Tape()];
  const options = { name: "w0", reference, tally, chance, explained: new Set(["OUTCOME_UNKNOWN"] as const), largest: 1 };
  for (const round of [1, 2]) {
    chance.load(SETS_A_KEY);
    await clock.run(new Worker(new InMemory(session), { ...options, round, images: "known" }).step());
  }
  expect(problemsOf(dock, reference, faults.counts)).toEqual([]);
  expect([...tally.failures]).toEqual([["OUTCOME_UNKNOWN", 1]]);
  await clock.run(session.close());
});
