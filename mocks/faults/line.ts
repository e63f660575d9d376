/** What can go wrong on the line. */
import type { Fault, FaultyLine, Way } from "../faults.js";
import type { Random } from "../random.js";
import { bothWays, meets, Occasions } from "./occasions.js";
import type { FaultOptions } from "./options.js";

/** Makes a fault. */
export type MakeFault = (options: FaultOptions, random: Random) => Fault;

export const drop = ofBytes("drop", () => []);
export const flip = ofBytes("flip", (byte, random) => [byte ^ (1 << random.between(0, 7))]);
export const insert = ofBytes("insert", (byte, random) => [byte, random.between(0, 255)]);

export function duplicate(options: FaultOptions, random: Random): Fault {
  const make = options.frames === undefined ? duplicateBytes : duplicateFrames;
  return make(options, random);
}
const duplicateBytes = ofBytes("duplicate", (byte) => [byte, byte]);
const duplicateFrames = ofFrames("duplicate", (frame) => [frame, frame]);

export const truncate = ofFrames("truncate", (frame, random) => [frame.subarray(0, random.between(0, frame.length - 1))]);
/** The text is a run of its own, as a dock prints it that keeps to SPEC §1.5. */
export const text = ofFrames("text", (frame, random) => [printed(random), frame]);

/** Loses every delimiter that stands between a frame and the next one. */
export function merge(options: FaultOptions, random: Random): Fault {
  const occasions = bothWays(options, random);
  const states = new PerLine((): { at: "start" | "frame" | "loss" } => ({ at: "start" }));
  return {
    kind: "merge",
    carry(bytes, way, line) {
      if (!meets(options, way)) return undefined;
      const state = states.of(line, way);
      const kept = bytes.filter((byte) => {
        if (byte !== 0) {
          state.at = "frame";
        } else if (state.at === "frame") {
          state.at = occasions[way].now() ? "loss" : "start";
          if (state.at === "loss") line.count();
        }
        return byte !== 0 || state.at !== "loss";
      });
      return kept.length === bytes.length ? undefined : [kept];
    },
  };
}

/** Keeps a frame until the next one has gone before it. */
export function reorder(options: FaultOptions, random: Random): Fault {
  const occasions = bothWays(options, random);
  const states = new PerLine((): { kept?: Uint8Array } => ({}));
  return {
    kind: "reorder",
    carryFrame(frame, way, line) {
      if (!meets(options, way)) return undefined;
      const state = states.of(line, way);
      const { kept } = state;
      if (kept !== undefined) {
        delete state.kept;
        line.count();
        return [frame, kept];
      }
      if (!occasions[way].now()) return undefined;
      state.kept = frame;
      return [];
    },
    leaveLine(way, line) {
      const { kept } = states.of(line, way);
      return kept === undefined ? [] : [kept];
    },
  };
}

export function delay(options: FaultOptions): Fault {
  const { ms = 0 } = options;
  return {
    kind: "delay",
    carry(_bytes, way, line) {
      if (!meets(options, way)) return undefined;
      line.hold(way, ms);
      line.count();
      return undefined;
    },
  };
}

export function rate(options: FaultOptions): Fault {
  const { bytes: bytesPerSecond = Number.POSITIVE_INFINITY } = options;
  return {
    kind: "rate",
    carry(_bytes, way, line) {
      if (!meets(options, way)) return undefined;
      line.pace(way, bytesPerSecond);
      line.count();
      return undefined;
    },
  };
}

export function stall(options: FaultOptions, random: Random): Fault {
  const { ms = 0 } = options;
  const occasions = bothWays(options, random);
  return {
    kind: "stall",
    carry(bytes, way, line) {
      if (!meets(options, way)) return undefined;
      const stalls = occasions[way].among(bytes.length).length;
      if (stalls === 0) return undefined;
      line.hold(way, ms * stalls);
      line.count(stalls);
      return undefined;
    },
  };
}

export function echo(): Fault {
  return {
    kind: "echo",
    carry(bytes, way, line) {
      if (way === "toHost") return undefined;
      line.send("toHost", bytes);
      line.count();
      return undefined;
    },
  };
}

/** Bytes both ways are counted together, unless one way was given. */
export function cut(options: FaultOptions, random: Random): Fault {
  const { back = Number.POSITIVE_INFINITY } = options;
  const occasions = new Occasions(options, random);
  return {
    kind: "cut",
    carry(bytes, way, line) {
      const last = meets(options, way) ? occasions.first(bytes.length) : undefined;
      if (last === undefined) return undefined;
      line.cut(back);
      line.count();
      return [bytes.subarray(0, last + 1)];
    },
  };
}

/** A fault that meets single bytes. `mishap` gives what becomes of one. */
function ofBytes(kind: string, mishap: (byte: number, random: Random) => readonly number[]): MakeFault {
  return (options, random) => {
    const occasions = bothWays(options, random);
    return {
      kind,
      carry(bytes, way, line) {
        if (!meets(options, way)) return undefined;
        const hits = occasions[way].among(bytes.length);
        if (hits.length === 0) return undefined;
        line.count(hits.length);
        const parts: Uint8Array[] = [];
        let from = 0;
        for (const hit of hits) {
          const [byte = 0] = bytes.subarray(hit);
          parts.push(bytes.subarray(from, hit), Uint8Array.from(mishap(byte, occasions[way].random)));
          from = hit + 1;
        }
        parts.push(bytes.subarray(from));
        return [Buffer.concat(parts)];
      },
    };
  };
}

/** A fault that meets whole frames. `mishap` gives what becomes of one. */
function ofFrames(kind: string, mishap: (frame: Uint8Array, random: Random) => readonly Uint8Array[]): MakeFault {
  return (options, random) => {
    const occasions = bothWays(options, random);
    return {
      kind,
      carryFrame(frame, way, line) {
        if (!meets(options, way) || !occasions[way].now()) return undefined;
        line.count();
        return mishap(frame, occasions[way].random);
      },
    };
  };
}

/** What a fault remembers of what went along a line. A line that was cut begins anew. */
class PerLine<T> {
  readonly #make: () => T;
  readonly #states = new WeakMap<FaultyLine, Readonly<Record<Way, T>>>();

  constructor(make: () => T) {
    this.#make = make;
  }

  of(line: FaultyLine, way: Way): T {
    const known = this.#states.get(line) ?? { toDock: this.#make(), toHost: this.#make() };
    this.#states.set(line, known);
    return known[way];
  }
}

const PRINTED = [
  "I (1523) app: dock ready\r\n",
  "\x1b[33mW (20471) usb: endpoint 3 stalled, cleared\x1b[0m\r\n",
  'Traceback (most recent call last):\r\n  File "main.py", line 42, in poll\r\nOSError: [Errno 110] ETIMEDOUT\r\n',
  "Temperatur 41 °C, Lüfter 1200/min\r\n",
  ">>> ",
] as const;

function printed(random: Random): Uint8Array {
  return Buffer.from(PRINTED[random.between(0, PRINTED.length - 1)] ?? "");
}
