/** A port in memory: whoever opens it has a line to the same dock, as with a cable that is plugged in again. */
import type { Duplex } from "node:stream";
import type { Line, Serve } from "../../mocks/ports/port.js";
import { chopping, duplexPair } from "../../src/testing/duplex-pair.js";
import { Random } from "../../src/testing/random.js";
import type { Transport } from "../../src/transport/transport.js";

export interface PortOptions {
  /** Whether the dock's end can be cut and notices when the host is gone, as with TCP, or not, as with a pseudo-terminal. */
  readonly plug: "can be pulled" | "none";
  readonly holdsBack: boolean;
  /** For where bytes are cut into pieces. */
  readonly seed: number;
}

type Peer = ReturnType<Serve>;

/** Bytes that may wait to go out before streams have to wait, as at the ports of a mock. */
const FULL = 64 * 1024;

export class MemoryPort {
  readonly #serve: Serve;
  readonly #options: PortOptions;
  readonly #random: Random;
  /** The dock's end of the line that was opened last. */
  #end: Duplex | undefined;
  #hangUp: () => void = () => {};
  /** Who answers for good, where the dock doesn't notice that hosts come and go. */
  #lasting: Peer | undefined;

  constructor(serve: Serve, options: PortOptions) {
    this.#serve = serve;
    this.#options = options;
    this.#random = new Random(options.seed);
  }

  /** Opens a line. The one before is over then. */
  open(): Transport {
    this.#hangUp();
    const carry = chopping(this.#random);
    const { host, dock } = duplexPair({ toHost: carry, toDock: carry, holdsBack: this.#options.holdsBack });
    dock.on("error", () => {}); // `close` follows
    this.#end = dock;
    if (this.#options.plug === "none") this.#joinLasting(dock);
    else this.#joinNew(dock);
    return host;
  }

  /** The cable is gone, and the dock notices in any case. */
  unplug(): void {
    this.#hangUp();
    this.#lasting?.hangUp();
  }

  #joinNew(dock: Duplex): void {
    const peer = this.#serve({ ...lineTo(() => dock), cut: () => dock.end() });
    let isGone = false;
    this.#hangUp = () => {
      if (isGone) return;
      isGone = true;
      dock.destroy();
      peer.hangUp();
    };
    dock.on("end", this.#hangUp);
    dock.on("close", this.#hangUp);
    dock.on("data", (bytes: Buffer) => {
      if (!isGone) peer.receive(bytes);
    });
    dock.on("drain", () => peer.drained());
  }

  #joinLasting(dock: Duplex): void {
    this.#lasting ??= this.#serve(lineTo(() => this.#end));
    const peer = this.#lasting;
    this.#hangUp = () => dock.destroy();
    dock.on("data", (bytes: Buffer) => peer.receive(bytes));
    dock.on("drain", () => peer.drained());
  }
}

/** What is sent while nobody is there, or after the cut, is lost. */
function lineTo(end: () => Duplex | undefined): Line {
  return {
    send(bytes) {
      const dock = end();
      if (dock?.writable) dock.write(bytes);
    },
    isFull: () => (end()?.writableLength ?? 0) >= FULL,
  };
}
