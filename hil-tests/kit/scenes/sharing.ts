/** Files of one run that have one dock, without patience for others. */
import { existsSync, writeFileSync } from "node:fs";
import { expect, vi } from "vitest";
import { dockTest } from "../../../src/vitest/index.js";

/** Is there as soon as one of the files waits. */
const meeting = process.env.MEETING ?? "";

export function sharingTest(name: string): void {
  const { warn } = console;
  console.warn = (...said) => {
    writeFileSync(meeting, "");
    warn(...said);
  };
  dockTest.override({ leaseTimeout: 0 });
  dockTest(
    name,
    async ({ dock }) => {
      await vi.waitUntil(() => existsSync(meeting), { timeout: 20_000 });
      expect(await dock.kv.get("timezone")).toBe("GMT");
    },
    30_000,
  );
}
