/** Whether a dock serves an honest host, whatever others have said to it before. */
import { expect } from "vitest";
import type { Layer } from "../../protocol/index.js";
import { ImageStore } from "../../src/image-store.js";
import { KvStore } from "../../src/kv-store.js";
import { Session, USUAL_HANDSHAKE_TIMEOUT } from "../../src/session.js";
import type { ManualClock } from "../../src/testing/manual-clock.js";
import type { Transport } from "../../src/transport/transport.js";

/** Writes to `store` with the real driver, over a line to the dock, and reads it back. */
export async function expectServed(line: Transport, clock: ManualClock, store: Layer): Promise<void> {
  const options = { clock, software: "an honest host", handshakeTimeout: USUAL_HANDSHAKE_TIMEOUT };
  const session = await clock.run(Session.open(line, options));
  const [keys, images] = [new KvStore(session), new ImageStore(session)];
  const picture = Buffer.alloc(100_000, 7);
  await clock.run(keys.set("honest", 1, { store }));
  await clock.run(images.put("honest", picture, { store, type: "none" }));
  expect(await clock.run(keys.get("honest"))).toBe(1);
  expect(Buffer.compare((await clock.run(images.get("honest"))).data, picture)).toBe(0);
  await clock.run(session.close());
}
