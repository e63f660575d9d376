import { execFileSync } from "node:child_process";
import { chmod, chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { problemOfOpening, troubleOf } from "./port-trouble.js";

test.each([
  ["Error: Permission denied, cannot open /dev/ttyACM0", "PERMISSION"],
  ["Error: Operation not permitted, cannot open /dev/ttyACM0", "PERMISSION"],
  ["Error Resource temporarily unavailable Cannot lock port", "BUSY"],
  ["Error: Device or resource busy, cannot open /dev/ttyACM0", "BUSY"],
  ["Opening COM3: Access denied", "BUSY"],
  ["Error: No such file or directory, cannot open /dev/ttyACM0", "NO_DOCK"],
  ["Error: Inappropriate ioctl for device setting custom baud rate of 13", "NO_DOCK"],
])("%j is %s", (said, code) => {
  expect(troubleOf(new Error(said))).toBe(code);
});

test("a device that is plugged in but has no file here is named: a container wasn't given it", async () => {
  const missing = new Error("Error: No such file or directory, cannot open /dev/ttyACM0");
  expect((await problemOfOpening("/dev/ttyACM0", missing)).message).toContain("There is no port /dev/ttyACM0.");
  const { message } = await problemOfOpening("/dev/ttyACM0", missing, "DisplayLink, DL-7450, USB 17e9:7450");
  expect(message).toContain("/dev/ttyACM0 (DisplayLink, DL-7450, USB 17e9:7450) is plugged in");
  expect(message).toContain("container");
});

describe.runIf(process.platform === "linux")("without permission", () => {
  const denied = new Error("Error: Permission denied, cannot open it");

  test("the group is named that may, and how to join it", async () => {
    const path = await file(0o660);
    const group = execFileSync("stat", ["-c", "%G", path], { encoding: "utf8" }).trim();
    const problem = await problemOfOpening(path, denied);
    expect(problem).toMatchObject({ code: "PERMISSION", cause: denied });
    expect(problem.message).toContain(
      `You may not open ${path}. It belongs to the group ${group}: sudo usermod -aG ${group} $USER`,
    );
  });

  test.each([
    ["a file whose group may only read", () => file(0o640)],
    ["root's group", async () => "/dev/null"],
    ["a path where nothing is any more", async () => "/dev/there-is-no-such-port"],
  ])("no group is named for %s, but the rules that help", async (_, path) => {
    const { message } = await problemOfOpening(await path(), denied);
    expect(message).not.toContain("usermod");
    expect(message).toContain("`dl7450 udev`");
  });
});

/** A file of some group that isn't root's. */
async function file(mode: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "dl7450-port-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "port");
  await writeFile(path, "");
  if (process.getgid?.() === 0) await chown(path, 0, 1);
  await chmod(path, mode);
  return path;
}
