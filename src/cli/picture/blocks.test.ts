import { expect, test } from "vitest";
import { BLUE, CLEAR, pictureOf, RED, type Rgba } from "../testing/pictures.js";
import { blocks } from "./blocks.js";

test("two pixels are a character, and a colour is told where it changes", () => {
  const picture = pictureOf([RED, RED, BLUE, RED], [BLUE, BLUE, BLUE, BLUE]);
  expect([...blocks(picture, 4, "24 bits")]).toEqual([
    "\x1b[38;2;255;0;0;48;2;0;0;255m▀▀ ▀\x1b[0m\n", // over the blue one, the background is enough
  ]);
});

test("a last row alone has nothing below it, and each line begins anew", () => {
  expect([...blocks(pictureOf([RED], [RED], [RED]), 1, "24 bits")]).toEqual([
    "\x1b[48;2;255;0;0m \x1b[0m\n",
    "\x1b[38;2;255;0;0m▀\x1b[0m\n",
  ]);
});

test("what can be seen through is left to the terminal", () => {
  const picture = pictureOf([CLEAR, RED, CLEAR, [255, 0, 0, 127]], [RED, RED, CLEAR, [255, 0, 0, 128]]);
  expect([...blocks(picture, 4, "24 bits")]).toEqual([
    "\x1b[38;2;255;0;0m▄\x1b[48;2;255;0;0m \x1b[49m \x1b[38;2;128;0;0m▄\x1b[0m\n",
  ]);
});

test("256 colours are numbers", () => {
  expect([...blocks(pictureOf([RED], [BLUE]), 1, "256")]).toEqual(["\x1b[38;5;196;48;5;21m▀\x1b[0m\n"]);
});

test("without colours, brightness is a character", () => {
  const grey = (level: number): Rgba => [level, level, level, 255];
  const picture = pictureOf(
    [grey(0), grey(255), grey(255), CLEAR],
    [grey(0), grey(255), grey(0), CLEAR],
    [RED, BLUE, grey(52), CLEAR],
  );
  expect([...blocks(picture, 4, "none")]).toEqual([" @= \n", ": : \n"]);
});

test("a wide picture is made as narrow as it is told, a high one ends after a thousand lines", () => {
  const wide = { width: 1_920, height: 1_080, data: new Uint8Array(1_920 * 1_080 * 4) };
  const lines = [...blocks(wide, 80, "none")];
  expect(lines).toEqual(Array.from({ length: 23 }, () => `${" ".repeat(80)}\n`));
  const high = { width: 10, height: 20_000, data: new Uint8Array(10 * 20_000 * 4) };
  expect([...blocks(high, 80, "none")]).toEqual(Array.from({ length: 1_000 }, () => " \n"));
});
