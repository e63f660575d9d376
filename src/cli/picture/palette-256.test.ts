import { expect, test } from "vitest";
import { dithered } from "./palette-256.js";

test.each([
  ["black", [0, 0, 0], 16],
  ["white", [255, 255, 255], 231],
  ["orange", [255, 175, 0], 214],
  ["a grey that isn't in the cube", [58, 58, 58], 237],
])("%s is a colour of its own", (_name, rgb, number) => {
  expect([...dithered(Uint8Array.of(...rgb, 255), 1)]).toEqual([number]);
});

test("a dark colour that there isn't comes out as the mean of several", () => {
  const side = 20;
  const numbers = dithered(
    Uint8Array.from({ length: side * side * 4 }, (_, i) => [24, 26, 68, 255][i % 4] ?? 0),
    side,
  );
  const levels = [0, 95, 135, 175, 215, 255];
  const rgb = [...numbers].map((number) => {
    if (number >= 232) return [0, 0, 0].map(() => 8 + 10 * (number - 232));
    const cube = number - 16;
    return [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((level) => levels[level] ?? 0);
  });
  const mean = [0, 1, 2].map((channel) => rgb.reduce((sum, pixel) => sum + (pixel[channel] ?? 0), 0) / rgb.length);
  for (const [i, wanted] of [24, 26, 68].entries()) expect(Math.abs((mean[i] ?? 0) - wanted)).toBeLessThan(4);
});
