import { afterEach, expect, test, vi } from "vitest";
import { howToAllow, isAllowed } from "./allowed.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

test.each(["RW02-0005", "bench 4", "Dock’s"])("what is said to allow writing to %j does", (name) => {
  const [, text] = /^DL7450_ALLOW_WRITE=(.*) would let it be written$/.exec(howToAllow(name)) ?? [];
  vi.stubEnv("DL7450_ALLOW_WRITE", text);
  expect(isAllowed(name)).toBe(true);
});

test.each(["", " ", " RW-1", "a,b", "a\u001b[31m", "a\\b"])("%j is said to be a name that can't be allowed", (name) => {
  expect(howToAllow(name)).toMatch(/^DL7450_ALLOW_WRITE has no way to write the name "/);
});

test("nobody allows a dock without a name by naming none", () => {
  vi.stubEnv("DL7450_ALLOW_WRITE", "");
  expect(isAllowed("")).toBe(false);
});
