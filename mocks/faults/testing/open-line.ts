/** A faulty line in memory, with what comes out of it at both ends. */
import type { FaultClock, Faults, Way } from "../../faults.js";
import type { Line, Serve } from "../../ports/port.js";

/** Bytes that came out, and when. */
interface Arrival {
  readonly at: number;
  readonly bytes: Uint8Array;
}

export interface OpenLine {
  /** Puts bytes in at one end. */
  put(way: Way, bytes: Uint8Array | string): void;
  /** What came out, in order. */
  readonly arrivals: Readonly<Record<Way, Arrival[]>>;
  /** All of it together. */
  came(way: Way): Buffer;
  /** The same as text. */
  text(way: Way): string;
  /** What the dock's end was told. */
  readonly told: string[];
  /** What the port sees. */
  readonly peer: ReturnType<Serve>;
  /** What the dock sees. */
  readonly line: Line;
  /** How often the port was told to cut the connection. */
  readonly cuts: number;
  /** How much waits in the port to go out. */
  port: "full" | "empty";
}

/** @param port whether it can cut a connection, as TCP can, or can't, as a pseudo-terminal */
export function openLine(faults: Faults, clock: FaultClock, port: "tcp" | "terminal" = "tcp"): OpenLine {
  const arrivals: Record<Way, Arrival[]> = { toDock: [], toHost: [] };
  const told: string[] = [];
  let cuts = 0;
  const take = (way: Way) => (bytes: Uint8Array) => void arrivals[way].push({ at: clock.now(), bytes: Uint8Array.from(bytes) });
  let line: Line = { send: take("toHost"), isFull: () => open.port === "full" };
  const outer = { ...line, ...(port === "tcp" ? { cut: () => void cuts++ } : {}) };
  const peer = faults.wrap((inner) => {
    line = inner;
    return { receive: take("toDock"), drained: () => void told.push("drained"), hangUp: () => void told.push("hangUp") };
  })(outer);
  const came = (way: Way): Buffer => Buffer.concat(arrivals[way].map(({ bytes }) => bytes));
  const open: OpenLine = {
    put(way, it) {
      const bytes = typeof it === "string" ? Buffer.from(it) : it;
      if (way === "toDock") peer.receive(bytes);
      else line.send(bytes);
    },
    arrivals,
    came,
    text: (way) => came(way).toString(),
    told,
    peer,
    get line() {
      return line;
    },
    get cuts() {
      return cuts;
    },
    port: "empty",
  };
  return open;
}
