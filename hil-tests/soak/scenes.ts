/** What goes wrong in a soak, one scene after the other: the faults that a mock dock is given, and the failures that they explain. */
import type { DockErrorCode } from "../../src/index.js";

export interface Scene {
  readonly name: string;
  /** For `dl7450-mock --fault`. */
  readonly faults: readonly string[];
  /** Milliseconds between two SIGKILLs of the mock, on average; each time it is started again. */
  readonly killedEvery?: number;
  /** Failures that are to be expected beside those that any line explains. */
  readonly explains: readonly DockErrorCode[];
  /** Whether images are replaced by others behind the caller's back, so that nobody knows what they should be. */
  readonly images: "known" | "replaced";
  /** Whether a dock can be opened at all. */
  readonly opens: "yes" | "no: it echoes";
}

const usual = { explains: [], images: "known", opens: "yes" } as const;

export const SCENES: readonly Scene[] = [
  { ...usual, name: "a noisy line", faults: ["drop:rate=2e-5", "flip:rate=2e-5", "insert:rate=1e-5", "duplicate:rate=1e-5"] },
  { ...usual, name: "a line that is cut", faults: ["cut:every=150000,back=60"] },
  { ...usual, name: "a dock that restarts", faults: ["restart:every=300000,ms=40", "text:rate=0.02"] },
  {
    ...usual,
    name: "broken frames",
    faults: ["truncate:rate=0.004", "merge:rate=0.004", "duplicate:rate=0.004,frames", "text:rate=0.02"],
  },
  { ...usual, name: "a mock that is killed", faults: [], killedEvery: 250 },
  {
    ...usual,
    name: "a dock with moods",
    faults: ["busy:rate=0.05", "full:rate=0.05", "slow:rate=0.05,ms=300", "forget:rate=0.002"],
    explains: ["BUSY", "NO_SPACE"],
  },
  { ...usual, name: "a slow line that stands still", faults: ["rate:bytes=400000", "delay:ms=5", "stall:every=300000,ms=300"] },
  {
    ...usual,
    name: "frames out of order",
    faults: ["reorder:rate=0.004"],
    // A result can come before its data, a credit before what asked for it: to each side the other breaks the protocol.
    explains: ["PROTOCOL", "INTEGRITY", "INVALID", "STALE", "CHANGED", "NO_SESSION"],
  },
  {
    ...usual,
    name: "a dock that lies",
    faults: [
      "lie:rate=0.01,field=offset",
      "lie:rate=0.02,field=size",
      "lie:rate=0.02,field=sha256",
      "lie:rate=0.02,field=credit",
    ],
    explains: ["PROTOCOL", "INTEGRITY", "INVALID", "STALE", "CHANGED", "TOO_LARGE"],
  },
  {
    ...usual,
    name: "images that are replaced",
    faults: ["replace:rate=0.02"],
    explains: ["CHANGED", "NO_SPACE", "INTEGRITY"],
    images: "replaced",
  },
  { ...usual, name: "a line that echoes", faults: ["echo"], opens: "no: it echoes" },
  {
    ...usual,
    name: "everything at once",
    faults: ["drop:rate=1e-5", "flip:rate=1e-5", "cut:every=300000,back=60", "restart:every=500000,ms=20", "merge:rate=0.002"],
    killedEvery: 900,
  },
];
