/** Moving an image over a line of 1 MB/s with 5 ms each way: clean, with flipped bits, and cut in the middle. */
import { randomBytes } from "node:crypto";
import { Dock } from "../src/index.js";
import { type LineOptions, serveLine } from "./line.js";
import { type Figure, figure, started, timed } from "./measure.js";

const RATE = 1_000_000;
const LINE: LineOptions = { bytesPerSecond: RATE, delay: 5 };

/** @param data describes a dock with the image `big` of `size` bytes in ephemeral */
export async function overLine(data: string, size: number): Promise<Figure[]> {
  const figures: Figure[] = [];
  const lines = [
    { name: "1 MB/s with 5 ms each way", line: LINE, goal: ">= 0.97" },
    { name: "that line with a flipped bit in 10^6 bytes", line: { ...LINE, flipEvery: 1e6 }, goal: ">= 0.93" },
    { name: "that line with a flipped bit in 10^5 bytes", line: { ...LINE, flipEvery: 1e5 }, goal: ">= 0.80" },
  ];
  for (const { name, line, goal } of lines) {
    const { down, up } = await bothWays(data, size, line);
    figures.push(
      figure(`13 MB download over ${name}, of the line`, "times", [size / RATE / down], goal),
      figure(`13 MB upload over ${name}, of the line`, "times", [size / RATE / up], goal),
    );
  }
  return [...figures, await cutInTheMiddle(data, size)];
}

/** Seconds. */
async function bothWays(data: string, size: number, options: LineOptions): Promise<{ down: number; up: number }> {
  const mock = await started("bin/dl7450-mock.js", ["--data", data, "--tcp", "0"]);
  const line = await serveLine(mock.port, options);
  const dock = await Dock.open(`tcp://127.0.0.1:${line.port}`);
  const bytes = randomBytes(size);
  const down = await timed(() => dock.images.get("big"));
  const up = await timed(() => dock.images.put("up", bytes, { store: "ephemeral", type: "none" }));
  await dock.close();
  line.close();
  await mock.stop();
  return { down, up };
}

/** How many bytes of an upload are sent again after the line was lost in its middle. */
async function cutInTheMiddle(data: string, size: number): Promise<Figure> {
  const mock = await started("bin/dl7450-mock.js", ["--data", data, "--tcp", "0"]);
  const line = await serveLine(mock.port, { ...LINE, bytesPerSecond: 20 * RATE });
  const dock = await Dock.open(`tcp://127.0.0.1:${line.port}`, { reconnect: true });
  const again: number[] = [];
  for (let i = 0; i < 5; i++) {
    const bytes = randomBytes(size);
    const before = dock.link.counters.uploaded;
    let isCut = false;
    const onProgress = ({ sent }: { readonly sent: number }): void => {
      if (isCut || sent < size / 2) return;
      isCut = true;
      line.cut();
    };
    await dock.images.put("up", bytes, { store: "ephemeral", type: "none", onProgress });
    again.push(dock.link.counters.uploaded - before - size);
  }
  await dock.close();
  line.close();
  await mock.stop();
  return figure("sent again of 13 MB after a cut in the middle", "bytes", again, "<= 65536");
}
