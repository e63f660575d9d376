import fc from "fast-check";
import { expect, test } from "vitest";
import { BLUE, CLEAR, pictureOf, RED } from "../testing/pictures.js";
import { fitted, scaled } from "./scale.js";

test.each([
  ["as wide as the box", { width: 1_920, height: 1_080 }, { width: 80, height: 1_000 }, { width: 80, height: 45 }],
  ["as high as the box", { width: 100, height: 1_000 }, { width: 80, height: 100 }, { width: 10, height: 100 }],
  ["never larger", { width: 16, height: 9 }, { width: 80, height: 100 }, { width: 16, height: 9 }],
  ["never without a pixel", { width: 60_000, height: 1 }, { width: 80, height: 100 }, { width: 80, height: 1 }],
])("%s", (_what, size, box, expected) => {
  expect(fitted(size, box)).toEqual(expected);
});

test("a pixel is the mean of what it stands for", () => {
  const picture = pictureOf([RED, BLUE, RED, RED], [BLUE, RED, RED, BLUE]);
  expect([...scaled(picture, { width: 2, height: 1 }).data]).toEqual([128, 0, 128, 255, 191, 0, 64, 255]);
});

test("a part of a pixel counts as a part", () => {
  const picture = pictureOf([RED, BLUE, BLUE]);
  expect([...scaled(picture, { width: 2, height: 1 }).data]).toEqual([170, 0, 85, 255, 0, 0, 255, 255]);
});

test("what can't be seen has no colour to give", () => {
  const picture = pictureOf([RED, CLEAR, CLEAR, CLEAR]);
  expect([...scaled(picture, { width: 2, height: 1 }).data]).toEqual([255, 0, 0, 128, 0, 0, 0, 0]);
});

test("one colour stays that colour at any size", () => {
  const side = fc.integer({ min: 1, max: 12 });
  const channel = fc.nat(255);
  fc.assert(
    fc.property(
      side,
      side,
      side,
      side,
      fc.tuple(channel, channel, channel),
      (width, height, across, down, [red, green, blue]) => {
        const row = Array.from({ length: width }, () => [red, green, blue, 255] as const);
        const { data } = scaled(pictureOf(...Array.from({ length: height }, () => row)), { width: across, height: down });
        expect([...data]).toEqual(Array.from({ length: across * down }, () => [red, green, blue, 255]).flat());
      },
    ),
  );
});
