import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { interruption } from "./interruption.js";

test.each(["SIGINT", "SIGTERM", "SIGHUP"])("the first %s aborts, and leaves the second one to the system", (name) => {
  const process = new EventEmitter();
  const signal = interruption(process);
  expect(signal.aborted).toBe(false);
  process.emit(name);
  expect(signal.aborted).toBe(true);
  expect(process.eventNames()).toEqual([]);
});
