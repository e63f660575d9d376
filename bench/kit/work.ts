/** What each test of these runs does. */
import type { Dock } from "dl7450";

/** Their numbers. */
export const TESTS: readonly number[] = Array.from({ length: 200 }, (_, i) => i);

/** A write, which is put back or not, and a look at it. */
export async function work(dock: Dock): Promise<void> {
  await dock.kv.set("brightness", 80, { store: "runtime" });
  await dock.kv.get("brightness");
}
