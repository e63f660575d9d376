/** An imperfect line and an imperfect dock: faults, stacked on one another, between a port and the service. */
import type { DockMessage, HostMessage } from "../protocol/index.js";
import type { DockModel } from "./dock.js";
import { FaultyConnection, isCut, type Stacked } from "./faulty-line.js";
import type { Line, Serve } from "./ports/port.js";

export type Way = "toDock" | "toHost";

/**
 * Something that goes wrong now and then. A fault has the methods for what it meddles with, and each may decline. What one fault
 * lets go on meets those that were added before it.
 */
export interface Fault {
  /** What it is counted as. */
  readonly kind: string;
  /** Bytes on their way, cut anywhere. Gives what goes on instead, or undefined: as they are. */
  carry?(bytes: Uint8Array, way: Way, line: FaultyLine): readonly Uint8Array[] | undefined;
  /** What stood between two delimiters on its way. Gives the frames that go on instead, in order, or undefined: as it is. */
  carryFrame?(frame: Uint8Array, way: Way, line: FaultyLine): readonly Uint8Array[] | undefined;
  /** A message that has reached the dock. `taken` when the dock mustn't see it any more. */
  hear?(message: HostMessage, dock: FaultyDock): "taken" | undefined;
  /** A message that the dock is about to say. Gives what it says instead, or undefined: as it is. */
  say?(message: DockMessage, dock: FaultyDock): readonly DockMessage[] | undefined;
  /** It is taken away while a line is open. Gives the frames that it has kept of it, in order, which go on now. */
  leaveLine?(way: Way, line: FaultyLine): readonly Uint8Array[];
  /** It is taken away: has the dock do now what it has put off. */
  leaveDock?(): void;
}

/** What a fault can do to the line. It is another object on each connection, and after each cut. */
export interface FaultyLine {
  /** What goes that way from now on, with what is being carried, arrives in `ms` milliseconds at the earliest. */
  hold(way: Way, ms: number): void;
  /** What goes that way from now on, with what is being carried, arrives at so many bytes a second. */
  pace(way: Way, bytesPerSecond: number): void;
  /** Puts bytes on the line. The faults that were added before meet them. */
  send(way: Way, bytes: Uint8Array): void;
  /**
   * Cuts the line as soon as what is being carried has arrived, and loses what is on its way then. It comes back after so many
   * milliseconds; `Infinity` is never.
   */
  cut(backAfterMs: number): void;
  /** Counts that the fault has happened, once unless told. */
  count(times?: number): void;
}

/** What the service lets be done to its dock. */
export interface ServedDock {
  /** The dock, where there is one and not its recording. */
  readonly model: DockModel | undefined;
  /** As when its power went: the session is over, and what restarts lose is lost. */
  restart(): void;
  /** Ends its session, without a word to the host. */
  forget(): void;
  /** Has the dock hear a message that a fault had taken. No fault meets it again. */
  hear(message: HostMessage): void;
  /** Has the dock say something. No fault meets it again. */
  say(message: DockMessage): void;
  /** Calls `then` after so many milliseconds, also when the line is gone by then. */
  after(ms: number, then: () => void): void;
}

/** What a fault can do to the dock. Here only the faults that were added before meet what is heard and said. */
export interface FaultyDock extends ServedDock {
  /** Counts that the fault has happened, once unless told. */
  count(times?: number): void;
}

/** Time, as faults need it. */
export interface FaultClock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number;
  /** Calls `then` once after `ms` milliseconds, unless the function that it returns is called before. */
  after(ms: number, then: () => void): () => void;
}

export class Faults {
  readonly #clock: FaultClock;
  readonly #reach: "line and dock" | "line";
  readonly #counts = new Map<string, number>();
  readonly #connections = new Set<FaultyConnection>();
  /** Until when which fault has the line cut, for all connections there are and will be. */
  readonly #outages = new Map<Stacked, number>();
  /** The newest of those that stay. */
  #lasting: Stacked | undefined;
  /** Those that can be replaced, from the oldest to the newest. */
  #passing: readonly Stacked[] = [];
  #newest: Stacked | undefined;

  /** @param reach whether the dock has faults as well, or the line alone */
  constructor(clock: FaultClock, reach: "line and dock" | "line" = "line and dock") {
    this.#clock = clock;
    this.#reach = reach;
  }

  /** Adds a fault that stays, and meets everything before the others that stay. Throws an Error when it is of a dock that has none. */
  add(fault: Fault): void {
    this.check(fault);
    this.#lasting = { fault, older: this.#lasting };
    this.#stack(this.#passing);
  }

  /** Throws an Error for a fault of the dock where only the line has faults. */
  check({ kind, hear, say }: Fault): void {
    if (this.#reach === "line" && (hear ?? say) !== undefined)
      throw new Error(`the fault ${kind} is one of the mock's own dock`);
  }

  /**
   * From now on these faults, each another one, from the oldest to the newest, meet everything before those that stay, and in place
   * of those that were given here before. One that is given again goes on as it is. What the others have held back comes now: bytes,
   * requests, a dock that is away, and the line, for however long they have cut it.
   */
  replace(faults: readonly Fault[]): void {
    const known = new Map(this.#passing.map((it) => [it.fault, it]));
    const next = faults.map((fault) => known.get(fault) ?? { fault, older: undefined });
    const leaving = this.#passing.filter((it) => !next.includes(it));
    this.#stack(this.#passing.filter((it) => next.includes(it)));
    for (const it of leaving) it.older = this.#newest;
    if (leaving.length > 0) for (const connection of this.#connections) connection.letGo(leaving);
    for (const it of leaving) this.#outages.delete(it);
    for (const { fault } of leaving) fault.leaveDock?.();
    this.#stack(next);
  }

  /** How often what happened, by kind. `overflow` counts the bytes that a held line had no room for. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Puts the faults of the line between a port and who answers there. While the line is cut, new connections are, too. */
  wrap(serve: Serve): Serve {
    const circumstances = {
      clock: this.#clock,
      connections: this.#connections,
      outages: this.#outages,
      newest: () => this.#newest,
      count: (kind: string, times: number) => this.#count(kind, times),
    };
    return (line: Line) => {
      if (line.cut === undefined || !isCut(circumstances)) return new FaultyConnection(line, serve, circumstances);
      line.cut();
      return NOBODY;
    };
  }

  /** Shows the faults a message that has reached the dock. True when one of them has taken it. */
  hear(message: HostMessage, dock: ServedDock): boolean {
    return this.#hear(message, dock, this.#newest);
  }

  /** What the dock says in place of a message. */
  say(message: DockMessage, dock: ServedDock): readonly DockMessage[] {
    return this.#say(message, dock, this.#newest);
  }

  #stack(passing: readonly Stacked[]): void {
    this.#passing = passing;
    this.#newest = this.#lasting;
    for (const it of passing) {
      it.older = this.#newest;
      this.#newest = it;
    }
  }

  #hear(message: HostMessage, dock: ServedDock, newest: Stacked | undefined): boolean {
    for (let at = newest; at !== undefined; at = at.older) {
      if (at.fault.hear?.(message, this.#beneath(at, dock)) === "taken") return true;
    }
    return false;
  }

  #say(message: DockMessage, dock: ServedDock, newest: Stacked | undefined): readonly DockMessage[] {
    for (let at = newest; at !== undefined; at = at.older) {
      const { older } = at;
      const instead = at.fault.say?.(message, this.#beneath(at, dock));
      if (instead !== undefined) return instead.flatMap((it) => this.#say(it, dock, older));
    }
    return [message];
  }

  /** The dock as a fault finds it: with the older faults between, as they are at each moment. */
  #beneath(at: Stacked, dock: ServedDock): FaultyDock {
    return {
      model: dock.model,
      restart: () => dock.restart(),
      forget: () => dock.forget(),
      hear: (message) => {
        if (!this.#hear(message, dock, at.older)) dock.hear(message);
      },
      say: (message) => {
        for (const it of this.#say(message, dock, at.older)) dock.say(it);
      },
      after: (ms, then) => dock.after(ms, then),
      count: (times = 1) => this.#count(at.fault.kind, times),
    };
  }

  #count(kind: string, times: number): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + times);
  }
}

/** Who answers on a line that is cut. */
const NOBODY: ReturnType<Serve> = { receive() {}, drained() {}, hangUp() {} };
