/** A line that loses, changes, doubles and adds bytes at random, and cuts what it carries at random places. */
import { type Carry, chopping } from "./duplex-pair.js";
import type { Random } from "./random.js";

/** @param rate how many of the bytes are met, from 0 to 1 */
export function lossy(random: Random, rate: number): Carry {
  const chop = chopping(random);
  return (bytes) => chop(damaged(bytes, random, rate));
}

function damaged(bytes: Buffer, random: Random, rate: number): Buffer {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (let hit = nextHit(0, random, rate); hit < bytes.length; hit = nextHit(hit + 1, random, rate)) {
    const byte = bytes[hit] ?? 0;
    parts.push(bytes.subarray(at, hit), Uint8Array.from(mishap(byte, random)));
    at = hit + 1;
  }
  parts.push(bytes.subarray(at));
  return Buffer.concat(parts);
}

/** What becomes of a byte. */
function mishap(byte: number, random: Random): number[] {
  switch (random.between(0, 4)) {
    case 0:
      return [];
    case 1:
      return [byte ^ (1 << random.between(0, 7))];
    case 2:
      return [byte, byte];
    case 3:
      return [byte, random.between(0, 255)];
    default:
      return [0];
  }
}

/** The index of the next byte that is met: the distance between two is geometric. */
function nextHit(from: number, random: Random, rate: number): number {
  if (rate <= 0) return Number.POSITIVE_INFINITY;
  return from + Math.floor(Math.log(1 - random.next()) / Math.log(1 - rate));
}
