import { expect, test } from "vitest";
import { RequestsMet } from "./requests.js";

const failure = { code: "BUSY", message: "", retryable: true };

test("the last 1,024 refusals are remembered, and no more", () => {
  const requests = new RequestsMet();
  for (let id = 1; id <= 1_025; id++) requests.refuse(id, failure);
  expect(requests.refusal(1)).toBeUndefined();
  expect(requests.refusal(2)).toBe(failure);
  expect(requests.refusal(1_025)).toBe(failure);
});
