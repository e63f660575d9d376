import { expect, test } from "vitest";
import { Random } from "../random.js";
import { Occasions } from "./occasions.js";

test("at a rate of 1 each chance is an occasion, once", () => {
  const occasions = new Occasions({ rate: 1, times: 8 }, new Random(1));
  expect(occasions.among(5)).toEqual([0, 1, 2, 3, 4]);
  expect(occasions.among(5)).toEqual([0, 1, 2]);
});

test("chances after the first occasion haven't gone by", () => {
  const occasions = new Occasions({ at: 3 }, new Random(1));
  expect(occasions.first(2)).toBeUndefined();
  expect(occasions.first(100)).toBe(0);
  expect(occasions.first(100)).toBeUndefined();
});
