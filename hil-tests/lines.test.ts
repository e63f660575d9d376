/** What can happen to a line: a second client, a dock that is killed, a client that was killed. */
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Dock, DockError } from "../src/index.js";
import { codeOf } from "./contract/calls.js";
import { expectAnswers } from "./contract/reading.js";
import { Wire } from "./contract/wire.js";
import { type MockDock, startMock } from "./mock-dock.js";
import { blockUntilEnd, descendantsOf, firstOutput, killNow, startNode } from "./processes.js";
import { startStuckReader } from "./stuck-reader.js";

const LINES = [
  { line: "a pseudo-terminal", options: [] },
  { line: "TCP", options: ["--tcp", "0"] },
] as const;

test("a path that leads to another dock when the first is lost: that one isn't taken for it", async () => {
  await using mock = await startMock();
  await using other = await startMock("--name", "Another");
  const folder = await mkdtemp(join(tmpdir(), "dl7450-lines-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "dock");
  await symlink(mock.port, path);
  await using dock = await Dock.open(path, { reconnect: { timeout: 1_000 } });
  await rm(path);
  await symlink(other.port, path);
  await mock.stop("SIGKILL");
  expect(await dock.closed).toMatchObject({ code: "LINK_LOST", message: expect.stringContaining("Another dock is there now") });
  await using free = await Dock.open(path);
  expect(free.id).not.toBe(dock.id);
});

describe.for(LINES)("a dock over $line that is killed", { timeout: 10_000, concurrent: true }, ({ options }) => {
  test("in the middle of a stream: LINK_LOST for what is read, and for `closed`", async () => {
    await using mock = await startMock(...options);
    await using dock = await Dock.open(mock.target);
    const read = async (): Promise<void> => {
      for await (const _ of dock.images.stream("welcome")) await mock.stop("SIGKILL");
    };
    await expect(read()).rejects.toMatchObject({ code: "LINK_LOST", retryable: true });
    const reason = await dock.closed;
    expect(reason).toBeInstanceOf(DockError);
    expect(reason).toMatchObject({ code: "LINK_LOST", retryable: true });
  });

  test("with many calls under way: LINK_LOST for each, also for those that wait for their turn", async () => {
    await using mock = await startMock(...options);
    await using dock = await Dock.open(mock.target);
    const calls = Array.from({ length: 3 * dock.limits.requests }, (_, i) => [
      codeOf(dock.kv.get(`missing ${i}`)),
      codeOf(dock.images.get("welcome")),
    ]).flat();
    mock.process.kill("SIGKILL");
    const codes = new Set(await Promise.all(calls));
    expect(codes).toContain("LINK_LOST");
    codes.delete(undefined); // those that were answered before
    expect([...codes]).toEqual(["LINK_LOST"]);
  });

  test("at rest: `closed` says LINK_LOST, and so do later calls; closing is fine", async () => {
    await using mock = await startMock(...options);
    await using dock = await Dock.open(mock.target);
    await expectAnswers(dock);
    await mock.stop("SIGKILL");
    expect(await dock.closed).toMatchObject({ code: "LINK_LOST" });
    expect([await codeOf(dock.info()), await codeOf(dock.images.get("welcome"))]).toEqual(["LINK_LOST", "LINK_LOST"]);
    await dock.close();
    expect(await dock.closed).toMatchObject({ code: "LINK_LOST" });
  });
});

describe.for(LINES)("a dock over $line that is killed while this program is busy", { timeout: 10_000 }, ({ options }) => {
  test("is LINK_LOST as soon as it looks again", async () => {
    await using mock = await startMock(...options);
    await using dock = await Dock.open(mock.target);
    await expectAnswers(dock);
    const all = [mock.pid, ...descendantsOf(mock.pid)];
    mock.process.kill("SIGKILL");
    blockUntilEnd(all);
    expect(await dock.closed).toMatchObject({ code: "LINK_LOST" });
  });
});

describe("a pseudo-terminal", { concurrent: true }, () => {
  test.for([10, 1_000, 10_000])(
    "that a killed client has left after %i bytes of an image serves the next one",
    async (bytes) => {
      await using mock = await startMock();
      {
        await using _reader = await startStuckReader(mock.target, bytes);
      }
      const wire = new Wire();
      await using dock = await Dock.open(mock.target, wire.options);
      expect(wire.welcome.dock.id).toBe(dock.id);
      await expectAnswers(dock);
      const [listed] = (await dock.images.list()).filter(({ tag }) => tag === "welcome");
      expect(await dock.images.get("welcome")).toMatchObject({ sha256: listed?.sha256 });
    },
  );

  test("that is in use is BUSY for a second client, which is told by whom, and the first goes on", async () => {
    await using mock = await startMock();
    await using dock = await Dock.open(mock.target);
    let second: string | undefined;
    for await (const _ of dock.images.stream("meeting")) second ??= await codeOf(Dock.open(mock.target));
    expect(second).toBe("BUSY");
    await expectAnswers(dock);
    await expect(Dock.open(mock.target)).rejects.toThrow(`${mock.port} is in use by this program itself`);
    const index = new URL("../dist/src/index.js", import.meta.url).href;
    const client = `import { Dock } from ${JSON.stringify(index)}; await Dock.open(process.argv[1]).catch((error) => console.log(error.message));`;
    const elsewhere = startNode(client, mock.target);
    expect(await firstOutput(elsewhere)).toMatch(new RegExp(`^${mock.port} is in use by \\S.* \\(process ${process.pid}\\)`));
    await killNow(elsewhere);
  });
});

describe("a TCP port", { concurrent: true }, () => {
  test.for([["0"], ["127.0.0.1:0"]])("is on loopback alone when it is given as %s", async ([address = ""]) => {
    await using mock = await startMock("--tcp", address);
    expect(mock.port).toMatch(/^127\.0\.0\.1:\d+$/);
    // All of 127.0.0.0/8 is this machine; who listens on every address answers at 127.0.0.2 too.
    expect(await codeOf(Dock.open(mock.target.replace("127.0.0.1", "127.0.0.2")))).toBe("NO_DOCK");
  });

  test("is on every address when it is told so", async () => {
    await using mock = await startMock("--tcp", "0.0.0.0:0");
    expect(mock.port).toMatch(/^0\.0\.0\.0:\d+$/);
    await using dock = await Dock.open(mock.target.replace("0.0.0.0", "127.0.0.2"));
    await expectAnswers(dock);
  });

  test("that is taken ends the mock with an error", async () => {
    await using mock = await startMock("--tcp", "0");
    await expect(startMock("--tcp", mock.port)).rejects.toThrow("EADDRINUSE");
  });

  test("lets a second client go at once, without a byte, while the first goes on", async () => {
    await using mock = await startMock("--tcp", "0");
    await using dock = await Dock.open(mock.target);
    let pieces = 0;
    for await (const _ of dock.images.stream("meeting")) {
      if (pieces++ === 0) expect(await bytesUntilClose(mock)).toBe(0);
    }
    await expectAnswers(dock);
  });

  test("that is in use is BUSY for a second dock, and the first goes on", async () => {
    await using mock = await startMock("--tcp", "0");
    await using dock = await Dock.open(mock.target);
    expect(await codeOf(Dock.open(mock.target))).toBe("BUSY");
    await expectAnswers(dock);
  });
});

/** How many bytes a client that says nothing is sent before the mock closes its connection. */
async function bytesUntilClose({ port }: MockDock): Promise<number> {
  const [host = "", number = ""] = port.split(":");
  const socket = connect(Number(number), host);
  socket.on("error", () => {}); // being reset is being let go as well
  socket.resume();
  await new Promise((resolve) => socket.once("close", resolve));
  return socket.bytesRead;
}
