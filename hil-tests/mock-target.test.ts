/** The target `mock:`: a dock in a process that belongs to it and ends with it. And programs, which end when their docks are closed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import { Dock } from "../src/index.js";
import { codeOf } from "./contract/calls.js";
import { expectAnswers } from "./contract/reading.js";
import { descendantsOf, expectEnd, killAll, killNow } from "./processes.js";

describe("the target `mock:`", () => {
  test.for([
    ["mock:", ["factory", "runtime", "ephemeral"]],
    ["mock:full", ["factory", "runtime", "ephemeral"]],
    ["mock:preview", ["factory"]],
    ["mock:micropython", ["factory"]],
  ] as const)("%s is a dock with the layers %j, and close leaves no process", async ([target, stores]) => {
    const before = descendantsOf(process.pid);
    await using dock = await Dock.open(target);
    const started = descendantsOf(process.pid).filter((pid) => !before.includes(pid));
    expect(started.length).toBeGreaterThan(0);
    expect(dock.stores).toEqual(stores);
    await expectAnswers(dock);
    await dock.close();
    await expectEnd(started);
  });

  test.each([false, true])("a handshake that fails leaves no process, with `reconnect` %s", async (reconnect) => {
    const before = descendantsOf(process.pid);
    const controller = new AbortController();
    let started: number[] = [];
    const trace = (): void => {
      started = descendantsOf(process.pid).filter((pid) => !before.includes(pid));
      queueMicrotask(() => controller.abort());
    };
    expect(await codeOf(Dock.open("mock:", { signal: controller.signal, trace, reconnect }))).toBe("ABORTED");
    expect(started.length).toBeGreaterThan(0);
    await expectEnd(started);
  });

  test("a mock that doesn't start in time is NO_DOCK, and leaves no process", async () => {
    const before = descendantsOf(process.pid);
    const started = new Set<number>();
    let opening = true;
    const code = codeOf(Dock.open("mock:", { handshakeTimeout: 1 })).finally(() => {
      opening = false;
    });
    while (opening) {
      for (const pid of descendantsOf(process.pid)) if (!before.includes(pid)) started.add(pid);
      await new Promise(setImmediate);
    }
    expect(await code).toBe("NO_DOCK");
    await expectEnd([...started]);
  });

  test("with `reconnect` it is the same dock after a restart, with what is in runtime, and close leaves no process", async () => {
    const before = descendantsOf(process.pid);
    await using dock = await Dock.open("mock:", { reconnect: true });
    const started = descendantsOf(process.pid).filter((pid) => !before.includes(pid));
    const { bootId } = await dock.info();
    await dock.kv.set("mine", 1, { store: "runtime" });
    await dock.kv.set("gone", 1, { store: "ephemeral" });
    await dock.restart();
    expect([await dock.kv.get("mine"), await dock.kv.get("gone")]).toEqual([1, undefined]);
    expect((await dock.info()).bootId).not.toBe(bootId);
    expect(descendantsOf(process.pid).filter((pid) => !before.includes(pid))).toEqual(started);
    await dock.close();
    await expectEnd(started);
  });

  test("an upload is sent once: nothing of it is lost on the way, which being sent again would hide", async () => {
    await using dock = await Dock.open("mock:");
    const image = new Uint8Array(3_000_000).fill(1);
    await dock.images.put("large", image, { store: "ephemeral", type: "none" });
    expect(dock.link.counters.uploaded).toBe(image.length);
  });

  test("a mock that is killed is LINK_LOST, and leaves no process", async () => {
    const before = descendantsOf(process.pid);
    await using dock = await Dock.open("mock:");
    const started = descendantsOf(process.pid).filter((pid) => !before.includes(pid));
    killAll(started);
    expect(await dock.closed).toMatchObject({ code: "LINK_LOST" });
    await expectEnd(started);
  });
});

describe("a program ends by itself", { timeout: 15_000 }, () => {
  test.for([
    ["when it has closed its dock", "await dock.kv.get('timezone'); await dock.close();"],
    ["when it has left a stream", "for await (const _ of dock.images.stream('welcome')) break; await dock.close();"],
    [
      "when it has closed its dock in a stream",
      "for await (const _ of dock.images.stream('welcome')) { await dock.close(); break; }",
    ],
    [
      "when a call was given up",
      "const gone = new AbortController(); const call = dock.kv.get('timezone', { signal: gone.signal }).catch(() => {});" +
        "gone.abort(); await call; await dock.close();",
    ],
    [
      "when opening another was aborted",
      "const gone = new AbortController(); const options = { handshakeTimeout: 1e9, signal: gone.signal, trace: () => gone.abort() };" +
        "await Dock.open('mock:', options).catch(() => {}); await dock.close();",
    ],
  ] as const)("%s", async ([, code]) => {
    // Whatever is left waiting waits too long for the test.
    const index = new URL("../dist/src/index.js", import.meta.url).href;
    const program = `import { Dock } from ${JSON.stringify(index)}; const dock = await Dock.open("mock:", { timeout: 1e9, handshakeTimeout: 1e9 }); ${code}`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "ignore", "inherit"] });
    onTestFinished(async () => {
      const started = descendantsOf(child.pid ?? 0);
      await killNow(child);
      killAll(started);
    });
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});
