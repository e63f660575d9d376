/** A host that comes back after its line was lost: what the dock has forgotten isn't done again (SPEC §3.4). */
import { expect, test } from "vitest";
import { DockModel, PROFILES } from "../mocks/dock.js";
import { DockBehind } from "../mocks/dock-behind.js";
import { parseFault } from "../mocks/faults/parse.js";
import { type Fault, Faults } from "../mocks/faults.js";
import { Random } from "../mocks/random.js";
import { Memory, Service } from "../mocks/service.js";
import { KvStore } from "../src/kv-store.js";
import { Session } from "../src/session.js";
import { ManualClock } from "../src/testing/manual-clock.js";
import { codeOf } from "./contract/calls.js";
import { MemoryPort } from "./promises/memory-port.js";

const nothing = (): void => {};

test("a write isn't done twice when the welcome that tells of a restart is lost with the line", async () => {
  const clock = new ManualClock();
  const dock = new DockModel(PROFILES.full, "MOCK-0001");
  const faults = new Faults(clock);
  // As it is about to answer the write, the dock restarts.
  faults.add(parseFault("restart:at=3,way=toHost", new Random(1)));
  let welcomes = 0;
  const losesTheSecondWelcome: Fault = {
    kind: "loses",
    say(message, dock) {
      if (message.type !== "welcome" || ++welcomes !== 2) return undefined;
      dock.after(1, () => port.unplug());
      return [];
    },
  };
  faults.add(losesTheSecondWelcome);
  const memory = new Memory(clock.now());
  const serve = faults.wrap((line) => new Service(new DockBehind(dock), memory, { line, clock, faults }));
  const port = new MemoryPort(serve, { plug: "can be pulled", holdsBack: true, seed: 1 });
  const reopening = { open: async () => port.open(), timeout: 30_000, onLost: nothing, onBack: nothing };
  const session = await clock.run(Session.open(port.open(), { clock, software: "a test", handshakeTimeout: 5_000, reopening }));
  const code = await clock.run(codeOf(new KvStore(session).set("k", 1, { store: "runtime" })));
  expect({ welcomes, generation: dock.generation("runtime") }).toEqual({ welcomes: 3, generation: 1 });
  expect(code).toBeUndefined(); // the key has the value, so it was done
  await clock.run(session.close());
});
