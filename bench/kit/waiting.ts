/** Tests that wait on a slow dock: a part of all, by the number of docks that share them. */
import { dockTest } from "dl7450/vitest";
import { TESTS } from "./work.js";

/** What an answer takes, in milliseconds. */
const ANSWER = 50;

/** @param docks how many there are */
export function waitingTests(docks: number): void {
  dockTest.override({ port: "mock:", isolate: "none" });
  dockTest.for(TESTS.slice(0, TESTS.length / docks))("test %i", async (_, { dock, faults }) => {
    await faults.add(`slow:ms=${ANSWER}`);
    await dock.kv.get("timezone");
    await dock.kv.get("timezone");
  });
}
