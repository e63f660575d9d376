/**
 * The other end of a bare pipe: a pseudo-terminal served by a process of its own, as the mock serves it, without a protocol. It answers
 * `n\n` with n bytes, cut into the same pieces as the mock's, `>n\n` with one byte when n more have come, and anything else with itself.
 */
import { endWithParent } from "../mocks/lifetime.js";
import { servePseudoTerminal } from "../mocks/ports/pseudo-terminal.js";
import { Random } from "../mocks/random.js";

const random = new Random(1);
const block = random.bytes(1_000_000);
let asked = "";
/** Bytes that are still to come. */
let toCome = 0;

endWithParent();
await servePseudoTerminal(random, (line) => ({
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
}));
