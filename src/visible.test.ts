import fc from "fast-check";
import { expect, test } from "vitest";
import { printable, quoted, visible } from "./visible.js";

test.each([
  ["plain text", "Desk 12", "Desk 12"],
  ["letters of any script", "Grüße, 世界 🎉", "Grüße, 世界 🎉"],
  ["line ends and tabs", "a\r\n\tb", String.raw`a\r\n\tb`],
  ["an escape sequence", "\x1b[2J", String.raw`\x1b[2J`],
  ["a backslash, so that what is shown is unambiguous", String.raw`\x1b`, String.raw`\\x1b`],
  ["NUL and DEL", "\0\x7f", String.raw`\x00\x7f`],
  ["a C1 control, which some terminals obey", "\x9b2J", String.raw`\x9b2J`],
  ["text that turns its direction", "a\u202eb", String.raw`a\u{202e}b`],
  ["what has no width", "a\u200bb\ufeff", String.raw`a\u{200b}b\u{feff}`],
  ["line and paragraph separators", "\u2028\u2029", String.raw`\u{2028}\u{2029}`],
  ["half a surrogate pair", "a\ud800b", String.raw`a\u{d800}b`],
  ["what is no character", "\uffff", String.raw`\u{ffff}`],
  ["tags that nobody sees", "\u{e0041}", String.raw`\u{e0041}`],
])("%s", (_, text, shown) => {
  expect(visible(text)).toBe(shown);
});

test("nothing that it shows can steer a terminal, and different texts are shown differently", () => {
  const steering = fc.constantFrom("\\", "x", "1", "b", "n", "\x1b", "\n", "\u202e", "{", "}");
  const character = fc.oneof(
    steering,
    fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
  );
  const some = fc.array(character, { maxLength: 6 }).map((characters) => characters.join(""));
  fc.assert(
    fc.property(some, some, (one, other) => {
      expect(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(visible(one))).toBe(false);
      expect(visible(one) === visible(other)).toBe(one === other);
    }),
  );
});

test("`printable` leaves a backslash as it is, and shows the rest like `visible`", () => {
  expect(printable("C:\\ports\x1b[2J\u202e")).toBe(String.raw`C:\ports\x1b[2J\u{202e}`);
});

test("`quoted` is `visible` between quotation marks", () => {
  expect(quoted("Desk\t12\\")).toBe(String.raw`"Desk\t12\\"`);
});
