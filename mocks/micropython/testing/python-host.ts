/** A host in the same Python as the agent, for rules that are shorter to say there. */
import { DockModel, PROFILES } from "../../dock.js";
import { prepareMicroPython } from "../engine.js";

/** `told` gives the agent messages and gives what it says; `line` can be broken, or take few bytes at a time. */
const HOST = `
import datastore_agent
from datastore_agent import *

class Line:
    def __init__(self):
        self.inbox, self.outbox, self.fails, self.most = b"", bytearray(), False, 100000
    def readinto(self, buffer):
        count = min(len(buffer), len(self.inbox))
        buffer[:count] = self.inbox[:count]
        self.inbox = self.inbox[count:]
        return count
    def write(self, view):
        if self.fails:
            raise OSError(5)
        self.outbox.extend(view[:self.most])
        return min(len(view), self.most)

line = Line()
agent = Agent(line, line)
host = FrameWriter(8256)

def told(*messages):
    line.inbox += b"".join(bytes(host.frame(encode(it))) for it in messages)
    for _ in range(200):
        agent.poll()
    reader, at, said = FrameReader(65536), 0, []
    while at < len(line.outbox):
        at, body = reader.feed(line.outbox, memoryview(line.outbox), at, len(line.outbox))
        if body is not None:
            said.append(owned(Reader(memoryview(bytes(body))).whole()))
    line.outbox = bytearray()
    return said

def hello(nonce, **more):
    asked = {"versions": [1], "nonce": nonce * 8, "maxBody": 8256, "software": ""}
    asked.update(more)
    return told([HELLO, asked])[-1][1]

def finals(said):
    return sorted((it[1], it[2].get("code", "") if it[0] == FAILURE else "") for it in said if it[0] in (RESULT, FAILURE))

def answer(number, op, **params):
    said = told([REQUEST, number, op, params])
    assert len(said) == 1 and said[0][1] == number, said
    return said[0][2]

def is_equal(found, wanted):
    assert found == wanted, (found, wanted)
`;

/** Runs what asserts, in a Python of its own, on a dock with 26 images of 10,000 bytes in factory. */
export async function expectHolds(firmware: "preview" | "announced", code: string): Promise<void> {
  const announced = firmware === "announced";
  const dock = new DockModel(announced ? PROFILES.full : PROFILES.preview, "MOCK-0001");
  for (const tag of "abcdefghijklmnopqrstuvwxyz") dock.fillImage("factory", tag, "none", Buffer.alloc(10_000, tag));
  dock.fillKey("factory", "timezone", { value: "GMT", upd: false });
  const { python } = await prepareMicroPython(dock, { announced });
  python.runPython(HOST + code);
}
