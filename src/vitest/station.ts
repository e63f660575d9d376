/** The docks that the tests of a file have, one test at a time, and what became of them. */
import * as v from "valibot";
import { throwIfAborted } from "../check.js";
import { pause, systemClock } from "../clock.js";
import type { OpenOptions } from "../dock.js";
import { DockError, type DockErrorCode } from "../errors.js";
import { parseTarget, placeName } from "../transport/target.js";
import { quoted } from "../visible.js";
import { type DockName, Place } from "./place.js";
import type { Isolation } from "./putting-back.js";
import { Turns } from "./turns.js";

/** What a test wants. */
export interface Wish {
  /** The test's id. */
  readonly test: string;
  /** The file that it is in, for who waits for its docks. */
  readonly file: string;
  /** Whether it hasn't passed or failed yet. */
  readonly isRunning: () => boolean;
  /** The docks, each as `Dock.open` takes it. */
  readonly ports: readonly string[];
  readonly isolate: Isolation;
  /** Longest time to wait for who else has a dock, in milliseconds. */
  readonly leaseTimeout: number;
  readonly opening: OpenOptions;
  /** Ends the waiting for docks. */
  readonly signal: AbortSignal;
}

/** What a test gets. */
export type Taken =
  | { readonly kind: "ready"; readonly places: readonly [Place, ...Place[]] }
  /** It can't have its docks; `known` when a test before has failed for that. */
  | { readonly kind: "failed"; readonly error: unknown; readonly known: boolean };

/** What is wrong with a test, and not with its dock. */
const OWN_FAULTS: ReadonlySet<DockErrorCode> = new Set(["USAGE", "SNAPSHOT", "READ_ONLY", "ABORTED"]);

/** How a test has ended. */
type Outcome = "has passed" | "has failed" | "was skipped";

export class Station {
  readonly #say: (text: string) => void;
  readonly #over = new AbortController();
  readonly #turns = new Turns();
  #places: Place[] = [];
  /** The docks that this file's tests have had, by port: another in the place of one is refused. Mock docks are made where they are wanted. */
  readonly #docks = new Map<string, DockName>();
  /** Who has them. */
  #user: Wish | undefined;
  /** Which test has failed since its docks weren't to be had: they were waited for, and aren't for the tests after it. */
  #trouble: { readonly test: string; readonly ports: readonly string[] } | undefined;

  /** @param say tells people what is going on */
  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  /** Gets the docks for a test: those that the test before had where they are the same, and otherwise all anew. Until `endTest`. */
  beginTest(wish: Wish): Promise<Taken> {
    return this.#turns.take(() => this.#begin(wish));
  }

  /** Puts the docks of a test back. Gives what was wrong with how the test has left them, which is the test's failure. */
  endTest(test: string, outcome: Outcome): Promise<Error[]> {
    return this.#turns.take(() => this.#end(test, outcome));
  }

  /** Puts back what a test has that hasn't ended, and lets others have the docks, for good. What is waited for is given up. Never fails. */
  release(): Promise<void> {
    this.#over.abort();
    return this.#turns.take(async () => {
      if (this.#user !== undefined) await this.#end(this.#user.test, "has failed");
      await this.#releaseAll("as it was");
    });
  }

  async #begin(wish: Wish): Promise<Taken> {
    const before = this.#user;
    if (before !== undefined && before.test !== wish.test && before.isRunning()) {
      const message = "A dock is used by one test at a time: tests of a file that have docks can't be concurrent.";
      return { kind: "failed", error: new DockError({ code: "BUSY", message }), known: false };
    }
    if (before !== undefined) await this.#end(before.test, "has failed"); // which nobody has told: a fixture on top of this has thrown
    this.#user = wish;
    try {
      checkWish(wish);
      if (this.#trouble?.ports.join() !== wish.ports.join()) this.#trouble = undefined; // it was of other docks
      const places = await this.#taken(wish);
      for (const place of places) await place.prepare(wish.isolate);
      for (const place of places) place.beginTest();
      this.#trouble = undefined;
      return { kind: "ready", places };
    } catch (error) {
      const isOwn = error instanceof DockError && OWN_FAULTS.has(error.code);
      const known = this.#trouble !== undefined && this.#trouble.test !== wish.test && !isOwn;
      if (!isOwn) this.#trouble ??= { test: wish.test, ports: wish.ports };
      await this.#releaseAll("not as it was");
      this.#user = undefined;
      return { kind: "failed", error, known };
    }
  }

  async #end(test: string, outcome: Outcome): Promise<Error[]> {
    const wrong: Error[] = [];
    const user = this.#user;
    if (user?.test !== test) return wrong;
    let isLost = false;
    for (const place of this.#places) {
      const leaked = leakOf(place);
      if (leaked !== undefined && outcome === "has passed") {
        wrong.push(leaked); // others were left in the middle
        await quietened(place);
      }
      // The test's sessions end with it: that rolls back, and ends what it goes on with, or begins later.
      await place.close();
      try {
        await place.faults?.end();
        await place.ready(user.opening);
        await place.putBack();
      } catch (error) {
        wrong.push(lost(place, error));
        isLost = true;
      }
    }
    // Nobody is told what is wrong after a test that was skipped.
    if (isLost && outcome !== "was skipped") this.#trouble = { test, ports: user.ports };
    if (isLost) await this.#releaseAll("not as it was");
    this.#user = undefined;
    return wrong;
  }

  async #taken(wish: Wish): Promise<[Place, ...Place[]]> {
    const { ports, opening, leaseTimeout, file } = wish;
    const signal = AbortSignal.any([wish.signal, this.#over.signal]);
    throwIfAborted(signal);
    if (!(await this.#isReady(wish))) {
      const patience = this.#trouble === undefined ? "waits" : "tries once";
      const options = { purpose: file, leaseTimeout, patience, say: this.#say, signal } as const;
      const found = new Map<number, Place>();
      for (const i of await inOneOrder(ports)) {
        const port = ports[i] ?? "";
        const place = await Place.take(port, opening, { ...options, only: this.#docks.get(port) });
        if (place.info !== undefined && !place.isMock) this.#docks.set(port, place.info);
        found.set(i, place);
        this.#places.push(place);
      }
      this.#places = ports.flatMap((_, i) => found.get(i) ?? []);
    }
    const [first, ...others] = this.#places;
    if (first === undefined) throw new Error("a wish names a dock");
    return [first, ...others];
  }

  /** Whether the docks of the test before are those that are wanted, and are there. Otherwise it has none any more. */
  async #isReady({ ports, opening }: Wish): Promise<boolean> {
    const isSame = ports.length === this.#places.length && this.#places.every(({ port }, i) => port === ports[i]);
    try {
      if (isSame) for (const place of this.#places) await place.ready(opening, { outage: 0, taken: 0 });
      else await this.#releaseAll("as it was");
      return isSame;
    } catch {
      await this.#releaseAll("not as it was"); // what is wrong will be told when it is taken anew
      return false;
    }
  }

  async #releaseAll(state: "as it was" | "not as it was"): Promise<void> {
    const places = this.#places;
    this.#places = [];
    for (const place of places) await place.release(state);
  }
}

const wishes = v.object({
  ports: v.pipe(v.array(v.string("a port is a text")), v.minLength(1, "`ports` names no dock")),
  isolate: v.union(
    [v.picklist(["layer", "snapshot", "none"]), v.object({ snapshot: v.string() })],
    '`isolate` is "layer", "snapshot", "none" or { snapshot: FOLDER }',
  ),
  opening: v.looseObject({}, "`opening` is an object with options of `Dock.open`"),
  leaseTimeout: v.pipe(v.number("`leaseTimeout` is a number of milliseconds"), v.minValue(0, "`leaseTimeout` isn't negative")),
});

/** Fails with `USAGE` when options aren't what they can be: they come from configurations as well, which no compiler looks at. */
function checkWish(wish: Wish): void {
  const checked = v.safeParse(wishes, wish);
  if (!checked.success) throw new DockError({ code: "USAGE", message: `${checked.issues[0].message}.` });
}

/** In which order docks are taken: the same whoever takes them, so that nobody has one and waits for the other. */
async function inOneOrder(ports: readonly string[]): Promise<number[]> {
  const named = await Promise.all(
    ports.map(async (port, i) => ({ i, name: (await placeName(parseTarget(port)).catch(() => undefined)) ?? "" })),
  );
  const twice = named.find(({ name, i }) => name !== "" && named.some((other) => other.i !== i && other.name === name));
  if (twice !== undefined) {
    throw new DockError({ code: "USAGE", message: `\`ports\` names the dock ${quoted(twice.name)} twice.` });
  }
  return named.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.i - b.i)).map(({ i }) => i);
}

/** What a test has left under way. */
function leakOf({ underWay }: Place): Error | undefined {
  if (underWay === 0) return undefined;
  const what = underWay === 1 ? "A call, stream or transaction was" : `${underWay} calls, streams or transactions were`;
  return new Error(`${what} still under way when the test ended: was an await forgotten?`);
}

/** How long what was left under way may take to end by itself, and how often it is looked, in milliseconds. */
const ENDING = { most: 500, every: 10 };

async function quietened(place: Place): Promise<void> {
  const until = systemClock.now() + ENDING.most;
  while (place.underWay > 0 && systemClock.now() < until) await pause(systemClock, ENDING.every);
}

function lost({ port, info }: Place, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `${quoted(info?.name ?? port)} couldn't be put back as it was after this test: ${why}`;
  return cause instanceof DockError ? new DockError({ code: cause.code, message, cause }) : new Error(message, { cause });
}
