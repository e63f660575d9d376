import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { Aborts } from "./aborts.js";

test("a signal that many wait for has one listener, and tells them all, once", () => {
  const aborts = new Aborts();
  const abort = new AbortController();
  let told = 0;
  for (let i = 0; i < 20; i++) aborts.on(abort.signal, () => told++);
  expect(getEventListeners(abort.signal, "abort")).toHaveLength(1);
  abort.abort();
  expect(told).toBe(20);
  expect(getEventListeners(abort.signal, "abort")).toEqual([]);
});

test("who has stopped waiting isn't told, and the last one takes the listener along", () => {
  const aborts = new Aborts();
  const abort = new AbortController();
  const told: string[] = [];
  const stopFirst = aborts.on(abort.signal, () => told.push("first"));
  const stopSecond = aborts.on(abort.signal, () => told.push("second"));
  stopFirst();
  stopFirst();
  expect(getEventListeners(abort.signal, "abort")).toHaveLength(1);
  stopSecond();
  expect(getEventListeners(abort.signal, "abort")).toEqual([]);
  aborts.on(abort.signal, () => told.push("third"));
  abort.abort();
  expect(told).toEqual(["third"]);
});

test("who begins to wait while the others are told isn't told, and who then stops doesn't matter", () => {
  const aborts = new Aborts();
  const abort = new AbortController();
  const told: string[] = [];
  aborts.on(abort.signal, () => {
    told.push("first");
    stopSecond();
  });
  const stopSecond = aborts.on(abort.signal, () => told.push("second"));
  abort.abort();
  expect(told[0]).toBe("first");
  expect(getEventListeners(abort.signal, "abort")).toEqual([]);
});

test("signals don't mix, and no signal is never told", () => {
  const aborts = new Aborts();
  const [one, other] = [new AbortController(), new AbortController()];
  const told: string[] = [];
  aborts.on(one.signal, () => told.push("one"));
  aborts.on(other.signal, () => told.push("other"));
  aborts.on(undefined, () => told.push("none"))();
  one.abort();
  expect(told).toEqual(["one"]);
});
