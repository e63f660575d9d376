import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { describe, expect, onTestFinished, test } from "vitest";
import type { PortInfo } from "../discovery.js";
import { Dock } from "../dock.js";
import { DockError } from "../errors.js";
import { lastingPlace, openTarget, parseTarget, type Target, type TargetOptions } from "./target.js";
import type { Transport } from "./transport.js";

describe("a target is read", () => {
  test.each<[string | undefined, Target]>([
    [undefined, { kind: "only" }],
    ["", { kind: "only" }],
    ["/dev/ttyACM0", { kind: "path", path: "/dev/ttyACM0" }],
    ["COM3", { kind: "path", path: "COM3" }],
    ["./port", { kind: "path", path: "./port" }],
    ["ttyACM0", { kind: "path", path: "ttyACM0" }],
    ["id:RW02-0005", { kind: "id", serialNumber: "RW02-0005" }],
    ["id: with spaces: and colons", { kind: "id", serialNumber: " with spaces: and colons" }],
    ["mock:", { kind: "mock", args: [] }],
    ["mock:full", { kind: "mock", args: ["--profile", "full"] }],
    ["mock:preview?seed=7", { kind: "mock", args: ["--profile", "preview", "--seed", "7"] }],
    ["tcp://dock.local:2000", { kind: "tcp", address: { host: "dock.local", port: 2_000 } }],
    ["tcp://127.0.0.1:1/", { kind: "tcp", address: { host: "127.0.0.1", port: 1 } }],
    ["tcp://[::1]:65535", { kind: "tcp", address: { host: "::1", port: 65_535 } }],
  ])("%j", (text, target) => {
    expect(parseTarget(text)).toEqual(target);
  });

  test.each([
    "id:",
    "mock:other",
    "tcp://",
    "tcp://host",
    "tcp://host:",
    "tcp://host:0",
    "tcp://host:65536",
    "tcp://host:port",
    "tcp://:2000",
    "tcp://user@host:2000",
    "tcp://host:2000/path",
    "udp://host:2000",
    "rfc2217://host:2000",
    "http://host",
    "/dev/tty\0ACM0",
  ])("unless it is %j, which is USAGE and says what to give", (text) => {
    const error = errorOf(() => parseTarget(text));
    expect(error.code).toBe("USAGE");
    expect(error.message.length).toBeGreaterThan(20);
  });
});

describe("opening", () => {
  test.each([
    ["a path that there isn't", "/dev/there-is-no-such-port"],
    ["a device that is no serial port", "/dev/null"],
    ["a folder", tmpdir()],
    ["a file", new URL(import.meta.url).pathname],
  ])("%s is NO_DOCK, with the path", async (_, path) => {
    const error = await failure({ kind: "path", path });
    expect(error.code).toBe("NO_DOCK");
    expect(error.message).toContain(path);
  });

  test("an address at which nobody listens is NO_DOCK, with the address", async () => {
    const port = await unusedPort();
    const error = await failure({ kind: "tcp", address: { host: "127.0.0.1", port } });
    expect(error.code).toBe("NO_DOCK");
    expect(error.message).toContain(`tcp://127.0.0.1:${port}`);
    expect(error.message).toContain("ECONNREFUSED");
  });

  test("is ABORTED by its signal, before and while it connects", async () => {
    const before = await failure({ kind: "tcp", address: { host: "127.0.0.1", port: 1 } }, { signal: AbortSignal.abort() });
    expect(before.code).toBe("ABORTED");
    const abort = new AbortController();
    const connecting = failure(
      { kind: "tcp", address: { host: "127.0.0.1", port: await unusedPort() } },
      { signal: abort.signal },
    );
    abort.abort(new Error("no longer wanted"));
    const error = await connecting;
    expect(error.code).toBe("ABORTED");
    expect(error.cause).toEqual(new Error("no longer wanted"));
  });

  test("over TCP gives both directions, and its end", async () => {
    const server = createServer((socket) => socket.on("data", (bytes) => socket.end(bytes)));
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const transport = await open({ kind: "tcp", address: { host: "127.0.0.1", port } });
    expect(transport).toMatchObject({ name: `tcp://127.0.0.1:${port}`, holdsBack: true });
    transport.stream.write("hello");
    const chunks: Buffer[] = [];
    for await (const chunk of transport.stream) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe("hello");
    await transport.close();
    await transport.close();
  });
});

describe("by the ports that are plugged in", () => {
  const dock = (path: string, serialNumber?: string): PortInfo => ({
    path,
    vendorId: "17e9",
    productId: "6013",
    ...(serialNumber === undefined ? {} : { serialNumber }),
  });
  const adapter: PortInfo = { path: "/dev/there-is-no-ttyUSB0", vendorId: "0403", productId: "6001", serialNumber: "FT12" };
  const first = dock("/dev/there-is-no-ttyACM0", "RW02-0005");
  const second = dock("/dev/there-is-no-ttyACM1", "RW02-0009");

  test("an id is the port with that serial number, whatever its vendor", async () => {
    const error = await failure({ kind: "id", serialNumber: "FT12" }, { ports: async () => [first, adapter, second] });
    expect(error.message).toContain(adapter.path);
  });

  test("an id that isn't there is NO_DOCK, with the id", async () => {
    const error = await failure({ kind: "id", serialNumber: "RW02-0007" }, { ports: async () => [first, second] });
    expect(error.code).toBe("NO_DOCK");
    expect(error.message).toContain("RW02-0007");
    expect(error.message).toContain("dl7450 ports");
  });

  test("an id must be the whole serial number", async () => {
    const error = await failure({ kind: "id", serialNumber: "RW02" }, { ports: async () => [first, second] });
    expect(error.message).toContain('"RW02"');
    expect(error.code).toBe("NO_DOCK");
  });

  test("an id of several ports is SEVERAL_DOCKS", async () => {
    const twin = dock("/dev/there-is-no-ttyACM2", "RW02-0005");
    const error = await failure({ kind: "id", serialNumber: "RW02-0005" }, { ports: async () => [first, twin] });
    expect(error.code).toBe("SEVERAL_DOCKS");
    expect(error.details.candidates).toHaveLength(2);
  });

  test("a dock that was opened by its path and lost is looked for there, also while another has its serial number", async () => {
    const twin = dock("/dev/there-is-no-ttyACM2", "RW02-0005");
    const again = async (ports: PortInfo[]): Promise<DockError> => {
      const options = { baudRate: 115_200, timeout: 1_000, ports: async () => ports };
      const place = await lastingPlace({ kind: "path", path: first.path }, { ...options, ports: async () => [first] });
      return errorFrom(place.openAgain(options));
    };
    const opened = (path: string) => ({ code: "NO_DOCK", message: expect.stringMatching(new RegExp(`^${path} `)) });
    expect(await again([first, twin])).toMatchObject(opened(first.path));
    expect(await again([twin])).toMatchObject(opened(twin.path));
    expect((await again([twin, dock("/dev/there-is-no-ttyACM3", "RW02-0005")])).code).toBe("SEVERAL_DOCKS");
    expect((await again([second])).message).toContain('"RW02-0005"');
  });

  test("without a target it is the only dock; other ports don't count", async () => {
    const error = await failure({ kind: "only" }, { ports: async () => [adapter, first] });
    expect(error.message).toContain(first.path);
  });

  test("without a target and without a dock it is NO_DOCK, and says what to give", async () => {
    const error = await failure({ kind: "only" }, { ports: async () => [adapter] });
    expect(error.code).toBe("NO_DOCK");
    expect(error.message).toContain("mock:");
  });

  test("without a target and with several docks it is SEVERAL_DOCKS, and lists them so that they can be named", async () => {
    const error = await failure({ kind: "only" }, { ports: async () => [first, second, dock("/dev/there-is-no-ttyACM2")] });
    expect(error.code).toBe("SEVERAL_DOCKS");
    expect(error.details.candidates).toEqual([
      "/dev/there-is-no-ttyACM0 (id:RW02-0005)",
      "/dev/there-is-no-ttyACM1 (id:RW02-0009)",
      "/dev/there-is-no-ttyACM2",
    ]);
    for (const candidate of error.details.candidates ?? []) expect(error.message).toContain(candidate);
  });

  test("a serial number that would move the cursor is written out", async () => {
    const evil = dock("/dev/there-is-no-ttyACM3", "\x1b[2J\n");
    const error = await failure({ kind: "only" }, { ports: async () => [first, evil] });
    expect(error.message).not.toContain("\x1b");
    expect(error.message).not.toContain("\n");
  });
});

const built = existsSync(new URL("../../dist/bin/dl7450-mock.js", import.meta.url));

describe.runIf(built && process.platform === "linux")("a mock dock of its own", () => {
  test("is opened, and its port is BUSY for a second", async () => {
    await using dock = await Dock.open("mock:");
    expect(dock.link.name).toMatch(/^\/dev\/pts\//);
    const error = await failure({ kind: "path", path: dock.link.name });
    expect(error.code).toBe("BUSY");
    expect(error.retryable).toBe(true);
    expect(error.message).toContain(dock.link.name);
    expect((await dock.info()).id).toBe(dock.id);
    const abort = new AbortController();
    const opening = failure({ kind: "path", path: dock.link.name }, { signal: abort.signal });
    abort.abort();
    expect((await opening).code).toBe("ABORTED");
  });

  test("holds the sender back, and can be closed twice", async () => {
    const transport = await open({ kind: "mock", args: ["--profile", "preview"] });
    expect(transport.holdsBack).toBe(true);
    await transport.close();
    await transport.close();
  });

  test("is opened by DL7450_PORT as well", async () => {
    const before = process.env.DL7450_PORT;
    onTestFinished(() => {
      if (before === undefined) delete process.env.DL7450_PORT;
      else process.env.DL7450_PORT = before;
    });
    process.env.DL7450_PORT = "mock:preview";
    await using dock = await Dock.open();
    expect(dock.link.name).toMatch(/^\/dev\/pts\//);
  });
});

describe("Dock.open", () => {
  test("with a signal that is none, or DTR that is neither on nor off, is USAGE", async () => {
    for (const options of [{ signal: {} }, { dtr: 0 }, { rts: null }]) {
      const error = await errorFrom(Reflect.apply(Dock.open, Dock, ["/dev/there-is-no-such-port", options]));
      expect(error.code).toBe("USAGE");
      expect(error.message).toContain(Object.keys(options)[0]);
    }
  });

  test.each(["mock:", "tcp://127.0.0.1:1"])("with DTR or RTS for %s, which has none, is USAGE", async (target) => {
    for (const options of [{ dtr: true }, { rts: false }]) {
      expect((await errorFrom(Dock.open(target, options))).code).toBe("USAGE");
    }
  });

  test("with an aborted signal is ABORTED before anything is opened", async () => {
    const error = await errorFrom(Dock.open("/dev/there-is-no-such-port", { signal: AbortSignal.abort() }));
    expect(error.code).toBe("ABORTED");
  });

  test.each([
    ["handshakeTimeout", 0],
    ["handshakeTimeout", -1],
    ["handshakeTimeout", Number.NaN],
    ["handshakeTimeout", Number.POSITIVE_INFINITY],
    ["handshakeTimeout", 2 ** 31],
    ["baudRate", 0],
    ["baudRate", Number.NaN],
  ])("with a %s of %d is USAGE", async (name, value) => {
    const error = await errorFrom(Dock.open("/dev/there-is-no-such-port", { [name]: value }));
    expect(error.code).toBe("USAGE");
    expect(error.message).toContain(name);
  });
});

function open(target: Target, options: Partial<TargetOptions> = {}): Promise<Transport> {
  return openTarget(target, { baudRate: 115_200, timeout: 10_000, ...options });
}

function failure(target: Target, options: Partial<TargetOptions> = {}): Promise<DockError> {
  return errorFrom(open(target, options));
}

async function errorFrom(promise: Promise<unknown>): Promise<DockError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof DockError) return error;
    throw error;
  }
  throw new Error("it didn't fail");
}

function errorOf(call: () => unknown): DockError {
  try {
    call();
  } catch (error) {
    if (error instanceof DockError) return error;
    throw error;
  }
  throw new Error("it didn't fail");
}

/** A port at which nobody listens: one that was just given back. */
async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
