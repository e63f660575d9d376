/** Chances that are read off a list of numbers: a shorter list with smaller numbers in it is a simpler call, so failures shrink. */

import { Random } from "../../mocks/random.js";
import type { Chance } from "../soak/worker.js";

export class Tape implements Chance {
  #numbers: readonly number[] = [];
  #at = 0;

  /** Goes on with these numbers. At their end it gives 0, which draws the most: no abort, no failure on purpose. */
  load(numbers: readonly number[]): void {
    this.#numbers = numbers;
    this.#at = 0;
  }

  between(least: number, most: number): number {
    return most - (this.#next() % (most - least + 1));
  }

  bytes(length: number): Buffer {
    return new Random(this.#next()).bytes(length);
  }

  #next(): number {
    return this.#numbers[this.#at++] ?? 0;
  }
}
