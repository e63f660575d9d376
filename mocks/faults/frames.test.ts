import fc from "fast-check";
import { expect, test } from "vitest";
import { type AskFrame, FrameSplitter } from "./frames.js";

/** What goes on of pieces, and which frames were asked about. */
function feed(pieces: readonly (Uint8Array | string)[], ask: AskFrame = () => undefined): { went: string; asked: string[] } {
  const splitter = new FrameSplitter();
  const asked: string[] = [];
  const went = pieces.flatMap((piece) => [
    ...splitter.feed(Buffer.from(piece), (frame) => {
      asked.push(Buffer.from(frame).toString("latin1"));
      return ask(frame);
    }),
  ]);
  return { went: Buffer.concat(went).toString("latin1"), asked };
}

test("whatever the pieces, frames that stay as they are leave the bytes as they are, but for one without an end", () => {
  const byte = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(fc.array(byte)), (pieces) => {
      const bytes = Buffer.from(pieces.flat()).toString("latin1");
      const { went, asked } = feed(pieces.map((it) => Uint8Array.from(it)));
      expect(went).toBe(bytes.slice(0, bytes.lastIndexOf("\0") + 1));
      expect(asked).toEqual(went.split("\0").filter((run) => run !== ""));
    }),
  );
});

test("an unfinished frame is kept until its delimiter comes", () => {
  expect(feed(["a\0b"]).went).toBe("a\0");
  expect(feed(["a\0b", "c\0"]).went).toBe("a\0bc\0");
});

test("a frame is replaced by others, each with its delimiter, or by nothing", () => {
  const { went } = feed(["\0a\0b\0c\0"], (frame) => ({ a: [Buffer.from("1"), Buffer.from("2")], b: [] })[frame.toString()]);
  expect(went).toBe("\x001\x002\0c\0");
});

test("a run beyond 70,000 bytes passes as it is, and the frame after it is met again", () => {
  const { went, asked } = feed(["x".repeat(70_000), "yz"]);
  expect(went).toBe(`${"x".repeat(70_000)}yz`);
  expect(asked).toEqual([]);
  expect(feed(["x".repeat(70_000)]).went).toBe("");
  const then = feed(["x".repeat(70_001), "y\0a\0"]);
  expect(then.asked).toEqual(["a"]);
  expect(then.went).toBe(`${"x".repeat(70_001)}y\0a\0`);
});
