/** Which docks tests may write to that are no mock docks: those that the environment names. */
import { quoted, visible } from "../visible.js";

/** Whether that is this dock. */
export function isAllowed(name: string): boolean {
  const allowed = (process.env.DL7450_ALLOW_WRITE ?? "").split(",").map((it) => it.trim());
  return name !== "" && allowed.includes(name);
}

/** For who wonders why a dock isn't written. */
export function howToAllow(name: string): string {
  const canStand = name !== "" && name === name.trim() && !name.includes(",") && name === visible(name);
  if (!canStand) return `DL7450_ALLOW_WRITE has no way to write the name ${quoted(name)}`;
  return `DL7450_ALLOW_WRITE=${name} would let it be written`;
}
