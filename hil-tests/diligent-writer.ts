/** Writes to a dock as fast as it can until the dock is gone, and knows what must be there then and what may be. */
import { type Dock, DockError, type KvValue } from "../src/index.js";
import { content } from "./contract/writing.js";

/** What a lane writes, one after the other, under names of its own. */
interface Lane {
  /** Its `n`th write: another one for each number. */
  write(dock: Dock, n: number): Promise<unknown>;
  /** What is there after the `n`th write; undefined is nothing. */
  after(n: number): KvValue | undefined;
  /** What there is. */
  look(dock: Dock): Promise<KvValue | undefined>;
}

/** Bytes of the images: some take a frame, some take longer than a window. */
const SIZES = [0, 1_000, 8_192, 60_000, 150_000];

export class DiligentWriter {
  readonly #lanes: { readonly name: string; readonly lane: Lane; begun: number; confirmed: number }[];

  constructor() {
    const lanes: Record<string, Lane> = {
      "a key": key("a key", () => true),
      "another key": key("another key", () => true),
      "a key that is deleted now and then": key("comes and goes", (n) => n % 3 !== 0),
      "an image": image("an image"),
      "another image": image("another image"),
      "two keys in transactions": twoKeys("first of two", "second of two"),
    };
    this.#lanes = Object.entries(lanes).map(([name, lane]) => ({ name, lane, begun: 0, confirmed: 0 }));
  }

  /** How many writes were confirmed, in all. */
  get confirmed(): number {
    return this.#lanes.reduce((sum, { confirmed }) => sum + confirmed, 0);
  }

  /** Writes until the link is lost. */
  async write(dock: Dock): Promise<void> {
    await Promise.all(
      this.#lanes.map(async (it) => {
        for (;;) {
          it.begun += 1;
          try {
            await it.lane.write(dock, it.begun);
          } catch (error) {
            if (error instanceof DockError && ["LINK_LOST", "OUTCOME_UNKNOWN"].includes(error.code)) return;
            throw error;
          }
          it.confirmed = it.begun;
        }
      }),
    );
  }

  /** What is there that shouldn't be: each lane must show its last confirmed write, or the one that was under way. Goes on from there. */
  async faultsOf(dock: Dock): Promise<string[]> {
    const faults: string[] = [];
    for (const it of this.#lanes) {
      const there = await it.lane.look(dock);
      const number = [it.confirmed, it.begun].find((n) => isSame(it.lane.after(n), there));
      if (number === undefined)
        faults.push(`${it.name}: ${show(there)}, after ${it.confirmed} and before ${it.begun} were written`);
      it.confirmed = it.begun = number ?? it.begun;
    }
    return faults;
  }
}

function key(name: string, isSet: (n: number) => boolean): Lane {
  const store = "runtime";
  const numbered = (n: number): KvValue => ({ n, text: "x".repeat((n * 37) % 500) });
  return {
    write: (dock, n) => (isSet(n) ? dock.kv.set(name, numbered(n), { store }) : dock.kv.delete(name, { store })),
    after: (n) => (n > 0 && isSet(n) ? numbered(n) : undefined),
    look: (dock) => dock.kv.get(name),
  };
}

function image(tag: string): Lane {
  const picture = (n: number): Buffer => content(SIZES[n % SIZES.length] ?? 0, `${tag} ${n}`);
  return {
    write: (dock, n) => dock.images.put(tag, picture(n), { store: "runtime", type: "none" }),
    after: (n) => (n > 0 ? picture(n) : undefined),
    async look(dock) {
      const there = (await dock.images.list()).some((entry) => entry.tag === tag);
      return there ? (await dock.images.get(tag)).data : undefined;
    },
  };
}

/** In factory, since a transaction has its layer for itself. */
function twoKeys(first: string, second: string): Lane {
  return {
    write: (dock, n) =>
      dock.transaction(
        "factory",
        async (tx) => {
          await tx.kv.set(first, n);
          await tx.kv.set(second, n);
        },
        { confirm: dock.name },
      ),
    after: (n) => (n > 0 ? [n, n] : undefined),
    async look(dock) {
      const [one, two] = [await dock.kv.get(first), await dock.kv.get(second)];
      return one === undefined && two === undefined ? undefined : [one ?? null, two ?? null];
    },
  };
}

function isSame(a: KvValue | undefined, b: KvValue | undefined): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return JSON.stringify(a) === JSON.stringify(b);
}

function show(value: KvValue | undefined): string {
  return value instanceof Uint8Array ? `${value.length} bytes` : JSON.stringify(value);
}
