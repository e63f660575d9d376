/** What a dock in MicroPython reads and writes: the line of whoever is connected. */
import type { Line, Peer } from "../ports/port.js";

/** Bytes that may wait to be read: what a host that keeps to the agent's window sends, many times over. */
const MOST_WAITING = 1024 * 1024;

export class Wire {
  #line: Line | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** A line has ended, which Python hasn't been told. */
  #isLost = false;

  connect(line: Line): Peer {
    this.#line = line;
    this.#clear();
    return {
      receive: (bytes) => {
        if (this.#line !== line || this.#waitingBytes > MOST_WAITING) return; // as a line that overflows
        this.#waiting.push(Uint8Array.from(bytes));
        this.#waitingBytes += bytes.length;
      },
      drained: () => {},
      hangUp: () => {
        if (this.#line !== line) return;
        this.#line = undefined;
        this.#isLost = true;
        this.#clear();
      },
    };
  }

  /** Gives how many bytes there were: 0 when there are none now. Once after a line has ended it says so, as a port does that notices. */
  read(into: Uint8Array): number | "lost" {
    if (this.#isLost) {
      this.#isLost = false;
      return "lost";
    }
    let count = 0;
    for (let first = this.#waiting[0]; first !== undefined && count < into.length; first = this.#waiting[0]) {
      const taken = first.subarray(0, into.length - count);
      into.set(taken, count);
      count += taken.length;
      if (taken.length === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(taken.length);
    }
    this.#waitingBytes -= count;
    return count;
  }

  /** Gives how many bytes it has taken: none while the line is full. */
  write(bytes: Uint8Array): number {
    if (this.#line === undefined) return bytes.length; // nobody hears it
    if (this.#line.isFull()) return 0;
    this.#line.send(Uint8Array.from(bytes)); // a copy: the memory is Python's
    return bytes.length;
  }

  #clear(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
  }
}
