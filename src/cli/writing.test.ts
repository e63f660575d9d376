/** The commands that write, and what is left when they are interrupted or cut off. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../clock.js";
import { MockDock } from "./testing/mock-dock.js";
import { type Ran, Recorder, runCli } from "./testing/run-cli.js";

const PNG = Buffer.alloc(500_000, "dl7450");
PNG.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const SHA256 = sha256Of(PNG);

const data = { factory: { images: {}, keys: { mode: "factory" } } };

/** A usual dock, one whose factory data can be written, and one that only reads. */
let full: Tap;
let development: Tap;
let preview: Tap;
let folder = "";
let file = "";
beforeAll(async () => {
  [full, development, preview] = await Promise.all([Tap.start("full"), Tap.start("development"), Tap.start("preview")]);
  folder = await mkdtemp(join(tmpdir(), "dl7450-cli-"));
  file = join(folder, "logo.v2.png");
  await writeFile(file, PNG);
});
afterAll(async () => {
  await Promise.all([full.stop(), development.stop(), preview.stop(), rm(folder, { recursive: true })]);
});

function run(...argv: string[]): Promise<Ran> {
  return runCli(["--port", full.target, ...argv]);
}

async function json(...argv: string[]): Promise<unknown> {
  return JSON.parse((await run("--json", ...argv)).stdout);
}

function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

describe("kv set", () => {
  test("stores text as it is, in runtime unless told, and remarks it", async () => {
    const said = { exitCode: 0, stdout: "", stderr: "text: set, runtime\n" };
    expect(await run("kv", "set", "text", '{"a": 1}')).toMatchObject(said);
    expect(await json("kv", "get", "text")).toEqual({ key: "text", store: "runtime", upd: false, value: '{"a": 1}' });
  });

  test("stores where --store says", async () => {
    await run("kv", "set", "mode", "now", "--store", "ephemeral");
    expect(await json("kv", "get", "mode")).toMatchObject({ store: "ephemeral", value: "now" });
  });

  test("--json-value takes what kv get --json prints", async () => {
    const value = {
      $$a: [1, 1.5, null, true, { $float: "NaN" }, { $int: "9223372036854775807" }],
      "12345678901234567": { $bytes: "AQL/" },
      big: 1e20,
    };
    await run("kv", "set", "nested", JSON.stringify(value), "--json-value");
    expect(await json("kv", "get", "nested")).toMatchObject({ value });
  });

  test("a value may begin with -, a number or after --", async () => {
    await run("kv", "set", "number", "-5", "--json-value");
    expect(await json("kv", "get", "number")).toMatchObject({ value: -5 });
    await run("kv", "set", "--quiet", "--", "text", "--json");
    expect(await json("kv", "get", "text")).toMatchObject({ value: "--json" });
  });

  test("--quiet says nothing, --json says it on stdout", async () => {
    expect(await run("kv", "set", "a", "b", "--quiet")).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
    const { stdout, stderr } = await run("kv", "set", "a", "b", "--json");
    expect({ said: JSON.parse(stdout), stderr }).toEqual({ said: { key: "a", store: "runtime" }, stderr: "" });
  });

  test("a value that is too large ends with 7", async () => {
    expect(await run("kv", "set", "a", "x".repeat(5_000))).toMatchObject({ exitCode: 7, stdout: "" });
  });

  test("a dock that can't be written ends with 7, and is asked nothing", async () => {
    expect(await runCli(["kv", "set", "a", "b", "--port", preview.target])).toMatchObject({ exitCode: 7, stdout: "" });
    expect(preview.said).not.toContain("kv.set");
  });
});

describe("kv delete", () => {
  test("deletes from the layer that it names, and ends with 4 when there is nothing", async () => {
    await run("kv", "set", "gone\u001b", "b");
    const missing = await run("kv", "delete", "gone\u001b", "--store", "ephemeral");
    expect(missing).toMatchObject({ exitCode: 4, stdout: "" });
    expect(missing.stderr).toMatch(/^dl7450: There is no key "gone\\x1b" in the layer ephemeral\./);
    const stderr = "gone\\x1b: deleted, runtime\n";
    expect(await run("kv", "delete", "gone\u001b")).toMatchObject({ exitCode: 0, stdout: "", stderr });
    expect(await run("kv", "delete", "gone\u001b")).toMatchObject({ exitCode: 4 });
  });

  test("--json says it on stdout, or what failed on stderr", async () => {
    await run("kv", "set", "gone", "b");
    expect(await json("kv", "delete", "gone")).toEqual({ key: "gone", store: "runtime" });
    const { stderr } = await run("kv", "delete", "gone", "--json");
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: "NOT_FOUND", exitCode: 4 } });
  });
});

describe("image put", () => {
  test("puts a file under its name without its ending, byte for byte, and remarks it", async () => {
    const stderr = `logo.v2: ${PNG.length} bytes, png, runtime, sha256 ${SHA256}\n`;
    expect(await run("image", "put", file)).toMatchObject({ exitCode: 0, stdout: "", stderr });
    expect(sha256Of((await run("image", "get", "logo.v2", "--store", "runtime")).data)).toBe(SHA256);
  });

  test("--as names the tag, --type and --store what it is and where; --json says it on stdout", async () => {
    const options = ["--as", "splash", "--type", "none", "--store", "ephemeral"];
    const put = { tag: "splash", type: "none", size: PNG.length, store: "ephemeral", sha256: SHA256 };
    expect(await json("image", "put", file, ...options)).toEqual({ ...put, outcome: "put" });
    expect(await json("image", "list", "--store", "ephemeral")).toContainEqual(put);
  });

  test("- is stdin", async () => {
    const stdin = () => Readable.from([PNG.subarray(0, 9), PNG.subarray(9)]);
    const { stderr } = await runCli(["image", "put", "-", "--as", "piped", "--port", full.target], { stdin });
    expect(stderr).toContain(`piped: ${PNG.length} bytes, png, runtime, sha256 ${SHA256}`);
  });

  test("what isn't of the type that was told ends with 7, and isn't put", async () => {
    expect(await run("image", "put", file, "--as", "wrong", "--type", "bmp")).toMatchObject({ exitCode: 7, stdout: "" });
    expect(await run("image", "get", "wrong")).toMatchObject({ exitCode: 4 });
  });

  test("a file that isn't there ends with 1", async () => {
    const { exitCode, stderr } = await run("image", "put", join(folder, "nope.png"));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^dl7450: ".*nope.png" can't be read: .*\n$/);
  });

  test("a terminal gets a bar of what was sent", async () => {
    const stderr = new Recorder("terminal");
    let now = 0;
    const clock = { ...systemClock, now: () => (now += 600) };
    const other = join(folder, "other.png"); // what the dock has already isn't sent
    await writeFile(other, PNG.toReversed());
    await runCli(["image", "put", other, "--type", "none", "--port", full.target], { stderr, clock });
    expect(stderr.data.toString()).toContain(`100%  ${PNG.length} of ${PNG.length} bytes`);
  });
});

describe("image delete", () => {
  test("deletes from the layer that it names, and ends with 4 when there is nothing", async () => {
    await run("image", "put", file, "--as", "gone");
    const missing = await run("image", "delete", "gone", "--store", "ephemeral");
    expect(missing).toMatchObject({ exitCode: 4, stdout: "" });
    expect(missing.stderr).toMatch(/^dl7450: There is no image "gone" in the layer ephemeral\./);
    expect(await run("image", "delete", "gone")).toMatchObject({ exitCode: 0, stdout: "", stderr: "gone: deleted, runtime\n" });
    expect(await run("image", "delete", "gone", "--json")).toMatchObject({ exitCode: 4, stdout: "" });
  });
});

describe("factory data", () => {
  const writes = ["kv set mode new", "kv delete mode", "image put FILE", "image delete logo"];
  test.each(writes)("%s asks nothing of a dock that has another name", async (words) => {
    const argv = words.split(" ").map((word) => (word === "FILE" ? file : word));
    const before = development.said.length;
    const { exitCode, stderr } = await onDevelopment(...argv, "--confirm", "RW02-0005");
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining('"MOCK-0001"') });
    expect(development.said.slice(before)).not.toMatch(/(kv|image)\.(set|put|delete)/);
  });

  test("is written when the dock's name is given", async () => {
    expect(await onDevelopment("kv", "set", "mode", "new", "--confirm", "MOCK-0001")).toMatchObject({ exitCode: 0 });
    const { stdout } = await runCli(["kv", "get", "mode", "--store", "factory", "--port", development.target]);
    expect(stdout).toBe("new\n");
  });

  function onDevelopment(...argv: string[]): Promise<Ran> {
    return runCli([...argv, "--store", "factory", "--port", development.target]);
  }
});

describe("reset", () => {
  test("asks nothing of a dock that has another name", async () => {
    const { exitCode, stdout, stderr } = await run("reset", "--confirm", "mock-0001");
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain('This dock is "MOCK-0001", not "mock-0001"');
    expect(full.said).not.toContain("dock.reset");
  });

  test("leaves factory data alone", async () => {
    const port = ["--port", development.target];
    await runCli(["kv", "set", "a", "b", ...port]);
    const stderr = "MOCK-0001: reset, runtime and ephemeral are empty\n";
    expect(await runCli(["reset", "--confirm", "MOCK-0001", ...port])).toMatchObject({ exitCode: 0, stdout: "", stderr });
    expect(JSON.parse((await runCli(["kv", "list", "--json", ...port])).stdout)).toEqual([
      expect.objectContaining({ key: "mode", store: "factory" }),
    ]);
  });
});

test("restart ends with 0 when the dock has agreed", async () => {
  const dock = await Tap.start("full");
  const { exitCode, stdout, stderr } = await runCli(["restart", "--port", dock.target]);
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: "", stderr: "MOCK-0001: restarts\n" });
  expect(dock.said).toContain("dock.restart");
  await dock.stop();
});

test("an interrupted upload ends with 130, and leaves nothing", async () => {
  const interrupt = new AbortController();
  full.when("image.put", () => interrupt.abort());
  await writeFile(join(folder, "late.png"), Buffer.concat([PNG, PNG]));
  const argv = ["image", "put", join(folder, "late.png"), "--port", full.target];
  const { exitCode, stdout, stderr } = await runCli(argv, { signal: interrupt.signal });
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 130, stdout: "", stderr: "dl7450: interrupted\n" });
  expect(await run("image", "get", "late")).toMatchObject({ exitCode: 4 });
});

test("a write whose link is lost before the answer ends with 6, and says that it may be done", async () => {
  full.when("kv.set", () => full.cut());
  const { exitCode, stdout, stderr } = await run("kv", "set", "lost", "b", "--json");
  expect({ exitCode, stdout }).toEqual({ exitCode: 6, stdout: "" });
  const message = expect.stringContaining("may have been carried out or not");
  expect(JSON.parse(stderr)).toEqual({ error: { code: "OUTCOME_UNKNOWN", message, exitCode: 6 } });
});

/** A mock dock on a line that is listened to. */
class Tap {
  /** What hosts have said, a character for each byte. */
  said = "";
  readonly #dock: MockDock;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #word = "";
  #then: (() => void) | undefined;

  static async start(profile: string): Promise<Tap> {
    const tap = new Tap(await MockDock.start(data, "--profile", profile));
    tap.#server.listen(0, "127.0.0.1");
    await once(tap.#server, "listening");
    return tap;
  }

  private constructor(dock: MockDock) {
    this.#dock = dock;
    this.#server = createServer((host) => this.#connected(host));
  }

  /** For `--port`. */
  get target(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
    return `tcp://127.0.0.1:${address.port}`;
  }

  /** Calls `then` once, when a host says `word` from now on. */
  when(word: string, then: () => void): void {
    this.said = "";
    this.#word = word;
    this.#then = then;
  }

  /** Loses the host that is connected. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.close();
    await this.#dock.stop();
  }

  #connected(host: Socket): void {
    const line = connect(Number(new URL(this.#dock.target).port), "127.0.0.1");
    host.pipe(line).pipe(host);
    host.on("data", (bytes) => this.#heard(bytes));
    for (const socket of [host, line]) {
      this.#sockets.add(socket);
      socket.on("error", () => {}); // the other end has left while something was on its way to it
      socket.on("close", () => this.#sockets.delete(socket));
    }
  }

  #heard(bytes: Buffer): void {
    this.said += bytes.toString("latin1");
    if (this.#then === undefined || !this.said.includes(this.#word)) return;
    const then = this.#then;
    this.#then = undefined;
    then();
  }
}
