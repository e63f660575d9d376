/**
 * The other end of a bare pipe, in a process of its own, without a protocol: the serial port that is named, by serialport as it comes, or else
 * a pseudo-terminal, served as the mock serves it and cut into the same pieces. It answers `n\n` with n bytes, `>n\n` with one byte when n
 * more have come, and anything else with itself.
 */
import { SerialPort } from "serialport";
import { endWithParent, fail, ready } from "../mocks/lifetime.js";
import type { Peer } from "../mocks/ports/port.js";
import { servePseudoTerminal } from "../mocks/ports/pseudo-terminal.js";
import { Random } from "../mocks/random.js";

const random = new Random(1);
const block = random.bytes(1_000_000);
let asked = "";
/** Bytes that are still to come. */
let toCome = 0;

endWithParent();
const [path] = process.argv.slice(2);
if (path === undefined) await servePseudoTerminal(random, peerOn);
else serveSerialPort(path);

function serveSerialPort(path: string): void {
  const port = new SerialPort({ path, baudRate: 115_200 }, (error) => (error === null ? ready(path) : fail(error.message)));
  const peer = peerOn({ send: (bytes) => port.write(bytes) });
  port.on("data", (bytes: Buffer) => peer.receive(bytes));
}

function peerOn(line: { send(bytes: Uint8Array): void }): Peer {
  return {
    receive(bytes) {
      if (toCome > 0) {
        toCome -= bytes.length;
        if (toCome <= 0) line.send(Buffer.from("."));
        return;
      }
      asked += Buffer.from(bytes).toString("latin1");
      const [, pushed, rest = ""] = /^>(\d+)\n(.*)$/s.exec(asked) ?? [];
      if (pushed !== undefined) {
        toCome = Number(pushed) - rest.length;
        asked = "";
        return;
      }
      if (!asked.endsWith("\n")) return;
      const wanted = Number(asked);
      if (Number.isNaN(wanted)) line.send(Buffer.from(asked, "latin1"));
      else for (let left = wanted; left > 0; left -= block.length) line.send(block.subarray(0, Math.min(left, block.length)));
      asked = "";
    },
    drained() {},
    hangUp() {},
  };
}
