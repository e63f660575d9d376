/** A connection whose bytes meet the faults of the line, both ways, between the port and who answers. */
import { DELIMITER_BYTES } from "../protocol/index.js";
import { FrameSplitter } from "./faults/frames.js";
import { Lane } from "./faults/lane.js";
import type { Fault, FaultClock, FaultyLine, Way } from "./faults.js";
import type { Line, Peer, Serve } from "./ports/port.js";

/** A fault, and those beneath it, which change when faults are replaced. */
export interface Stacked {
  readonly fault: Fault;
  older: Stacked | undefined;
}

/** What all connections have in common. */
interface Circumstances {
  readonly clock: FaultClock;
  /** Those that are open. */
  readonly connections: Set<FaultyConnection>;
  /** Until when which fault has the line cut. */
  readonly outages: Map<Stacked, number>;
  readonly newest: () => Stacked | undefined;
  readonly count: (kind: string, times: number) => void;
}

/** What a fault has on this connection. */
interface Place {
  readonly line: FaultyLine;
  readonly frames: Readonly<Record<Way, FrameSplitter>>;
  /** Which way the fault is carrying something just now. */
  carrying: Way | undefined;
  /** The cut that it has asked for meanwhile: after how many milliseconds the line is back. */
  cut: number | undefined;
}

/** Whether a fault has the line cut just now. */
export function isCut({ clock, outages }: Pick<Circumstances, "clock" | "outages">): boolean {
  for (const backAt of outages.values()) if (clock.now() < backAt) return true;
  return false;
}

/** Between a port and who answers: to the port it is the one who answers, to that one it is the line. */
export class FaultyConnection implements Peer, Line {
  /** For who answers: cuts the connection once all that was sent has gone, where the port can. */
  readonly cut?: () => void;
  readonly #line: Line;
  readonly #circumstances: Circumstances;
  readonly #lanes: Readonly<Record<Way, Lane>>;
  readonly #peer: Peer;
  #places = new Map<Stacked, Place>();
  /** The port was told to cut this connection: nothing comes back. */
  #gone = false;

  constructor(line: Line, serve: Serve, circumstances: Circumstances) {
    this.#line = line;
    this.#circumstances = circumstances;
    const { clock } = circumstances;
    this.#lanes = {
      toDock: new Lane(clock, (bytes) => this.#peer.receive(bytes), nothing),
      toHost: new Lane(
        clock,
        (bytes) => line.send(bytes),
        () => this.drained(),
      ),
    };
    if (line.cut !== undefined) this.cut = () => this.#lanes.toHost.endWith(() => this.#cut());
    this.#peer = serve(this);
    circumstances.connections.add(this);
  }

  receive(bytes: Uint8Array): void {
    this.#carry("toDock", bytes, this.#circumstances.newest());
  }

  send(bytes: Uint8Array): void {
    this.#carry("toHost", bytes, this.#circumstances.newest());
  }

  isFull(): boolean {
    return this.#line.isFull() || this.#lanes.toHost.isFull();
  }

  drained(): void {
    if (!this.isFull()) this.#peer.drained();
  }

  hangUp(): void {
    this.#circumstances.connections.delete(this);
    this.#lose();
    this.#peer.hangUp();
  }

  /**
   * Faults, from the oldest to the newest, were taken away: what the line holds back comes now, whoever holds it, and then what they have
   * kept. A cut that waits for it happens, too.
   */
  letGo(leaving: readonly Stacked[]): void {
    for (const way of WAYS) this.#lanes[way].letGo();
    for (const at of leaving) {
      const place = this.#places.get(at);
      if (place === undefined) continue;
      this.#places.delete(at);
      for (const way of WAYS) {
        for (const frame of at.fault.leaveLine?.(way, place.line) ?? []) {
          this.#carry(way, Buffer.concat([frame, DELIMITER_BYTES]), at.older);
        }
        this.#carry(way, place.frames[way].takeUnfinished(), at.older);
      }
    }
  }

  #carry(way: Way, bytes: Uint8Array, at: Stacked | undefined): void {
    if (bytes.length === 0 || this.#isCut() || this.#lanes[way].isEnding()) return;
    if (at === undefined) return this.#arrive(way, bytes);
    const { fault, older } = at;
    if (fault.carry === undefined && fault.carryFrame === undefined) return this.#carry(way, bytes, older);
    const place = this.#placeOf(at);
    place.carrying = way;
    const instead = fault.carry?.(bytes, way, place.line) ?? [bytes];
    const pieces = fault.carryFrame === undefined ? instead : this.#frames(way, instead, fault, place);
    const cutAsked = place.cut !== undefined;
    for (const piece of pieces) {
      this.#carry(way, piece, older);
      if (!cutAsked && place.cut !== undefined) break; // asked for at this frame
    }
    place.carrying = undefined;
    const { cut } = place;
    place.cut = undefined;
    if (cut !== undefined) this.#lanes[way].endWith(() => this.#cutBy(at, cut));
  }

  *#frames(way: Way, pieces: readonly Uint8Array[], fault: Fault, { frames, line }: Place): Generator<Uint8Array> {
    for (const bytes of pieces) yield* frames[way].feed(bytes, (frame) => fault.carryFrame?.(frame, way, line));
  }

  #arrive(way: Way, bytes: Uint8Array): void {
    const lost = this.#lanes[way].push(bytes);
    if (lost > 0) this.#circumstances.count("overflow", lost);
  }

  #isCut(): boolean {
    return this.#gone || isCut(this.#circumstances);
  }

  /** A port that can't cut the connection goes on with it when the line is back; nobody has noticed but by what was lost. */
  #cutBy(at: Stacked, backAfterMs: number): void {
    const { clock, outages } = this.#circumstances;
    outages.set(at, Math.max(outages.get(at) ?? Number.NEGATIVE_INFINITY, clock.now() + backAfterMs));
    this.#cut();
  }

  #cut(): void {
    this.#lose();
    if (this.#line.cut === undefined) return;
    this.#gone = true;
    this.#line.cut();
  }

  /** What is on its way is lost, and what the faults keep of it. */
  #lose(): void {
    this.#lanes.toDock.clear();
    this.#lanes.toHost.clear();
    this.#places = new Map();
  }

  #placeOf(at: Stacked): Place {
    const known = this.#places.get(at);
    if (known !== undefined) return known;
    const line: FaultyLine = {
      hold: (way, ms) => this.#lanes[way].hold(ms),
      pace: (way, bytesPerSecond) => this.#lanes[way].pace(bytesPerSecond),
      send: (way, bytes) => this.#carry(way, bytes, at.older),
      cut: (backAfterMs) => {
        if (place.carrying === undefined) this.#cutBy(at, backAfterMs);
        else place.cut = backAfterMs;
      },
      count: (times = 1) => this.#circumstances.count(at.fault.kind, times),
    };
    const frames = { toDock: new FrameSplitter(), toHost: new FrameSplitter() };
    const place: Place = { line, frames, carrying: undefined, cut: undefined };
    this.#places.set(at, place);
    return place;
  }
}

const WAYS = ["toDock", "toHost"] as const;

function nothing(): void {}
