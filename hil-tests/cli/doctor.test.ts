/** doctor, on a dock, and where there is none. */
import { describe, expect, test } from "vitest";
import { runCli, unsafeLines } from "../../src/cli/testing/run-cli.js";
import { systemClock } from "../../src/clock.js";
import type { FoundPort } from "../../src/discovery.js";
import { benchWith, cells } from "./bench.js";

const NOBODY = "tcp://127.0.0.1:1";

/** A clock by which each look at it comes so many milliseconds after the one before. */
function clockOf(step: number): typeof systemClock {
  let looks = 0;
  return { ...systemClock, now: () => step * looks++ };
}

const CHECKS = [
  "node",
  "port",
  "permission",
  "holder",
  "udev rules",
  "ModemManager",
  "handshake",
  "round trip",
  "line",
  "features",
];

describe("on a dock", () => {
  test("says of each check how it went, and ends with 0", async () => {
    const { run } = await benchWith("full");
    const { exitCode, stdout, stderr } = await run("doctor");
    expect({ exitCode, stderr, unsafe: unsafeLines(stdout) }).toEqual({ exitCode: 0, stderr: "", unsafe: [] });
    const lines = cells(stdout).filter(([verdict = ""]) => /^(ok|warning|skipped)$/.test(verdict));
    expect(lines.map(([, check]) => check)).toEqual(CHECKS);
    expect(lines).toContainEqual(["skipped", "port", "the target is no serial port"]);
    expect(lines).toContainEqual(["ok", "handshake", expect.stringMatching(/^"RW02-0005" answered, open after \d+ ms$/)]);
    expect(lines).toContainEqual(["ok", "line", "there is no image to read; nothing lost"]);
    expect(lines).toContainEqual(["ok", "features", expect.stringContaining("; without: factory can't be written (rom push)")]);
  });

  test("as JSON is an array", async () => {
    const found = await (await benchWith("preview")).json("doctor");
    expect(found).toHaveLength(CHECKS.length);
    expect(found).toEqual(CHECKS.map((check) => expect.objectContaining({ check, verdict: expect.any(String) })));
    expect(found).toContainEqual({ check: "features", verdict: "ok", said: expect.stringContaining("layers can't be named") });
  });

  test("reads images for as long as a load takes, and no longer", async () => {
    const { runWith } = await benchWith("full", { runtime: { images: { a: ["none", Buffer.alloc(50_000)] } } });
    const { exitCode, stdout } = await runWith({ clock: clockOf(100) }, "doctor");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ok {7}line {10}0\.\d MB of images read, 0\.\d MB\/s; nothing lost$/m);
  });

  test("that is slow is a warning, with what may be the cause, and no failure", async () => {
    const { runWith } = await benchWith("full");
    const { exitCode, stdout } = await runWith({ clock: clockOf(150) }, "doctor");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^warning {2}round trip {4}150\.0 ms in the middle, 150\.0 ms at most, of 20\n {23}That is slow: /m);
  });

  test("that is lost meanwhile is told, check by check", async () => {
    const { dock, runWith } = await benchWith("full");
    let looks = 0;
    const now = (): number => {
      if (++looks === 10) void dock[Symbol.asyncDispose]();
      return 0;
    };
    const { exitCode, stdout } = await runWith({ clock: { ...systemClock, now } }, "doctor");
    expect(exitCode).toBe(6);
    expect(cells(stdout).flatMap(([verdict, check]) => (verdict === "failed" ? check : []))).toEqual(["round trip", "line"]);
  });
});

describe("where nobody answers", () => {
  test("ends as a command would, with what was looked at before", async () => {
    const { exitCode, stdout, stderr } = await runCli(["doctor", "--port", NOBODY]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: "dl7450: 1 of 10 checks have failed.\n" });
    expect(stdout).toMatch(/^failed {3}handshake {5}Nothing answers at tcp:\/\/127\.0\.0\.1:1 /m);
    expect(stdout).toMatch(/^skipped {2}features {6}no dock$/m);
  });

  test("as JSON the findings go to stdout, and the failure to stderr", async () => {
    const { exitCode, stdout, stderr } = await runCli(["doctor", "--json", "--port", NOBODY]);
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({ check: "handshake", verdict: "failed", code: "NO_DOCK" }),
    );
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: "NO_DOCK", exitCode: 3 } });
  });

  test("a path where nothing is ends with 3, not as one that is forbidden", async () => {
    const { exitCode, stdout } = await runCli(["doctor", "--port", "/dev/there-is-no-such-port"]);
    expect(exitCode).toBe(3);
    expect(stdout).toContain("there is no /dev/there-is-no-such-port here");
  });

  test("with no port of that serial number, and with several, ends with 3", async () => {
    const serialNumber = "there is no such dock";
    const ports = [1, 2].map((i): FoundPort => ({ path: `/dev/dock-${i}`, vendorId: "17e9", productId: "6000", serialNumber }));
    for (const [findPorts, code] of [[async () => [], "NO_DOCK"] as const, [async () => ports, "SEVERAL_DOCKS"] as const]) {
      const { exitCode, stderr } = await runCli(["doctor", "--json", "--port", `id:${serialNumber}`], { findPorts });
      expect(exitCode).toBe(3);
      expect(JSON.parse(stderr)).toMatchObject({ error: { code } });
    }
  });

  test("what can't be a target is wrong usage, and nothing is looked at", async () => {
    expect(await runCli(["doctor", "--port", "mock:nope"])).toMatchObject({ exitCode: 2, stdout: "" });
  });

  test("an interrupt ends it with 130, and is no finding", async () => {
    const { runWith } = await benchWith("full");
    const interrupt = new AbortController();
    let looks = 0;
    const now = (): number => {
      if (++looks === 10) interrupt.abort(); // in the middle of the round trips
      return 0;
    };
    const { exitCode, stdout } = await runWith({ clock: { ...systemClock, now }, signal: interrupt.signal }, "doctor");
    expect(exitCode).toBe(130);
    expect(stdout).toMatch(/handshake .*\n$/);
  });
});
