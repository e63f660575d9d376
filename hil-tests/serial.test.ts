/** A mock dock on a serial port that there is. Here that is one end of a cable of two pseudo-terminals; a USB gadget's is tested in `usb/`. */
import { describe, expect, onTestFinished, test } from "vitest";
import { openPseudoTerminal } from "../mocks/ports/pseudo-terminal.js";
import { Dock, type PortInfo } from "../src/index.js";
import { openTarget } from "../src/transport/target.js";
import { startMock } from "./mock-dock.js";
import { descendantsOf, expectEnd, killAll } from "./processes.js";

describe("a mock dock on a serial port", { timeout: 20_000 }, () => {
  test("serves it, and again after it has hung up; nothing is left of it", async () => {
    const [host, dock] = [await openPseudoTerminal(nothing), await openPseudoTerminal(nothing)];
    host.output.pipe(dock.input);
    dock.output.pipe(host.input);
    onTestFinished(() => killAll(descendantsOf(process.pid)));
    await using mock = await startMock("--serial", dock.path);
    expect(mock.port).toBe(dock.path);
    await using open = await Dock.open(host.path);
    await open.kv.set("k", "v", { store: "runtime" });
    expect((await open.images.get("meeting")).data).toHaveLength(238_514);
    await open.close();
    for (const carrier of descendantsOf(mock.pid)) process.kill(carrier, "SIGKILL"); // as a port that hangs up does
    await using again = await Dock.open(host.path, { handshakeTimeout: 10_000 });
    expect(await again.kv.get("k")).toBe("v");
    const carriers = descendantsOf(mock.pid);
    expect(await mock.stop()).toBe(0);
    await expectEnd(carriers);
  });

  test("is opened with what USB says of it, made visible", async () => {
    await using mock = await startMock();
    const device = async (said: Partial<PortInfo>): Promise<string | undefined> => {
      const ports = async (): Promise<PortInfo[]> => [{ path: mock.port, vendorId: "2341", productId: "0043", ...said }];
      const transport = await openTarget({ kind: "path", path: mock.port }, { baudRate: 115_200, timeout: 1_000, ports });
      await transport.close();
      return transport.device;
    };
    expect(await device({ manufacturer: "Arduino\x1b[31m", product: "Uno" })).toBe("Arduino\\x1b[31m, Uno, USB 2341:0043");
    expect(await device({})).toBe("USB 2341:0043");
    expect(await device({ path: "/dev/another" })).toBeUndefined();
  });

  test("that isn't there ends with an error that says so", async () => {
    await expect(startMock("--serial", "/dev/none")).rejects.toThrow("/dev/none can't be opened as a serial port");
  });
});

function nothing(): void {}
