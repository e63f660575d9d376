import { expect, test } from "vitest";
import { PartialUploads } from "./uploads.js";

const HASH = new Uint8Array(32).fill(1);
const ANOTHER = new Uint8Array(32).fill(2);

test("a part is handed out once, for its content and size", () => {
  const parts = new PartialUploads();
  const part = Uint8Array.of(1, 2, 3);
  parts.keep(HASH, 11, part);
  part.fill(0);
  expect(parts.take(HASH, 12)).toBeUndefined();
  expect(parts.take(ANOTHER, 11)).toBeUndefined();
  expect(parts.take(HASH, 11)).toEqual(Uint8Array.of(1, 2, 3));
  expect(parts.take(HASH, 11)).toBeUndefined();
});

test("an empty part isn't kept, and none takes the place of a longer one", () => {
  const parts = new PartialUploads();
  parts.keep(HASH, 11, new Uint8Array(0));
  expect(parts.take(HASH, 11)).toBeUndefined();
  for (const length of [3, 2, 0]) parts.keep(HASH, 11, new Uint8Array(length));
  expect(parts.take(HASH, 11)).toHaveLength(3);
});

test("of five parts the oldest goes", () => {
  const parts = new PartialUploads();
  for (const size of [1, 2, 3, 4, 5]) parts.keep(HASH, size, Uint8Array.of(size));
  expect([1, 2, 3, 4, 5].map((size) => parts.take(HASH, size)?.[0])).toEqual([undefined, 2, 3, 4, 5]);
});

test("parts of more than 32 MB together drive out the oldest; one that is larger isn't kept", () => {
  const parts = new PartialUploads();
  for (const size of [12_000_000, 12_000_001, 12_000_002]) parts.keep(HASH, size, new Uint8Array(12_000_000));
  expect(parts.take(HASH, 12_000_000)).toBeUndefined();
  expect(parts.take(HASH, 12_000_001)).toHaveLength(12_000_000);
  parts.keep(HASH, 40_000_000, new Uint8Array(32_000_001));
  expect(parts.take(HASH, 40_000_000)).toBeUndefined();
});
