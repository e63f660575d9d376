/** The time zones that a dock knows. */
import { closest } from "./closest.js";

/** What `DockControl.set_timezone` takes, by the documentation of the SDK. */
export const TIMEZONES: readonly string[] = [
  ...["CET", "CST6CDT", "EET", "EST", "GB", "GMT", "HST", "Hongkong", "Israel", "Japan", "MET", "MST", "MST7MDT", "NZ", "PRC"],
  ...["PST8PDT", "ROC", "ROK", "Singapore", "UCT", "UTC", "W-SU", "WET"],
];

/** The zone that was meant by what isn't one. */
export function closestTimezone(text: string): string | undefined {
  const begun = TIMEZONES.filter((zone) => zone.startsWith(text));
  if (begun.length === 1) return begun[0]; // CST: what is nearest by letters would be EST
  const guess = closest(text, TIMEZONES);
  // Of zones of three letters each is near to many: IST isn't EST.
  return guess !== undefined && (guess.length > 4 || guess.toLowerCase() === text.toLowerCase()) ? guess : undefined;
}
