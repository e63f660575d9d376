/** The agent in MicroPython whose host vanishes, and one that is killed. */
import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { DELIMITER_BYTES, decodeFrame, encodeFrame, encodeMessage, parseDockMessage } from "../../protocol/index.js";
import { Dock } from "../../src/index.js";
import { codeOf } from "../contract/calls.js";
import { expectAnswers } from "../contract/reading.js";
import { Wire } from "../contract/wire.js";
import { startMock } from "../mock-dock.js";
import { startStuckReader } from "../stuck-reader.js";

test("a connection that ends ends its session: who comes next is told that there is none, and gets nothing of the one before", async () => {
  await using mock = await startMock("--engine", "micropython", "--tcp", "0");
  for (let round = 0; round < 3; round++) {
    await using _reader = await startStuckReader(mock.target, 1_000);
  }
  const [host = "", port] = mock.port.split(":");
  const socket = connect(Number(port), host);
  let said = Buffer.alloc(0);
  const request = encodeFrame(encodeMessage({ type: "request", id: 5, op: "kv.get", params: { key: "timezone" } }));
  socket.write(Buffer.concat([DELIMITER_BYTES, request]));
  while (said.indexOf(0, 1) < 0) said = Buffer.concat([said, ...(await once(socket, "data"))]);
  const frame = decodeFrame(said.subarray(1, said.indexOf(0, 1)), 512);
  const parsed = frame.kind === "body" ? parseDockMessage(frame.body) : frame;
  expect(parsed).toMatchObject({ message: { type: "failure", id: 5, failure: { code: "NO_SESSION" } } });
  socket.destroy();
});

describe.for([
  { line: "a pseudo-terminal", options: [] },
  { line: "TCP", options: ["--tcp", "0"] },
] as const)("over $line", ({ options }) => {
  test.for([10, 1_000, 100_000])(
    "a client that was killed after %i bytes of an image leaves the next one served",
    async (bytes) => {
      await using mock = await startMock("--engine", "micropython", ...options);
      {
        await using _reader = await startStuckReader(mock.target, bytes);
      }
      const wire = new Wire();
      await using dock = await Dock.open(mock.target, wire.options);
      expect(wire.welcome.dock.id).toBe(dock.id);
      await expectAnswers(dock);
      const { sha256 } = await dock.images.get("welcome");
      const listed = (await dock.images.list()).find(({ tag }) => tag === "welcome");
      expect(listed?.sha256).toEqual(sha256);
    },
  );

  test("one that is killed in the middle of a stream is LINK_LOST", async () => {
    await using mock = await startMock("--engine", "micropython", ...options);
    await using dock = await Dock.open(mock.target);
    const read = async (): Promise<void> => {
      for await (const _ of dock.images.stream("welcome")) await mock.stop("SIGKILL");
    };
    expect(await codeOf(read())).toBe("LINK_LOST");
    expect(await dock.closed).toMatchObject({ code: "LINK_LOST", retryable: true });
  });

  test("one that has a client is BUSY for another, and the first goes on", async () => {
    await using mock = await startMock("--engine", "micropython", ...options);
    await using dock = await Dock.open(mock.target);
    let second: string | undefined;
    for await (const _ of dock.images.stream("meeting")) second ??= await codeOf(Dock.open(mock.target));
    expect(second).toBe("BUSY");
    await expectAnswers(dock);
  });
});
