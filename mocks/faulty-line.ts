/** A connection whose bytes meet the faults of the line, both ways, between the port and who answers. */
import { FrameSplitter } from "./faults/frames.js";
import { Lane } from "./faults/lane.js";
import type { Fault, FaultClock, FaultyLine, Way } from "./faults.js";
import type { Line, Peer, Serve } from "./ports/port.js";

/** A fault, and those that were added before it. */
export interface Stacked {
  readonly fault: Fault;
  readonly older: Stacked | undefined;
}

/** Until when the line is cut, for all connections there are and will be. */
export interface Outage {
  backAt: number;
}

/** What all connections have in common. */
interface Circumstances {
  readonly clock: FaultClock;
  readonly outage: Outage;
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

/** Between a port and who answers: to the port it is the one who answers, to that one it is the line. */
export class FaultyConnection implements Peer, Line {
  /** For who answers: cuts the connection once all that was sent has gone, where the port can. */
  readonly cut?: () => void;
  readonly #line: Line;
  readonly #circumstances: Circumstances;
  readonly #lanes: Readonly<Record<Way, Lane>>;
  readonly #peer: Peer;
  #places = new Map<Fault, Place>();
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
    if (line.cut !== undefined) this.cut = () => this.#lanes.toHost.endWith(() => this.#cut(Number.NEGATIVE_INFINITY));
    this.#peer = serve(this);
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
    this.#lose();
    this.#peer.hangUp();
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
    if (cut !== undefined) this.#lanes[way].endWith(() => this.#cut(cut));
  }

  *#frames(way: Way, pieces: readonly Uint8Array[], fault: Fault, { frames, line }: Place): Generator<Uint8Array> {
    for (const bytes of pieces) yield* frames[way].feed(bytes, (frame) => fault.carryFrame?.(frame, way, line));
  }

  #arrive(way: Way, bytes: Uint8Array): void {
    const lost = this.#lanes[way].push(bytes);
    if (lost > 0) this.#circumstances.count("overflow", lost);
  }

  #isCut(): boolean {
    return this.#gone || this.#circumstances.clock.now() < this.#circumstances.outage.backAt;
  }

  /** A port that can't cut the connection goes on with it when the line is back; nobody has noticed but by what was lost. */
  #cut(backAfterMs: number): void {
    const { clock, outage } = this.#circumstances;
    outage.backAt = Math.max(outage.backAt, clock.now() + backAfterMs);
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

  #placeOf({ fault, older }: Stacked): Place {
    const known = this.#places.get(fault);
    if (known !== undefined) return known;
    const line: FaultyLine = {
      hold: (way, ms) => this.#lanes[way].hold(ms),
      pace: (way, bytesPerSecond) => this.#lanes[way].pace(bytesPerSecond),
      send: (way, bytes) => this.#carry(way, bytes, older),
      cut: (backAfterMs) => {
        if (place.carrying === undefined) this.#cut(backAfterMs);
        else place.cut = backAfterMs;
      },
      count: (times = 1) => this.#circumstances.count(fault.kind, times),
    };
    const frames = { toDock: new FrameSplitter(), toHost: new FrameSplitter() };
    const place: Place = { line, frames, carrying: undefined, cut: undefined };
    this.#places.set(fault, place);
    return place;
  }
}

function nothing(): void {}
