/** When a fault happens: at a rate or at one moment, of all the chances that it has, and at most so often. */
import type { Way } from "../faults.js";
import type { Random } from "../random.js";
import type { FaultOptions } from "./options.js";

/** How often a fault may still happen, over both ways. */
interface Budget {
  left: number;
}

export class Occasions {
  /** What the fault may draw from beside. */
  readonly random: Random;
  readonly #gaps: Random;
  readonly #rate: number;
  readonly #budget: Budget;
  /** Chances that go by before the next occasion. */
  #left: number;

  /** @param random draws that others make from it later don't change when the fault happens */
  constructor(options: FaultOptions, random: Random, budget: Budget = budgetOf(options)) {
    this.random = random.fork();
    this.#gaps = random.fork();
    this.#budget = budget;
    this.#rate = rateOf(options);
    this.#left = options.at === undefined ? this.#gap() : options.at - 1;
  }

  /** Which of the next `chances` is the first occasion, counted from 0. The chances after it haven't gone by then. */
  first(chances: number): number | undefined {
    const hit = this.#left;
    if (hit >= chances || this.#budget.left <= 0) {
      this.#left -= chances;
      return undefined;
    }
    this.#budget.left -= 1;
    this.#left = this.#gap();
    return hit;
  }

  /** Which of the next `chances` are occasions, counted from 0, in order. */
  among(chances: number): number[] {
    const hits: number[] = [];
    let from = 0;
    for (let hit = this.first(chances); hit !== undefined; hit = this.first(chances - from)) {
      hits.push(from + hit);
      from += hit + 1;
    }
    return hits;
  }

  /** Whether the next chance is an occasion. */
  now(): boolean {
    return this.first(1) !== undefined;
  }

  /** The distance between two is geometric, so how chances are grouped doesn't matter. */
  #gap(): number {
    if (this.#rate === 0) return Number.POSITIVE_INFINITY;
    return Math.floor(Math.log(1 - this.#gaps.next()) / Math.log(1 - this.#rate));
  }
}

/** Occasions for each way by itself, with one budget: what happens one way doesn't depend on how much goes the other. */
export function bothWays(options: FaultOptions, random: Random): Readonly<Record<Way, Occasions>> {
  const budget = budgetOf(options);
  return { toDock: new Occasions(options, random, budget), toHost: new Occasions(options, random, budget) };
}

/** Whether a fault is meant for what goes that way. */
export function meets({ way }: FaultOptions, it: Way): boolean {
  return way === undefined || way === it;
}

function budgetOf({ times }: FaultOptions): Budget {
  return { left: times ?? Number.POSITIVE_INFINITY };
}

function rateOf({ rate, every, at }: FaultOptions): number {
  if (at !== undefined) return 0;
  return rate ?? 1 / (every ?? 1);
}
