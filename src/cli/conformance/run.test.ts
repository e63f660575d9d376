import { expect, test } from "vitest";
import { findVitest } from "./run.js";

test.for([
  ["that is older than 4.1", async () => ({ version: "4.0.18" }), "needs vitest 4.1, and there is 4.0.18."],
  ["of the next major version", async () => ({ version: "5.0.0" }), "needs vitest 4.1, and there is 5.0.0."],
  ["that isn't there", () => Promise.reject(new Error("no package")), "needs vitest 4.1, which can't be loaded."],
] as const)("a vitest %s is MISSING, and it is said what to install", async ([, load, said]) => {
  const message = `This ${said} Install it beside dl7450: npm install vitest@4`;
  await expect(findVitest(load)).rejects.toMatchObject({ code: "MISSING", message });
});

test("one that fits is taken", async () => {
  expect(await findVitest(async () => ({ version: "4.1.0" }))).toEqual({ version: "4.1.0" });
});
