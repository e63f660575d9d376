/** Things by their names, in the order of the names' bytes (SPEC §7.3). */

/** What can be read of them. */
export interface Named<T> extends Iterable<T> {
  readonly size: number;
  get(name: string): T | undefined;
}

export class ByName<T> implements Named<T> {
  readonly #things: Map<string, T>;
  /** The names and their things in order, since every page of a list and every save wants them so. */
  readonly #names: string[];
  readonly #ordered: T[];

  constructor(from?: ByName<T>) {
    this.#things = new Map(from === undefined ? [] : from.#things);
    this.#names = from === undefined ? [] : [...from.#names];
    this.#ordered = from === undefined ? [] : [...from.#ordered];
  }

  get size(): number {
    return this.#things.size;
  }

  get(name: string): T | undefined {
    return this.#things.get(name);
  }

  set(name: string, thing: T): void {
    const place = this.#placeOf(name);
    const replaced = this.#things.has(name) ? 1 : 0;
    this.#names.splice(place, replaced, name);
    this.#ordered.splice(place, replaced, thing);
    this.#things.set(name, thing);
  }

  delete(name: string): void {
    if (!this.#things.delete(name)) return;
    const place = this.#placeOf(name);
    this.#names.splice(place, 1);
    this.#ordered.splice(place, 1);
  }

  [Symbol.iterator](): ArrayIterator<T> {
    return this.#ordered.values();
  }

  /** How many names stand before this one. */
  #placeOf(name: string): number {
    const bytes = Buffer.from(name);
    let [least, most] = [0, this.#names.length];
    while (least < most) {
      const middle = (least + most) >> 1;
      if (Buffer.compare(Buffer.from(this.#names[middle] ?? ""), bytes) < 0) least = middle + 1;
      else most = middle;
    }
    return least;
  }
}
