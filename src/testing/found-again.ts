/** A session that looks for its dock when the line goes away, and a dock that comes back when a test says so. */
import type { Problem } from "../errors.js";
import { DockError } from "../errors.js";
import type { Reopening } from "../reconnect.js";
import { Session, USUAL_HANDSHAKE_TIMEOUT } from "../session.js";
import { duplexPair } from "./duplex-pair.js";
import { ManualClock } from "./manual-clock.js";
import { ScriptedDock, type ScriptedDockOptions } from "./scripted-dock.js";
import { WRITABLE } from "./writable.js";

/** How long the dock is looked for, in milliseconds. */
export const OUTAGE = 30_000;

export class FoundAgain {
  readonly clock = new ManualClock();
  /** Each dock that was there, the first one first: another line is another dock to it. */
  readonly docks: ScriptedDock[] = [];
  /** What the caller was told. */
  readonly told: ("back" | Problem["code"])[] = [];
  /** When a line was to be opened, in milliseconds. */
  readonly attempts: number[] = [];
  readonly #options: ScriptedDockOptions;
  /** What is to be found at the next attempts. */
  readonly #plugged: ScriptedDockOptions[] = [];
  #broken: Error | undefined;
  #session: Session | undefined;

  private constructor(options: ScriptedDockOptions) {
    this.#options = options;
  }

  /** A session that is open. Each dock does as `options` say, unless told otherwise when it is plugged in. */
  static async open(options: ScriptedDockOptions = {}): Promise<FoundAgain> {
    const bench = new FoundAgain(options);
    await bench.#open();
    return bench;
  }

  get session(): Session {
    if (this.#session === undefined) throw new Error("the session isn't open");
    return this.#session;
  }

  /** The dock that is there, or was there last. */
  get dock(): ScriptedDock {
    const dock = this.docks.at(-1);
    if (dock === undefined) throw new Error("there has been no dock");
    return dock;
  }

  /** The line goes away, and the host has noticed. */
  async cut(): Promise<void> {
    this.dock.hangUp();
    await this.clock.settle();
  }

  /** A dock is there from now on, for one line. */
  plug(options: ScriptedDockOptions = {}): void {
    this.#plugged.push({
      ...this.#options,
      ...options,
      welcome: { ...WRITABLE, ...this.#options.welcome, ...options.welcome },
    });
  }

  /** From now on no line can be opened, for a reason that the driver doesn't know. */
  breakOpening(error: Error): void {
    this.#broken = error;
  }

  /** A dock that knows the session's writes is plugged in and found. */
  async backRemembering(options: ScriptedDockOptions = {}): Promise<void> {
    await this.back({ ...options, welcome: { ...options.welcome, resumed: true } });
  }

  /** A dock that says no more than it is told to is plugged in and found. */
  async back(options: ScriptedDockOptions = {}): Promise<void> {
    const { length } = this.docks;
    this.plug(options);
    for (let ms = 0; this.docks.length === length && ms < OUTAGE; ms += 10) await this.clock.advance(10);
    await this.clock.settle();
  }

  async #open(): Promise<void> {
    const reopening: Reopening = {
      timeout: OUTAGE,
      open: async () => {
        this.attempts.push(this.clock.now());
        return this.#line();
      },
      onLost: ({ code }) => void this.told.push(code),
      onBack: () => void this.told.push("back"),
    };
    this.plug();
    const { clock } = this;
    const options = { clock, software: "a test", handshakeTimeout: USUAL_HANDSHAKE_TIMEOUT, reopening };
    this.#session = await Session.open(this.#line(), options);
  }

  #line(): ReturnType<typeof duplexPair>["host"] {
    if (this.#broken !== undefined) throw this.#broken;
    const options = this.#plugged.shift();
    if (options === undefined) throw new DockError({ code: "NO_DOCK", message: "nothing is plugged in" });
    const line = duplexPair();
    this.docks.push(new ScriptedDock(line.dock, this.clock, options));
    return line.host;
  }
}
