/**
 * The other end of a bare pipe: a pseudo-terminal served by a process of its own, as the mock serves it, without a protocol. It answers
 * `n\n` with n bytes, cut into the same pieces as the mock's, and anything else with itself.
 */
import { endWithParent } from "../mocks/lifetime.js";
import { servePseudoTerminal } from "../mocks/port.js";
import { Random } from "../mocks/random.js";

const random = new Random(1);
const block = random.bytes(1_000_000);
let asked = "";

endWithParent();
servePseudoTerminal(random, (line) => ({
  receive(bytes) {
    asked += Buffer.from(bytes).toString("latin1");
    if (!asked.endsWith("\n")) return;
    const wanted = Number(asked);
    if (Number.isNaN(wanted)) line.send(Buffer.from(asked, "latin1"));
    else for (let left = wanted; left > 0; left -= block.length) line.send(block.subarray(0, Math.min(left, block.length)));
    asked = "";
  },
  drained() {},
  hangUp() {},
}));
