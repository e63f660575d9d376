/** The mock dock as a process: how it begins, and that nothing is left of it, however it ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { Dock } from "../src/index.js";
import { mockProgram, readyLine, startMock } from "./mock-dock.js";
import { descendantsOf, expectEnd, firstOutput, killAll, killNow, startNode } from "./processes.js";
import { startStuckReader } from "./stuck-reader.js";

/** Starts a mock dock and says its process id: when it is ready, alone or with its port; or at once, and is then killed. */
const PARENT = `
  import { spawn } from "node:child_process";
  import { writeSync } from "node:fs";
  const [when, ...program] = process.argv.slice(1);
  const mock = spawn(process.execPath, program, { stdio: ["ignore", "pipe", "ignore"] });
  if (when === "at once") {
    writeSync(1, String(mock.pid));
    process.kill(process.pid, "SIGKILL");
  }
  mock.stdout.once("data", (line) => {
    const { port } = JSON.parse(line);
    writeSync(1, when === "when it is ready" ? String(mock.pid) : JSON.stringify([mock.pid, port]));
  });
`;

const LINES = [
  { line: "a pseudo-terminal", options: [] },
  { line: "TCP", options: ["--tcp", "0"] },
] as const;

describe.for(LINES)("a mock dock over $line", { concurrent: true }, ({ options }) => {
  test("prints one line of JSON when it is ready, and nothing else", async () => {
    await using mock = await startMock(...options);
    {
      await using dock = await Dock.open(mock.target);
      await dock.images.get("meeting");
    }
    expect(await mock.stop()).toBe(0);
    expect(mock.output()).toMatch(/^[^\n]*\n$/);
    expect(v.parse(readyLine, mock.output())).toEqual({ ready: true, port: mock.port });
  });

  test.for(["SIGTERM", "SIGINT", "SIGHUP"] as const)("%s ends it with code 0, and its children with it", async (signal) => {
    await using mock = await startMock(...options);
    const children = descendantsOf(mock.pid);
    expect(await mock.stop(signal)).toBe(0);
    await expectEnd(children);
  });

  test("SIGTERM ends it in the middle of a stream", async () => {
    await using mock = await startMock(...options);
    const children = descendantsOf(mock.pid);
    await using dock = await Dock.open(mock.target);
    const read = async (): Promise<void> => {
      for await (const _ of dock.images.stream("welcome")) mock.process.kill("SIGTERM");
    };
    await expect(read()).rejects.toMatchObject({ code: "LINK_LOST" });
    expect(await mock.stop()).toBe(0);
    await expectEnd(children);
  });

  test("SIGTERM ends it while nobody reads what it sends", async () => {
    await using mock = await startMock(...options);
    const children = descendantsOf(mock.pid);
    await using _reader = await startStuckReader(mock.target);
    mock.process.kill("SIGTERM");
    await expectEnd([mock.pid, ...children]);
  });

  test("SIGKILL leaves no child of it", async () => {
    await using mock = await startMock(...options);
    const children = descendantsOf(mock.pid);
    expect(await mock.stop("SIGKILL")).toBe("SIGKILL");
    await expectEnd(children);
  });

  test("SIGKILL leaves no child of it, also when nobody was reading what it sent", async ({ onTestFinished }) => {
    await using mock = await startMock(...options);
    const children = descendantsOf(mock.pid);
    onTestFinished(() => killAll(children));
    {
      await using _reader = await startStuckReader(mock.target);
      await mock.stop("SIGKILL");
    }
    await expectEnd(children);
  });

  test("it ends when its parent is killed", async ({ onTestFinished }) => {
    const parent = startNode(PARENT, "when it is ready", mockProgram, ...options);
    const pid = Number(await firstOutput(parent));
    const all = [pid, ...descendantsOf(pid)];
    onTestFinished(() => killAll(all));
    await killNow(parent);
    await expectEnd(all);
  });

  test("it ends when its parent is killed before it is ready", async ({ onTestFinished }) => {
    const parent = startNode(PARENT, "at once", mockProgram, ...options);
    const pid = Number(await firstOutput(parent));
    onTestFinished(() => killAll([pid]));
    await expectEnd([pid]);
  });

  test("it ends when its parent is killed while nobody reads what it sends", async ({ onTestFinished }) => {
    const parent = startNode(PARENT, "when it is ready, with its port", mockProgram, ...options);
    const [pid, port] = v.parse(v.tuple([v.number(), v.string()]), JSON.parse(await firstOutput(parent)));
    const all = [pid, ...descendantsOf(pid)];
    onTestFinished(() => killAll(all));
    await using _reader = await startStuckReader(options.length > 0 ? `tcp://${port}` : port);
    await killNow(parent);
    await expectEnd(all);
  });
});

test("a mock dock ends with code 1 when any process that stands behind its pseudo-terminal does", async () => {
  for (let which = 0; ; which++) {
    await using mock = await startMock();
    const children = descendantsOf(mock.pid);
    const victim = children[which];
    if (victim === undefined) break;
    const ended = once(mock.process, "exit");
    process.kill(victim, "SIGKILL");
    await expectEnd([mock.pid, ...children]);
    expect(await ended).toEqual([1, null]);
  }
});

describe("a mock dock that can't start", { concurrent: true }, () => {
  test.for([
    ["a description that isn't there", ["--data", "/nowhere/dock.json"]],
    ["a description that isn't one", ["--data", mockProgram]],
    ["an unknown option", ["--bold"]],
    ["an unknown profile", ["--profile", "grand"]],
    ["a port that isn't one", ["--tcp", "127.0.0.1:65536"]],
    ["a label longer than the protocol takes", ["--name", "x".repeat(65)]],
  ] as const)("ends with an error and says why: %s", async ([, options], { onTestFinished }) => {
    const child = spawn(process.execPath, [mockProgram, ...options], { stdio: ["ignore", "pipe", "pipe"] });
    onTestFinished(() => killNow(child));
    let errors = "";
    child.stderr.on("data", (text: Buffer) => {
      errors += text.toString();
    });
    const ready = once(child.stdout, "data").then(() => "ready");
    expect(await Promise.race([once(child, "close").then(([code]) => code), ready])).toBe(1);
    expect(errors).not.toBe("");
  });
});
