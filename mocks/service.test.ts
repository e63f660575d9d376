/** What only a host that speaks for itself can see of the service: the driver never asks for it. */
import { expect, test } from "vitest";
import {
  DELIMITER_BYTES,
  type DockMessage,
  decodeFrame,
  encodeFrame,
  encodeMessage,
  type HostMessage,
  LARGEST_BODY,
  parseDockMessage,
  USUAL_BODY,
} from "../protocol/index.js";
import { DockModel, PROFILES } from "./dock.js";
import { DockBehind } from "./dock-behind.js";
import { Memory, Service } from "./service.js";

/** A dock with a host that has said hello. */
function served(): { readonly dock: DockModel; readonly said: DockMessage[]; readonly say: (message: HostMessage) => void } {
  const dock = new DockModel(PROFILES.full, "MOCK-0001");
  const said: DockMessage[] = [];
  const send = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length; ) {
      const end = bytes.indexOf(0, at);
      const frame = decodeFrame(Buffer.from(bytes.subarray(at, end)), LARGEST_BODY);
      const parsed = frame.kind === "body" ? parseDockMessage(frame.body) : undefined;
      if (parsed?.kind === "message") said.push(parsed.message);
      at = end + 1;
    }
  };
  const clock = { now: () => 0, after: () => () => {} };
  const service = new Service(new DockBehind(dock), new Memory(0), { line: { send, isFull: () => false }, clock });
  const say = (message: HostMessage): void =>
    service.receive(Buffer.concat([DELIMITER_BYTES, encodeFrame(encodeMessage(message))]));
  const hello = { versions: [1], nonce: new Uint8Array(8), maxBody: USUAL_BODY, software: "", session: new Uint8Array(8) };
  say({ type: "hello", hello });
  return { dock, said, say };
}

const upload = { tag: "logo", type: "none", size: 5_000, sha256: new Uint8Array(32), store: "runtime" } as const;

test.each(["txn.commit", "txn.rollback", "dock.reset"])(
  "an upload that isn't through when %s ends its transaction fails with STALE at once, and sets its room free",
  (op) => {
    const { dock, said, say } = served();
    say({ type: "request", id: 1, op: "txn.begin", params: { store: "runtime" } });
    const begun = said.at(-1);
    const txn = begun?.type === "result" ? Number(begun.value.txn) : 0;
    say({ type: "request", id: 2, op: "image.put", params: { ...upload, txn } });
    say({ type: "request", id: 3, op, params: op === "dock.reset" ? {} : { txn } });
    expect(said.at(-1)).toMatchObject({ type: "failure", id: 2, failure: { code: "STALE" } });
    const room = dock.capacity("runtime") - Buffer.byteLength("all");
    expect(() => dock.reserve("runtime", "all", room)).not.toThrow();
    say({ type: "hostData", id: 2, offset: 0, bytes: Uint8Array.of(1) });
    expect(said.at(-1)).toMatchObject({ type: "failure", id: 2 }); // which is ignored
  },
);

test("an upload outside of a transaction goes on when one ends", () => {
  const { said, say } = served();
  say({ type: "request", id: 1, op: "txn.begin", params: { store: "ephemeral" } });
  say({ type: "request", id: 2, op: "image.put", params: upload });
  say({ type: "request", id: 3, op: "dock.reset", params: {} });
  expect(said.at(-1)).toMatchObject({ type: "result", id: 3 });
});

test("cancels of what never arrived don't push out the answers to writes", () => {
  const { dock, say } = served();
  const set: HostMessage = {
    type: "request",
    id: 1_000,
    op: "kv.set",
    params: { key: "a", value: 1, store: "runtime" },
  };
  say(set);
  const generation = dock.generation("runtime");
  for (let id = 1; id <= 65; id++) say({ type: "cancel", id });
  say(set);
  expect(dock.generation("runtime")).toBe(generation);
});
