/** What a dock may be able to do beyond reading (SPEC §3.3), as far as this version knows. */
export const FEATURES = [
  "stores",
  "write.ephemeral",
  "write.runtime",
  "write.factory",
  "txn",
  "restart",
  "reset",
  "code",
  "log",
] as const;
export type Feature = (typeof FEATURES)[number];

/** Whether a feature is one by which a dock is changed. */
export function isToChange(feature: string): boolean {
  return feature.startsWith("write.") || ["txn", "restart", "reset"].includes(feature);
}
