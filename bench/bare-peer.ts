/**
 * The other end of a bare pipe: a pseudo-terminal served by a process of its own, as the mock serves it, without a protocol. It answers
 * `n\n` with n bytes, cut into the same pieces as the mock's, and anything else with itself.
 */
import { endWithParent } from "../mocks/lifetime.js";
import { servePseudoTerminal } from "../mocks/port.js";
import { Random } from "../mocks/random.js";

const random = new Random(1);
const block = random.bytes(1_000_000);
let line = "";

endWithParent();
servePseudoTerminal(random, (send) => ({
  receive(bytes) {
    line += Buffer.from(bytes).toString("latin1");
    if (!line.endsWith("\n")) return;
    const wanted = Number(line);
    if (Number.isNaN(wanted)) send(Buffer.from(line, "latin1"));
    else for (let left = wanted; left > 0; left -= block.length) send(block.subarray(0, Math.min(left, block.length)));
    line = "";
  },
  hangUp() {},
}));
