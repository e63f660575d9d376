import { expect, test } from "vitest";
import { decodeText } from "./config-text.js";

test("a byte order mark is no part of the text", () => {
  expect(decodeText(Buffer.from("\ufeffa: é\r\n\tb"))).toEqual({ kind: "text", text: "a: é\r\n\tb" });
});

test.each([
  ["a byte of another encoding", Buffer.from("61c3a90a6263e964", "hex"), 2, 3],
  ["a character that is cut off", Buffer.from("61e282", "hex"), 1, 2],
  ["UTF-16", Buffer.from("\ufeffa: b", "utf16le"), 1, 1],
  ["a control character", Buffer.from("a\nb\u0007c"), 2, 2],
  ["U+0000", Buffer.from("\0"), 1, 1],
])("%s is a problem at its place", (_, bytes, line, column) => {
  expect(decodeText(bytes)).toMatchObject({ kind: "bad", problem: { code: "ENCODING", line, column } });
});
