import { expect, test } from "vitest";
import { DockError } from "../errors.js";

import { outputError } from "./cli-error.js";
import type { Context } from "./context.js";
import { StdoutClosed } from "./output.js";
import { type ReportForm, report } from "./report.js";
import { Recorder, usualContext } from "./testing/run-cli.js";

const busy = new DockError({ code: "BUSY", message: "port \u001b[31m\n is in use" });

async function said(error: unknown, given: Partial<Context> & { form?: ReportForm } = {}) {
  const stderr = new Recorder();
  const { form = "text", ...rest } = given;
  const exitCode = await report(error, { ...usualContext(), stderr, ...rest }, form);
  return { exitCode, text: stderr.data.toString() };
}

test("an error is one line, made visible", async () => {
  expect(await said(busy)).toEqual({ exitCode: 5, text: "dl7450: port \\x1b[31m\\n is in use\n" });
});

test("as JSON it is one line with code, message and exit code", async () => {
  const text = '{"error":{"code":"BUSY","message":"port \\u001b[31m\\n is in use","exitCode":5}}\n';
  expect(await said(busy, { form: "json" })).toEqual({ exitCode: 5, text });
});

test("the stack is for who debugs", async () => {
  expect((await said(busy)).text).not.toContain("report.test");
  expect((await said(busy, { env: { DL7450_DEBUG: "1" } })).text).toContain("report.test");
});

test("a fault of the program itself ends with 1", async () => {
  const { exitCode, text } = await said(new TypeError("x is not a function"));
  expect(exitCode).toBe(1);
  expect(text).toMatch(/^dl7450: unexpected: x is not a function/);
});

test("who has read enough of stdout is no failure", async () => {
  expect(await said(new StdoutClosed())).toEqual({ exitCode: 0, text: "" });
});

test("whatever an interrupted command fails with, it was interrupted", async () => {
  const expected = { exitCode: 130, text: "dl7450: interrupted\n" };
  for (const error of [busy, new StdoutClosed(), new Error("x")]) {
    expect(await said(error, { signal: AbortSignal.abort() })).toEqual(expected);
  }
});

test("a file that can't be written says why", async () => {
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  expect(await said(outputError("a.png", full))).toEqual({
    exitCode: 1,
    text: "dl7450: a.png can't be written: the disk is full.\n",
  });
});
