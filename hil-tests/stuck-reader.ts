/** A client of its own process that asks for a large image, reads the first bytes of it, and never reads again. */
import { DELIMITER_BYTES, encodeFrame, encodeMessage, type HostMessage, USUAL_BODY } from "../protocol/index.js";
import { firstOutput, killNow, startNode } from "./processes.js";

/**
 * Starts it on a stock dock, and waits until it has read so many bytes: the first hundreds are the welcome. It is killed when it
 * is disposed of.
 */
export async function startStuckReader(target: string, bytes = 1_000): Promise<AsyncDisposable> {
  const child = startNode(
    READER,
    String(bytes),
    target,
    Buffer.concat([DELIMITER_BYTES, ...ASKED.map(frameOf)]).toString("hex"),
  );
  await firstOutput(child);
  return { [Symbol.asyncDispose]: () => killNow(child) };
}

const HELLO: HostMessage = {
  type: "hello",
  hello: { versions: [1], nonce: Buffer.alloc(8), maxBody: USUAL_BODY, software: "stuck reader" },
};

const ASKED: readonly HostMessage[] = [
  HELLO,
  // More credit than any line has room for, so that the dock has to wait in the middle of a frame.
  { type: "request", id: 1, op: "image.get", params: { tag: "welcome", credit: 2 ** 31 } },
  // So that a welcome which isn't for whoever comes next is among what is left unread.
  HELLO,
];

function frameOf(message: HostMessage): Uint8Array {
  return encodeFrame(encodeMessage(message));
}

const READER = `
  import { constants, openSync, readSync, writeSync } from "node:fs";
  import { connect } from "node:net";
  const [bytes, target, frames] = process.argv.slice(1);
  if (target.startsWith("tcp://")) {
    const { hostname, port } = new URL(target);
    const socket = connect(Number(port), hostname);
    socket.write(Buffer.from(frames, "hex"));
    socket.on("readable", () => {
      if (socket.read(Number(bytes)) === null) return;
      socket.removeAllListeners("readable");
      writeSync(1, "reading");
    });
  } else {
    const port = openSync(target, constants.O_RDWR | constants.O_NOCTTY);
    writeSync(port, Buffer.from(frames, "hex"));
    for (let left = Number(bytes); left > 0; ) left -= readSync(port, Buffer.alloc(left));
    writeSync(1, "reading");
  }
`;
