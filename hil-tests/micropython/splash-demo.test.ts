/** `dock/splash_demo.py`: the image whose token a host asks for is on the screen. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { expect, test } from "vitest";
import { Dock } from "../../src/index.js";
import { codeOf } from "../contract/calls.js";
import { startMock, startRefused } from "../mock-dock.js";

const report = v.pipe(v.string(), v.parseJson(), v.object({ screen: v.exactOptional(v.unknown()) }));

const DEMO = fileURLToPath(new URL("../../dock/splash_demo.py", import.meta.url));

test("an image whose token is asked for is shown, and one that there isn't is not", async () => {
  await using mock = await startMock("--engine", "micropython", "--code", DEMO, "--report");
  const { stdout } = mock.process;
  if (stdout === null) throw new Error("the mock has an output");
  const lines = createInterface(stdout);
  await using dock = await Dock.open(mock.target);
  for (const [tag, file, type] of [
    ["welcome", "welcome.bmp", "bmp"],
    ["default", "default.png", "png"],
  ] as const) {
    const shown = nextScreen(lines);
    expect(await codeOf(dock.images.getToken("no such image"))).toBe("NOT_FOUND");
    await dock.images.getToken(tag);
    const bytes = readFileSync(new URL(`../../mocks/fixtures/stock/${file}`, import.meta.url));
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    expect(await shown).toEqual({ background: { tag, type, size: bytes.length, sha256 }, text: "" });
  }
});

test("an application that can't run ends the mock, which says why", async () => {
  const { code, errors } = await startRefused("--engine", "micropython", "--code", fileURLToPath(import.meta.url));
  expect(code).toBe(1);
  expect(errors).toMatch(/splash-demo\.test\.ts can't run: .*SyntaxError/s);
});

/** What is shown next, as the mock reports it among other things. */
async function nextScreen(lines: Interface): Promise<unknown> {
  for (;;) {
    const [line] = await once(lines, "line");
    const { screen } = v.parse(report, line);
    if (screen !== undefined) return screen;
  }
}
