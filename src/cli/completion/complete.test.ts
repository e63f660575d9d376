/** What a shell is answered, without a dock. */
import { createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { FoundPort } from "../../discovery.js";
import { ManualClock } from "../../testing/manual-clock.js";
import { brokenOutput, type Ran, runCli, unsafeLines } from "../testing/run-cli.js";

function ask(...argv: readonly string[]): Promise<Ran> {
  return runCli(["__complete", ...argv]);
}

const NOTHING = { exitCode: 0, stdout: "words\n", stderr: "" };

test("each shell is answered in its own terms", async () => {
  const about = "the vendor's provisioning file";
  expect(await ask("fish", "ro")).toEqual(
    expect.objectContaining({ exitCode: 0, stdout: `words\nrom\t${about}\n`, stderr: "" }),
  );
  expect((await ask("zsh", "ro")).stdout).toBe(`words\nrom:${about}\n`);
  expect((await ask("bash", "dl7450 ro", "ro")).stdout).toBe("words\nrom\n");
});

test("a value behind a = has the option before it where the shell replaces all of the word", async () => {
  expect((await ask("fish", "--progress=j")).stdout).toBe("words=\n--progress=json\n");
  expect((await ask("zsh", "--progress=j")).stdout).toBe("words=\njson\n");
  expect((await ask("bash", "dl7450 --progress=j", "j")).stdout).toBe("words=\njson\n");
  expect((await ask("bash", "dl7450 --progress=j", "--progress=j")).stdout).toBe("words=\n--progress=json\n");
});

test("files are left to the shell", async () => {
  expect((await ask("zsh", "image", "put", "a")).stdout).toBe("files\n");
  expect((await ask("fish", "image", "get", "x", "--output=a")).stdout).toBe("files=\n");
  expect((await ask("bash", "dl7450 image get x > a", "a")).stdout).toBe("files\n");
});

test("ports are the paths and serial numbers that are plugged in, and mock docks", async () => {
  const dock: FoundPort = {
    path: "/dev/ttyACM0",
    vendorId: "17e9",
    productId: "6000",
    serialNumber: "RW02:5",
    product: "Dock\u001b\t!",
  };
  const bare: FoundPort = { path: "/dev/ttyUSB0", vendorId: "0403", productId: "6001", serialNumber: "x\u202ey" };
  const findPorts = async (): Promise<FoundPort[]> => [dock, bare];
  const { stdout } = await runCli(["__complete", "zsh", "--port", ""], { findPorts });
  expect(stdout.split("\n")).toEqual([
    "words",
    "mock\\::a mock dock of its own",
    "mock\\:preview:one that can only be read",
    "mock\\:development:one whose factory data can be written",
    "mock\\:micropython:the agent for real docks, in MicroPython",
    "/dev/ttyACM0:Dock\\x1b\\t!",
    "id\\:RW02\\:5:Dock\\x1b\\t!",
    "/dev/ttyUSB0:USB 0403:6001",
    "",
  ]);
  expect(unsafeLines(stdout)).toEqual([]);
});

test("where ports can't be listed, there are mock docks", async () => {
  const { stdout } = await runCli(["__complete", "fish", "--port=mock:p"], { findPorts: () => Promise.reject(new Error("x")) });
  expect(stdout).toBe("words=\n--port=mock:preview\tone that can only be read\n");
});

test("a description is cut to a line's length", async () => {
  const product = "x".repeat(5_000);
  const port: FoundPort = { path: "/dev/ttyACM0", vendorId: "17e9", productId: "6000", product };
  const { stdout } = await runCli(["__complete", "fish", "--port", "/"], { findPorts: async () => [port] });
  expect(stdout).toBe(`words\n/dev/ttyACM0\t${"x".repeat(79)}…\n`);
});

test.each([
  ["no shell", []],
  ["another shell", ["toString", "x"]],
  ["a line that is unclear", ["bash", "dl7450 kv get $(date) $x", "$x"]],
])("%s is answered with nothing at all", async (_what, argv) => {
  expect(await ask(...argv)).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
});

test.each([
  ["settings that can't be read", ["kv", "get", ""], { DL7450_TIMEOUT: "soon" }],
  ["a target that is none", ["--port", "mock:nope", "kv", "get", ""], {}],
  ["an option that is wrong", ["--baud", "none", "kv", "get", ""], {}],
  ["no dock", ["--port", "id:there is no such dock", "image", "get", ""], {}],
  ["nobody who answers there", ["--port", "tcp://127.0.0.1:1", "image", "get", ""], {}],
  ["a line that can't be", ["--port", "mock:", "--no-dtr", "image", "get", ""], { DL7450_DEBUG: "1" }],
])("with %s there is nothing, and nothing is said", async (_what, words, env) => {
  expect(await runCli(["__complete", "fish", ...words], { env })).toMatchObject(NOTHING);
});

test("a dock that doesn't answer is waited for less than a second", async () => {
  const clock = new ManualClock();
  const server = createServer((socket) => {
    socket.on("error", () => {}).resume();
    onTestFinished(() => void socket.destroy());
    void clock.advance(800);
  });
  onTestFinished(() => void server.close());
  const port = await new Promise<unknown>((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address())));
  if (typeof port !== "object" || port === null || !("port" in port)) throw new Error("a TCP server has a port");
  const words = ["--timeout", "1000", "--port", `tcp://127.0.0.1:${port.port}`, "image", "get", ""];
  expect(await runCli(["__complete", "fish", ...words], { clock })).toMatchObject(NOTHING);
});

test("ports that never come aren't waited for either, nor is a clock left running", async () => {
  const clock = new ManualClock();
  const answered = runCli(["__complete", "fish", "--port", ""], { clock, findPorts: () => new Promise(() => {}) });
  expect(await clock.run(answered)).toMatchObject(NOTHING);
  expect(clock.now()).toBe(800);
  await runCli(["__complete", "fish", "--port", ""], { clock });
  expect(clock.waiting).toBe(0);
});

test("an interrupt ends it at once", async () => {
  const findPorts = (): Promise<FoundPort[]> => new Promise(() => {});
  const given = { clock: new ManualClock(), findPorts, signal: AbortSignal.abort() };
  expect(await runCli(["__complete", "fish", "--port", ""], given)).toMatchObject({ exitCode: 0, stderr: "" });
});

test("a shell that has stopped listening is no failure", async () => {
  expect(await runCli(["__complete", "fish", ""], { stdout: brokenOutput("EPIPE") })).toMatchObject({
    exitCode: 0,
    stderr: "",
  });
});
