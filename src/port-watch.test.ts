import { describe, expect, test } from "vitest";
import type { PluggedPort } from "./discovery.js";
import { type PortChange, watchPorts } from "./port-watch.js";
import { ManualClock } from "./testing/manual-clock.js";
import { type Watched, watch } from "./testing/watch.js";

const plugged = (name: string, time = 1): PluggedPort => ({
  port: { path: `/dev/${name}`, vendorId: "17e9", productId: "7450", serialNumber: name },
  plug: `${name} ${time}`,
});

describe("watching ports", () => {
  test("tells those that there are, then what comes and goes, in order", async () => {
    const bench = new Bench([plugged("a"), plugged("b")]);
    expect(await bench.next()).toBe("plugged a");
    expect(await bench.next()).toBe("plugged b");
    bench.ports = [plugged("b"), plugged("c")];
    expect(await bench.next()).toBe("unplugged a");
    expect(await bench.next()).toBe("plugged c");
  });

  test("tells what was pulled and put back between two looks as both", async () => {
    const bench = new Bench([plugged("a", 1)]);
    expect(await bench.next()).toBe("plugged a");
    bench.ports = [plugged("a", 2)];
    expect(await bench.next()).toBe("unplugged a");
    expect(await bench.next()).toBe("plugged a");
  });

  test("notices within a quarter of a second, and says nothing while nothing happens", async () => {
    const bench = new Bench([]);
    const next = bench.take();
    await bench.clock.advance(60_000);
    expect(next.code).toBe("pending");
    bench.ports = [plugged("a")];
    await bench.clock.advance(250);
    expect(next.code).toBe("done");
  });

  test("takes a look that fails for none", async () => {
    const bench = new Bench([plugged("a")]);
    expect(await bench.next()).toBe("plugged a");
    bench.ports = undefined;
    const next = bench.take();
    await bench.clock.advance(1_000);
    expect(next.code).toBe("pending");
    bench.ports = [plugged("a"), plugged("b")];
    await bench.clock.advance(250);
    expect(next.value.value).toMatchObject({ kind: "plugged", port: { serialNumber: "b" } });
  });

  test("is over with ABORTED when its signal comes, and waits for nothing then", async () => {
    const stop = new AbortController();
    const bench = new Bench([], stop.signal);
    const next = bench.take();
    await bench.clock.settle();
    expect(bench.clock.waiting).toBe(1);
    stop.abort(new Error("enough"));
    await bench.clock.settle();
    expect([next.code, bench.clock.waiting]).toEqual(["ABORTED", 0]);
    expect(next.error.cause).toBe(stop.signal.reason);
  });

  test("never begins when its signal has come", async () => {
    const bench = new Bench([plugged("a")], AbortSignal.abort());
    const next = bench.take();
    await bench.clock.settle();
    expect(next.code).toBe("ABORTED");
  });

  test("ends when the loop is left", async () => {
    const bench = new Bench([plugged("a")]);
    await bench.next();
    expect(await bench.changes.return(undefined)).toMatchObject({ done: true });
    expect(bench.clock.waiting).toBe(0);
  });
});

class Bench {
  readonly clock = new ManualClock();
  readonly changes: AsyncGenerator<PortChange>;
  /** Those that are plugged in; undefined when they can't be looked up. */
  ports: PluggedPort[] | undefined;

  constructor(ports: PluggedPort[], signal?: AbortSignal) {
    this.ports = ports;
    this.changes = watchPorts(signal === undefined ? {} : { signal }, { clock: this.clock, look: () => this.#look() });
  }

  async #look(): Promise<PluggedPort[]> {
    if (this.ports === undefined) throw new Error("too many open files");
    return this.ports;
  }

  take(): Watched<IteratorResult<PortChange>> {
    return watch(this.changes.next());
  }

  async next(): Promise<string> {
    const { value } = await this.clock.run(this.changes.next());
    return `${value.kind} ${value.port.serialNumber}`;
  }
}
