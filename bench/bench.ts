/** What it costs: ratios against a bare pipe in the same run, with the spread of the machine. `npm run bench [-- --json]`. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describeDock, type Figure, figure, IMAGE, print, programOf, started } from "./measure.js";
import { overLine } from "./over-line.js";
import { overTerminal } from "./over-terminal.js";

const folder = await mkdtemp(join(tmpdir(), "dl7450-bench-"));
const data = await describeDock(folder);
const figures: Figure[] = [];
try {
  figures.push(...(await overTerminal(data, folder, IMAGE)), ...(await overLine(data, IMAGE)), await memory());
} finally {
  await rm(folder, { recursive: true });
}
print(figures);

/** In a process of its own, so that nothing else is in its memory. */
async function memory(): Promise<Figure> {
  const extra: number[] = [];
  for (let round = 0; round < 3; round++) {
    const mock = await started("bin/dl7450-mock.js", ["--data", data]);
    const { stdout } = await promisify(execFile)(process.execPath, [programOf("bench/memory.js"), mock.port]);
    extra.push(Number(stdout) / 1e6);
    await mock.stop();
  }
  return figure("extra memory while 13 MB stream to nowhere", "MB", extra, "<= 24");
}
