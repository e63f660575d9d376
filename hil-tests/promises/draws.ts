/** What the driver and the mock draw from `node:crypto`, out of a seed: with it a run is the same again, byte for byte. */
import { Random } from "../../mocks/random.js";

export const draws = {
  random: new Random(1),
  /** A run begins. */
  begin(seed: number): void {
    draws.random = new Random(seed);
  },
  randomBytes: (length: number): Buffer => draws.random.bytes(length),
  /** From `least` to `beyond`, without it; with one number from 0 to it. */
  randomInt(least: number, beyond?: number): number {
    return beyond === undefined ? draws.random.between(0, least - 1) : draws.random.between(least, beyond - 1);
  },
};
