/** What a real USB serial port costs, and loses. Runs in the VM with the cables: `npm run bench:usb [-- --json]`. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Cable } from "../hil-tests/usb/cable.js";
import { Dock } from "../src/index.js";
import { closeBarePipe, compute, openBarePipe, pull, push } from "./bare-pipe.js";
import { describeDock, type Figure, figure, IMAGE, NO_GOAL, print, started, timed } from "./measure.js";

/** The first one warms up. */
const ROUNDS = 4;
const PULLS = 5;
/** How long the cable is out, in milliseconds: by then a lost dock is looked for as rarely as it ever is. */
const OUTAGE = 5_000;
/** How long a busy reader computes after each piece, in milliseconds. */
const BUSY = 5;
const WINDOWS = [48, 256, 512, 1024, 1536, 2048, 4096].map((it) => it * 1024);

if (process.env.USB_VM === undefined) throw new Error("this needs the VM's cables: npm run bench:usb");
const [cable, bareCable] = [new Cable(0), new Cable(1)];
const folder = await mkdtemp(join(tmpdir(), "dl7450-bench-"));
try {
  const bare = await started("bench/bare-peer.js", [bareCable.dockEnd]);
  const mock = await started("bin/dl7450-mock.js", ["--data", await describeDock(folder), "--serial", cable.dockEnd]);
  print([...(await lossByWindow()), await busyDownload(), ...(await speed()), await recovery()]);
  await Promise.all([bare.stop(), mock.stop()]);
} finally {
  await rm(folder, { recursive: true });
}

/** What is missing of so many bytes on their way at once, when the reader is busy while they come. */
async function lossByWindow(): Promise<Figure[]> {
  const port = await openBarePipe(await bareCable.hostEnd());
  const figures: Figure[] = [];
  for (const window of WINDOWS) {
    const lost: number[] = [];
    for (let i = 0; i < PULLS; i++) lost.push(window - (await pull(port, window, BUSY)).received);
    figures.push(figure(`lost of ${window / 1024} KiB while the reader is busy`, "bytes", lost, NO_GOAL));
  }
  await closeBarePipe(port);
  return figures;
}

/** The driver's own reader, as busy. */
async function busyDownload(): Promise<Figure> {
  await using dock = await openDock();
  await stream(dock, BUSY);
  return figure("gaps in a 13 MB download while the reader is busy", "gaps", [dock.link.counters.gaps], "0");
}

async function speed(): Promise<Figure[]> {
  const port = await openBarePipe(await bareCable.hostEnd());
  await using dock = await openDock();
  const rounds: { pull: number; lost: number; read: number; push: number; put: number; gaps: number }[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const fresh = randomBytes(IMAGE);
    const gapsBefore = dock.link.counters.gaps;
    const pulled = await pull(port, IMAGE);
    const read = await timed(() => stream(dock));
    const pushed = await push(port, fresh);
    const put = await timed(() => dock.images.put("fresh", fresh, { store: "ephemeral", type: "none" }));
    const gaps = dock.link.counters.gaps - gapsBefore;
    rounds.push({
      pull: pulled.seconds / pulled.received,
      lost: IMAGE - pulled.received,
      read: read / IMAGE,
      push: pushed / IMAGE,
      put: put / IMAGE,
      gaps,
    });
  }
  rounds.shift();
  await closeBarePipe(port);
  const each = (what: string, unit: string, goal: string, of: (it: (typeof rounds)[number]) => number): Figure =>
    figure(what, unit, rounds.map(of), goal);
  return [
    each("two bare SerialPorts to the host", "MB/s", NO_GOAL, (it) => 1e-6 / it.pull),
    each("lost by them of 13 MB", "bytes", NO_GOAL, (it) => it.lost),
    each("13 MB download", "MB/s", NO_GOAL, (it) => 1e-6 / it.read),
    each("13 MB download, of the bare ports", "times", ">= 0.8", (it) => it.pull / it.read),
    each("two bare SerialPorts to the dock", "MB/s", NO_GOAL, (it) => 1e-6 / it.push),
    each("13 MB upload", "MB/s", NO_GOAL, (it) => 1e-6 / it.put),
    each("13 MB upload, of the bare ports", "times", ">= 0.8", (it) => it.push / it.put),
    each("gaps in both", "gaps", "0", (it) => it.gaps),
  ];
}

/** From the plug to the next byte of a download: what the kernel takes to find the port is in it. */
async function recovery(): Promise<Figure> {
  let isBack = false;
  await using dock = await openDock(() => {
    isBack = true;
  });
  const values: number[] = [];
  for (let i = 0; i < PULLS; i++) {
    isBack = false;
    let received = 0;
    let plugging: Promise<number> | undefined;
    for await (const chunk of dock.images.stream("big")) {
      received += chunk.length;
      if (isBack) break;
      if (received > IMAGE / 8) plugging ??= pullAndPlug();
    }
    const next = performance.now();
    values.push(next - ((await plugging) ?? Number.NaN));
  }
  return figure("from plugging a dock in again to its next byte", "ms", values, "<= 1500");
}

/** Gives when it was plugged in. */
async function pullAndPlug(): Promise<number> {
  await cable.unplug();
  await setTimeout(OUTAGE);
  await cable.plugIn();
  return performance.now();
}

function openDock(onBack = (): void => {}): Promise<Dock> {
  const reconnect = { timeout: 60_000, onBack };
  return Dock.open(`id:${cable.serialNumber}`, { handshakeTimeout: 20_000, timeout: 60_000, reconnect });
}

async function stream(dock: Dock, busy = 0): Promise<void> {
  for await (const _ of dock.images.stream("big")) compute(busy);
}
