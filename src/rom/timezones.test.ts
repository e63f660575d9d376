import { expect, test } from "vitest";
import { closestTimezone, TIMEZONES } from "./timezones.js";

test("there are the 23 zones of the documentation, each once", () => {
  expect(new Set(TIMEZONES).size).toBe(23);
});

test.each([
  ["gmt", "GMT"],
  ["CST", "CST6CDT"],
  ["PST", "PST8PDT"],
  ["HongKong", "Hongkong"],
  ["Singapur", "Singapore"],
  ["w-su", "W-SU"],
  ["IST", undefined],
  ["Europe/Berlin", undefined],
  ["", undefined],
])("%j was meant to be %s", (text, zone) => {
  expect(closestTimezone(text)).toBe(zone);
});
