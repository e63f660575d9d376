import { expect, test } from "vitest";
import { Lane } from "./lane.js";
import { ManualClock } from "./testing/manual-clock.js";

function open(out: (text: string, lane: Lane) => void): { lane: Lane; clock: ManualClock } {
  const clock = new ManualClock();
  const lane: Lane = new Lane(
    clock,
    (bytes) => out(Buffer.from(bytes).toString(), lane),
    () => {},
  );
  return { lane, clock };
}

test("what is pushed while something comes out comes behind what was there", () => {
  let came = "";
  const { lane, clock } = open((text, it) => {
    came += text;
    if (text === "a") it.push(Buffer.from("c"));
  });
  lane.hold(10);
  for (const text of ["a", "b"]) lane.push(Buffer.from(text));
  clock.advance(10);
  clock.advance(0);
  expect(came).toBe("abc");
});

test("a shorter hold doesn't end a longer one", () => {
  let came = "";
  const { lane, clock } = open((text) => {
    came += text;
  });
  lane.hold(100);
  lane.hold(10);
  lane.push(Buffer.from("a"));
  clock.advance(99);
  expect(came).toBe("");
  clock.advance(1);
  expect(came).toBe("a");
});
