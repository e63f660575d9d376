/** What a dock was told and answered is remembered by kind: nothing pushes out what mustn't be done twice (SPEC §4.3). */
import { describe, expect, test } from "vitest";
import { type Hello, REMEMBERED_ANSWERS } from "../protocol/index.js";
import { type Answer, HostSession } from "./sessions.js";

const DONE: Answer = { type: "result", value: { generation: 1 } };
const CANCELLED: Answer = { type: "failure", code: "CANCELLED", message: "cancelled by the host" };
const WRITE = 1;
const hello: Hello = { versions: [1], nonce: new Uint8Array(8), maxBody: 512, software: "a test" };

/** A session in which a write was answered, and then many times something else. */
function filled(op: string | undefined, answer: Answer): HostSession {
  const session = new HostSession(hello, undefined);
  session.remember(WRITE, "kv.set", DONE);
  for (let id = 2; id <= REMEMBERED_ANSWERS + 1; id++) session.remember(id, op, answer);
  return session;
}

test.each<[string, string | undefined, Answer]>([
  ["cancels of what never arrived", undefined, CANCELLED],
  ["reads", "kv.get", DONE],
])("the answer to a write isn't pushed out by %s", (_, op, answer) => {
  const session = filled(op, answer);
  expect(session.answerTo(WRITE)).toEqual(DONE);
  expect(session.answerTo(REMEMBERED_ANSWERS + 1)).toEqual(answer);
});

test("the answer to a write is pushed out by as many to others as are remembered", () => {
  expect(filled("kv.delete", DONE).answerTo(WRITE)).toBeUndefined();
});

test("of the cancels of what never arrived the last ones are remembered", () => {
  const session = filled(undefined, CANCELLED);
  session.remember(1_000, undefined, CANCELLED);
  expect([2, 3, 1_000].map((id) => session.answerTo(id)?.type)).toEqual([undefined, "failure", "failure"]);
});

describe("a host that comes back", () => {
  const back = (nonce: number): Hello => ({
    ...hello,
    nonce: new Uint8Array(8).fill(nonce),
    session: new Uint8Array(8).fill(9),
  });

  test("is told once more that nothing is known when it has said nothing since: that welcome may have been lost", () => {
    const first = new HostSession(back(1), undefined);
    const second = new HostSession(back(2), first);
    const third = new HostSession(back(3), second);
    expect([first, second, third].map(({ isResumed }) => isResumed)).toEqual([false, false, false]);
  });

  test("goes on from a session that it has used, over any number of welcomes that are lost", () => {
    const first = new HostSession(back(1), undefined);
    first.isUsed = true;
    const second = new HostSession(back(2), first);
    expect([second, new HostSession(back(3), second)].map(({ isResumed }) => isResumed)).toEqual([true, true]);
  });
});
