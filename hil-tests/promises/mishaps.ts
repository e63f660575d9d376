/** What goes wrong in a run, drawn at random: a fault as `parseFault` takes it, and the failures that it explains. */
import fc from "fast-check";
import type { DockErrorCode } from "../../src/index.js";

export interface Mishap {
  /** For `parseFault`. */
  readonly fault: string;
  readonly explains: readonly DockErrorCode[];
}

/** Lost frames: an answer that doesn't come, a write of which nothing is known, a hello that isn't answered. */
const LOSS = ["TIMEOUT", "OUTCOME_UNKNOWN", "NO_ANSWER"] as const;
const OUTAGE = [...LOSS, "LINK_LOST"] as const;
/** To each side the other then breaks the protocol. */
const DISORDER = ["PROTOCOL", "INTEGRITY", "INVALID", "STALE", "CHANGED"] as const;

const way = fc.constantFrom("", ",way=toDock", ",way=toHost");
const times = fc.integer({ min: 1, max: 6 });
/** Bytes, or messages, after which something happens on average. */
const bytesBetween = fc.integer({ min: 300, max: 60_000 });

/** Messages, and bytes of images, after which a dock restarts on average: often just when it is about to answer. */
const messagesBetween = fc.oneof(fc.integer({ min: 5, max: 60 }), fc.integer({ min: 60, max: 60_000 }));

/** Short outages most often, now and then one of up to a quarter of an hour, or for as long as anybody waits. */
const away = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 3_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 1_000_000 }) },
  { weight: 1, arbitrary: fc.constant(3_600_000) },
);

/** Of `lie`, all but ids: whoever answers another's question with its own id is believed (SPEC §10 promises nothing there). */
const LIES = ["offset", "offset", "size", "sha256", "credit", "type", "store", "generation"] as const;

const bytesBroken = fc
  .tuple(fc.constantFrom("drop", "flip", "insert", "duplicate"), fc.constantFrom(2e-5, 2e-4, 1e-3), way)
  .map(([kind, rate, it]) => mishap(`${kind}:rate=${rate}${it}`, LOSS));
const framesBroken = fc
  .tuple(fc.constantFrom("truncate", "merge", "text", "duplicate"), fc.constantFrom(0.01, 0.05, 0.2), way)
  .map(([kind, rate, it]) => mishap(`${kind}:rate=${rate}${it}${kind === "duplicate" ? ",frames" : ""}`, LOSS));
const reordered = fc.constantFrom(0.02, 0.1).map((rate) => mishap(`reorder:rate=${rate}`, [...OUTAGE, ...DISORDER]));
const delayed = fc.tuple(fc.integer({ min: 0, max: 2_000 }), way).map(([ms, it]) => mishap(`delay:ms=${ms}${it}`, LOSS));
const slowLine = fc
  .tuple(fc.integer({ min: 2_000, max: 1_000_000 }), way)
  .map(([bytes, it]) => mishap(`rate:bytes=${bytes}${it}`, LOSS));
const standing = fc
  .tuple(bytesBetween, fc.integer({ min: 1, max: 30_000 }), times, way)
  .map(([every, ms, most, it]) => mishap(`stall:every=${every},ms=${ms},times=${most}${it}`, LOSS));
const cut = fc
  .tuple(bytesBetween, away, times, way)
  .map(([every, ms, most, it]) => mishap(`cut:every=${every},back=${ms},times=${most}${it}`, OUTAGE));
const restart = fc
  .tuple(messagesBetween, away, times, way)
  .map(([every, ms, most, it]) => mishap(`restart:every=${every},ms=${ms},times=${most}${it}`, OUTAGE));
const slowDock = fc
  .tuple(fc.constantFrom(0.05, 0.3, 1), fc.integer({ min: 0, max: 1_500 }))
  .map(([rate, ms]) => mishap(`slow:rate=${rate},ms=${ms}`, []));
const refusing = fc
  .tuple(fc.constantFrom("busy", "full"), fc.constantFrom(0.05, 0.3))
  .map(([kind, rate]) => mishap(`${kind}:rate=${rate}`, [kind === "busy" ? "BUSY" : "NO_SPACE"]));
const forgetful = fc
  .tuple(fc.constantFrom(0.01, 0.1), times)
  .map(([rate, most]) => mishap(`forget:rate=${rate},times=${most}`, OUTAGE));
const replaced = fc.constantFrom(0.2, 0.5).map((rate) => mishap(`replace:rate=${rate}`, ["CHANGED"]));
const lying = fc
  .tuple(fc.constantFrom(...LIES), fc.constantFrom(0.05, 0.3))
  .map(([field, rate]) => mishap(`lie:rate=${rate},field=${field}`, [...LOSS, ...DISORDER, "TOO_LARGE"]));

/** Up to four of them at once, none now and then. */
export const mishaps: fc.Arbitrary<readonly Mishap[]> = fc.array(
  fc.oneof(
    ...[
      bytesBroken,
      framesBroken,
      reordered,
      delayed,
      slowLine,
      standing,
      cut,
      restart,
      slowDock,
      refusing,
      forgetful,
      replaced,
      lying,
    ],
  ),
  { maxLength: 4, size: "max" },
);

/** A dock whose data isn't where it says: with each message it is believed, until the image is whole. */
export const offsetLies: fc.Arbitrary<readonly Mishap[]> = fc
  .constantFrom(0.1, 0.2)
  .map((rate) => [mishap(`lie:rate=${rate},field=offset`, [...LOSS, ...DISORDER])]);

/** A dock that restarts every few messages, often between what it does and what it says of it. */
export const restartsOften: fc.Arbitrary<readonly Mishap[]> = fc
  .tuple(fc.integer({ min: 5, max: 40 }), fc.nat(3_000), way)
  .map(([every, ms, it]) => [mishap(`restart:every=${every},ms=${ms},times=6${it}`, OUTAGE)]);

/** Whether images are replaced behind the callers' backs, so that nobody knows what they should be. */
export function replaces(faults: readonly Mishap[]): boolean {
  return faults.some(({ fault }) => fault.startsWith("replace"));
}

/** Whether what is ephemeral may be lost. */
export function restarts(faults: readonly Mishap[]): boolean {
  return faults.some(({ fault }) => fault.startsWith("restart"));
}

function mishap(fault: string, explains: readonly DockErrorCode[]): Mishap {
  return { fault, explains };
}
