import { expect, test } from "vitest";
import { ERROR_CODES } from "../errors.js";
import { EXIT_CODES } from "./exit-codes.js";

test("each code has the exit code that the documentation gives it", () => {
  const documented: Record<number, string> = {
    1: "CLOSED INTEGRITY MISSING OUTPUT PICTURE PROTOCOL SOURCE UNEXPECTED WRONG_VALUE",
    2: "USAGE",
    3: "ECHO NO_DOCK SEVERAL_DOCKS",
    4: "NOT_FOUND",
    5: "BUSY PERMISSION",
    6: "LINK_LOST NO_ANSWER OUTCOME_UNKNOWN TIMEOUT",
    7: "CANCELLED CHANGED CONFIG INTERNAL INVALID MALFORMED NO_SESSION NO_SPACE READ_ONLY SNAPSHOT STALE TOO_LARGE UNSUPPORTED VERSION",
    8: "DIFFERS",
    130: "ABORTED",
  };
  const given = Object.keys(documented).map((exitCode) => {
    const codes = Object.entries(EXIT_CODES).filter(([, it]) => it === Number(exitCode));
    return [
      exitCode,
      codes
        .map(([code]) => code)
        .sort()
        .join(" "),
    ];
  });
  expect(Object.fromEntries(given)).toEqual(documented);
  expect(Object.values(documented).join(" ").split(" ")).toHaveLength(Object.keys(EXIT_CODES).length);
});

test("no code of the driver is left out", () => {
  expect(Object.keys(EXIT_CODES)).toEqual(expect.arrayContaining(Object.keys(ERROR_CODES)));
});
