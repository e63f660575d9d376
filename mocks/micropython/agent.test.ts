/** The agent for real docks against the protocol's vectors, in MicroPython: its CBOR and COBS by themselves, and what it answers. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DELIMITER, type DockMessage, decodeFrame, encodeMessage, FrameBatch, parseDockMessage } from "../../protocol/index.js";
import { exampleOfSpec } from "../../protocol/testing/spec-example.js";
import { DockModel, PROFILES } from "../dock.js";
import type { Peer } from "../ports/port.js";
import { prepareMicroPython } from "./engine.js";

/** Bytes of a body that the agent takes; the vectors' receivers take more. */
const LARGEST = 4_480;

const good = vectors(
  "good",
  v.object({
    name: v.string(),
    from: v.string(),
    body: v.string(),
    line: v.string(),
    message: v.unknown(),
    reencode: v.optional(v.boolean(), true),
  }),
);
const broken = vectors(
  "broken",
  v.object({
    ...{ name: v.string(), to: v.string(), line: v.string() },
    expect: v.object({ answer: v.optional(v.number()), op: v.optional(v.boolean(), false) }),
  }),
);

function vectors<T>(name: string, one: v.GenericSchema<unknown, T>): T[] {
  const text = readFileSync(new URL(`../../protocol/vectors/${name}.json`, import.meta.url), "utf8");
  return v.parse(v.pipe(v.string(), v.parseJson(), v.array(one)), text);
}

/** Reads a line by itself, and makes it again. */
const CODEC = `
import _check
from binascii import hexlify, unhexlify
from datastore_agent import FrameReader, FrameWriter, Reader, encode

reader, writer = FrameReader(65536), FrameWriter(65536)

def again():
    line = bytearray(unhexlify(_check.line()))
    at, bodies = 0, []
    while at < len(line):
        at, body = reader.feed(line, memoryview(line), at, len(line))
        if body is not None:
            bodies.append(bytes(body))
    body, = bodies
    made = encode(Reader(memoryview(body)).whole())
    _check.found(hexlify(body).decode(), hexlify(made).decode(), hexlify(writer.frame(body)).decode())

_check.run(again)
`;

describe("the agent's own CBOR and COBS", () => {
  let line = "";
  let found: readonly string[] = [];
  let again = (): void => {};

  beforeAll(async () => {
    const { python } = await prepareMicroPython(new DockModel(PROFILES.preview, "MOCK-0001"), { announced: false });
    python.registerJsModule("_check", {
      line: () => line,
      found: (...all: string[]) => {
        found = all;
      },
      run: (then: () => void) => {
        again = then;
      },
    });
    python.runPython(CODEC);
  });

  test("read and make again the example of SPEC.md", () => {
    const example = exampleOfSpec();
    line = example.line;
    again();
    expect(found).toEqual([example.body, example.body, example.line]);
  });

  test.for(good)("read and make again $name", ({ line: given, body, message, reencode }) => {
    line = given;
    again();
    const [read, made, framed] = found;
    expect(read).toBe(body);
    if (!reencode) return;
    expect(framed).toBe(given);
    // Floats go out with 64 bits, and keys in an order of their own.
    if (!/"\$float"/.test(JSON.stringify(message)) && !hasLargerMaps(message)) expect(made).toBe(body);
  });
});

function hasLargerMaps(it: unknown): boolean {
  if (typeof it !== "object" || it === null) return false;
  return (!Array.isArray(it) && Object.keys(it).length > 1) || Object.values(it).some(hasLargerMaps);
}

/** Wakes the agent, once each vector is on its way. */
const AGENT = `
import _check
from datastore_agent import Agent
import sys
_check.run(Agent(sys.stdin.buffer, sys.stdout.buffer).poll)
`;

describe("the agent, in a session", () => {
  const said: DockMessage[] = [];
  let peer: Peer;
  let poll = (): void => {};
  const id = 4_000_000_000;

  beforeAll(async () => {
    const { python, wire } = await prepareMicroPython(new DockModel(PROFILES.preview, "MOCK-0001"), { announced: false });
    python.registerJsModule("_check", {
      run: (then: () => void) => {
        poll = then;
      },
    });
    let run: number[] = [];
    peer = wire.connect({
      isFull: () => false,
      send(bytes) {
        for (const byte of bytes) {
          if (byte !== DELIMITER) run.push(byte);
          else {
            const frame = decodeFrame(Uint8Array.from(run), 65_536);
            run = [];
            const parsed = frame.kind === "body" ? parseDockMessage(frame.body) : undefined;
            if (parsed?.kind === "message") said.push(parsed.message);
          }
        }
      },
    });
    python.runPython(AGENT);
    afterAll(() => peer.hangUp());
  });

  /** What it says to a line, in a session of its own. */
  function answers(line: Uint8Array): DockMessage[] {
    const batch = new FrameBatch();
    batch.add(encodeMessage({ type: "hello", hello: { versions: [1], nonce: randomBytes(8), maxBody: 8_256, software: "" } }));
    peer.receive(batch.take());
    peer.receive(line);
    batch.add(encodeMessage({ type: "cancel", id }));
    peer.receive(batch.take());
    said.length = 0;
    for (let i = 0; i < 100 && !said.some((it) => it.type === "failure" && it.failure.code === "CANCELLED"); i++) poll();
    return said.filter((it) => it.type !== "welcome" && !(it.type === "failure" && it.id === id));
  }

  test.for(broken.filter(({ to, line }) => to === "dock" && line.length / 2 <= LARGEST))(
    "is told $name",
    ({ line, expect: wanted }) => {
      const codes = answers(Buffer.from(line, "hex")).map((it) =>
        it.type === "failure" ? [it.id, it.failure.code] : [it.type],
      );
      if (wanted.op) expect(codes).toEqual([[7, expect.stringMatching(/^(MALFORMED|UNSUPPORTED)$/)]]);
      else expect(codes).toEqual(wanted.answer === undefined ? [] : [[wanted.answer, "MALFORMED"]]);
    },
  );
});
