/** The command line without a dock. */
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { FoundPort, PortInfo } from "../discovery.js";
import type { PortChange } from "../port-watch.js";
import { version } from "../version.js";
import { createProgram } from "./program.js";
import { brokenOutput, Recorder, runCli, unsafeLines, usualContext } from "./testing/run-cli.js";

describe("wrong usage ends with 2, with nothing on stdout", () => {
  const cases: [argv: string[], message: string][] = [
    [["lss"], "unknown command 'lss' (did you mean ls?)"],
    [["kv", "gett", "x"], "unknown command 'gett' (did you mean get?)"],
    [["ls", "--jsn"], "unknown option '--jsn' (did you mean --json?)"],
    [["ls", "x"], "too many arguments for 'ls'. Expected 0 arguments but got 1."],
    [["kv", "get"], "missing required argument 'key'"],
    [["ls", "--store", "fac"], "option '--store <layer>' argument 'fac' is invalid. Allowed choices are"],
    [["ls", "--timeout", "abc"], "option '--timeout <seconds>' argument 'abc' is invalid."],
    [["ls", "--timeout", "0"], "option '--timeout <seconds>' argument '0' is invalid."],
    [["ls", "--timeout", "-1"], "option '--timeout <seconds>' argument '-1' is invalid."],
    [["ls", "--timeout", "1e999"], "option '--timeout <seconds>' argument '1e999' is invalid."],
    [["ls", "--timeout", "9999999"], "option '--timeout <seconds>' argument '9999999' is invalid."],
    [["ls", "--baud", "0"], "option '--baud <rate>' argument '0' is invalid."],
    [["ls", "--trace", "-"], "option '--trace <file>' argument '-' is invalid."],
    [["ls", "--trace", ""], "option '--trace <file>' argument '' is invalid."],
    [["trace", "show"], "missing required argument 'file'"],
    [["trace", "replay", "-"], "command-argument value '-' is invalid for argument 'file'."],
    [["ls", "--port", "mock:nope"], '"nope" is no profile, and no path that exists. A mock dock is mock:, mock:preview'],
    [["ls", "--port", "mock:./nope.ndjson"], '"./nope.ndjson" doesn\'t exist. A mock dock is mock:, mock:preview'],
    [["ls", "--port", "mock:", "--no-dtr"], "DTR and RTS are lines of a serial port"],
    [["ls", "--port", "tcp://127.0.0.1:1", "--rts"], "DTR and RTS are lines of a serial port"],
    [["image", "get"], "give either a tag or --token"],
    [["image", "get", "a", "--token", "00"], "give either a tag or --token"],
    [["image", "get", "--token", "xy"], "A token is 2 to 128 hexadecimal digits."],
    [["image", "get", "a", "-o", ""], "option '-o, --output <file>' argument '' is invalid."],
    [["image", "put", ""], "command-argument value '' is invalid for argument 'file'."],
    [["image", "put", "-"], "stdin has no name: give the tag with --as"],
    [["image", "put", "a", "--type", "gif"], "option '--type <type>' argument 'gif' is invalid. Allowed choices are"],
    [["image", "delete", "a", "--store", "application"], "option '--store <layer>' argument 'application' is invalid."],
    [["image", "delete", "a", "--store", "factory"], "factory data is overwritten for good: give the dock's name"],
    [["kv", "set", "a", "b", "--store", "factory"], "factory data is overwritten for good: give the dock's name"],
    [["kv", "set", "a", "b", "--json-value"], "The value isn't one in JSON: "],
    [["kv", "set", "a", '{"$hex": "00"}', "--json-value"], "The value isn't one in JSON: a $hex that isn't one of"],
    [["kv", "set", "a", "[-12345678901234567]", "--json-value"], "The value isn't one in JSON: -12345678901234567 would lose"],
    [["rom", "check", "/nowhere/config.yaml"], "/nowhere/config.yaml can't be read: there is no such file."],
    [["rom", "payload", "c.yaml", "--dock-id", "ab"], "option '--dock-id <hex>' argument 'ab' is invalid."],
    [["reset"], "all that is runtime or ephemeral is deleted for good: give the dock's name"],
    [["completion", "tcsh"], "command-argument value 'tcsh' is invalid for argument 'shell'. Allowed choices are bash"],
    [["kv", "set", "a"], "give either a value or --file"],
    [["conformance", "--junit", "-"], "option '--junit <file>' argument '-' is invalid. It is the path of a file"],
    [["conformance", "--only", ""], "option '--only <name>' argument '' is invalid. It is a feature, or part of a name."],
    [["conformance", "--trace", "t.ndjson"], "each test opens the dock for itself, which --trace doesn't see"],
    [["snapshot", "save", "a", "--store", "rom"], "option '--store <layer>' argument 'rom' is invalid."],
  ];
  test.each(cases)("%j", async (argv, message) => {
    const { exitCode, stdout, stderr } = await runCli(argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr.startsWith(`dl7450: ${message}`), stderr).toBe(true);
    expect(stderr.split("\n")).toHaveLength(2);
  });

  test.each([[[]], [["kv"]], [["image"]], [["rom"]]])("%j: a command is missing, and stderr has the help", async (argv) => {
    const { exitCode, stdout, stderr } = await runCli(argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(/^Usage: dl7450 /);
  });

  test("an image for a terminal asks for -o", async () => {
    const { exitCode, stderr } = await runCli(["image", "get", "a"], { stdout: new Recorder("terminal") });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("-o FILE");
  });

  test("is told as JSON when asked for, wherever --json stands", async () => {
    const { stderr } = await runCli(["ls", "--timeout", "abc", "--json"]);
    expect(JSON.parse(stderr)).toEqual({
      error: { code: "USAGE", message: expect.stringContaining("'abc' is invalid"), exitCode: 2 },
    });
  });

  test("a key after -- is a key, even --json", async () => {
    const { stderr } = await runCli(["kv", "get", "--port", "tcp://127.0.0.1:1", "--", "--json"]);
    expect(stderr).toMatch(/^dl7450: Nothing answers/);
  });
});

describe("help", () => {
  const all = wordsOf(createProgram(usualContext(), () => {}));
  test.each(all.map((words) => [words]))("of %j has an example and the global options, on stdout", async (words) => {
    const { exitCode, stdout, stderr } = await runCli([...words, "--help"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/\nExamples?:\n {2}dl7450 /);
    expect(stdout).toContain("--port <target>");
  });

  test("--version prints the version", async () => {
    expect(await runCli(["--version"])).toMatchObject({ exitCode: 0, stdout: `${version}\n` });
  });
});

test("completion prints the script of a shell", async () => {
  const { exitCode, stdout, stderr } = await runCli(["completion", "fish"]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toMatch(/^# Completion of dl7450 for fish/);
  expect(JSON.parse((await runCli(["completion", "fish", "--json"])).stdout)).toEqual({ shell: "fish", script: stdout });
});

/** The words of each command, groups and the program itself among them. */
function wordsOf({ commands }: Command, before: readonly string[] = []): string[][] {
  return [[...before], ...commands.flatMap((command) => wordsOf(command, [...before, command.name()]))];
}

describe("udev", () => {
  test("prints rules, each on one line, for DisplayLink's serial ports", async () => {
    const { exitCode, stdout, stderr } = await runCli(["udev"]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    const rules = stdout.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    expect(rules).toHaveLength(1);
    for (const part of rules[0]?.split(", ") ?? []) expect(part).toMatch(/^[A-Z]+(\{\w+\})?(==|\+=|=)"[^"]+"$/);
    expect(rules[0]).toContain('ATTRS{idVendor}=="17e9"');
    expect(JSON.parse((await runCli(["udev", "--json"])).stdout)).toMatchObject({ rules: stdout });
  });
});

describe("ports", () => {
  const dock: PortInfo = { path: "/dev/ttyACM0", vendorId: "17e9", productId: "6000", serialNumber: "RW02\u001b[31m" };
  const other: PortInfo = { path: "/dev/ttyUSB0", vendorId: "0403", productId: "6001", product: "UART\n\u202e" };
  const findPorts = async (): Promise<FoundPort[]> => [dock, { ...other, holder: { pid: 812, program: "mini\u0007com" } }];

  test("lists what is plugged in, made visible", async () => {
    const { exitCode, stdout, stderr } = await runCli(["ports"], { findPorts });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      ["path", "dock", "usb", "serial", "manufacturer", "product", "open in"],
      ["/dev/ttyACM0", "yes", "17e9:6000", "RW02\\x1b[31m"],
      ["/dev/ttyUSB0", "no", "0403:6001", "UART\\n\\u{202e}", "mini\\x07com (812)"],
      [""],
    ]);
  });

  test("as JSON is an array", async () => {
    const { stdout } = await runCli(["ports", "--json"], { findPorts });
    expect(unsafeLines(stdout)).toEqual([]);
    expect(JSON.parse(stdout)).toEqual([
      { ...dock, dock: true },
      { ...other, holder: { pid: 812, program: "mini\u0007com" }, dock: false },
    ]);
  });

  describe("--watch", () => {
    const changes: PortChange[] = [
      { kind: "plugged", port: dock },
      { kind: "unplugged", port: other },
    ];
    async function* watchPorts(): AsyncGenerator<PortChange> {
      yield* changes;
    }

    test("is a line for each change, made visible", async () => {
      const { exitCode, stdout, stderr } = await runCli(["ports", "--watch"], { watchPorts });
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "Watching the USB serial ports, until Ctrl-C.\n" });
      expect(stdout.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
        ["plugged", "/dev/ttyACM0", "yes", "17e9:6000", "RW02\\x1b[31m", "-", "-"],
        ["unplugged", "/dev/ttyUSB0", "no", "0403:6001", "-", "-", "UART\\n\\u{202e}"],
        [""],
      ]);
    });

    test("as JSON is an object a line", async () => {
      const { stdout } = await runCli(["ports", "--watch", "--json", "--quiet"], { watchPorts });
      expect(unsafeLines(stdout)).toEqual([]);
      expect(
        stdout
          .trimEnd()
          .split("\n")
          .map((line): unknown => JSON.parse(line)),
      ).toEqual([
        { kind: "plugged", port: { ...dock, dock: true } },
        { kind: "unplugged", port: { ...other, dock: false } },
      ]);
    });

    test("ends with 130 when the user interrupts", async () => {
      const { exitCode } = await runCli(["ports", "--watch"], { signal: AbortSignal.timeout(50) });
      expect(exitCode).toBe(130);
    });
  });

  test("with nothing plugged in is an empty list and a remark", async () => {
    const remark = "No USB serial port is plugged in.\n";
    expect(await runCli(["ports"])).toMatchObject({ exitCode: 0, stdout: "", stderr: remark });
    expect(await runCli(["ports", "--json"])).toMatchObject({ exitCode: 0, stdout: "[]\n" });
    expect(await runCli(["ports", "--quiet"])).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
  });

  test("a reader of stdout that has left is no failure; a full disk is one", async () => {
    expect(await runCli(["ports"], { findPorts, stdout: brokenOutput("EPIPE") })).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await runCli(["ports"], { findPorts, stdout: brokenOutput("ENOSPC") })).toMatchObject({
      exitCode: 1,
      stderr: "dl7450: stdout can't be written: the disk is full.\n",
    });
  });
});

describe("a line without a dock", () => {
  /** What it does with what it hears is up to the test. */
  let hear: (socket: Socket) => void = () => {};
  const server = createServer((socket) => {
    socket.on("error", () => {});
    hear(socket);
  });
  let target = "";

  beforeAll(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address !== null && typeof address === "object") target = `tcp://127.0.0.1:${address.port}`;
  });
  afterAll(() => {
    server.close();
  });

  test("that answers nothing ends with 6, in the time that --timeout gives, in seconds", async () => {
    hear = (socket) => socket.resume();
    const { exitCode, stderr } = await runCli(["info", "--timeout", "0.2", "--port", target]);
    expect(exitCode).toBe(6);
    expect(stderr).toContain("within 200 ms");
  });

  test("is traced; a trace that can't be begun ends with 1, before anything is opened", async () => {
    hear = (socket) => socket.end("no dock\r\n\0");
    const folder = await mkdtemp(join(tmpdir(), "dl7450-main-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, "t.ndjson");
    expect(await runCli(["info", "--port", target, "--trace", file])).toMatchObject({ exitCode: 6 });
    const written = await readFile(file, "utf8");
    for (const part of ['"target":"tcp://', '"opened":"tcp://', '"dir":"out","body":"', '"text":"no dock\\r\\n"', '"lost":"']) {
      expect(written).toContain(part);
    }
    expect(await runCli(["info", "--port", target, "--trace", folder])).toMatchObject({ exitCode: 1 });
  });

  test("that echoes ends with 3", async () => {
    hear = (socket) => socket.pipe(socket);
    expect(await runCli(["info", "--port", target])).toMatchObject({ exitCode: 3 });
  });

  test("that isn't there ends with 3", async () => {
    expect(await runCli(["info", "--port", "tcp://127.0.0.1:1"])).toMatchObject({ exitCode: 3 });
  });

  test("can be named before the command, after it, or by DL7450_PORT, and the last option wins", async () => {
    const free = "tcp://127.0.0.1:1";
    const named = "dl7450: Nothing answers at tcp://127.0.0.1:1 ";
    const env = { DL7450_PORT: free };
    for (const [argv, given] of [
      [["--port", free, "info"], {}],
      [["info", "--port", free], {}],
      [["info"], { env }],
      [["--port", target, "info", "--port", free], {}],
      [["info", "--port", free], { env: { DL7450_PORT: target } }],
    ] as const) {
      expect((await runCli(argv, given)).stderr.slice(0, named.length), argv.join(" ")).toBe(named);
    }
  });

  test("a command that is interrupted while it opens ends at once, with 130", async () => {
    const interrupt = new AbortController();
    hear = () => interrupt.abort();
    const { exitCode, stderr } = await runCli(["info", "--port", target, "--timeout", "1000"], { signal: interrupt.signal });
    expect({ exitCode, stderr }).toEqual({ exitCode: 130, stderr: "dl7450: interrupted\n" });
  });
});
