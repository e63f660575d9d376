/** What a command costs before and beyond its dock, as ratios to a Node that does nothing: `npm run bench:commands [-- --json]`. */
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Dock } from "../src/index.js";
import { checkConfig } from "../src/rom/check-config.js";
import { pushConfig } from "../src/rom/factory.js";
import { type Figure, figure, NO_GOAL, print, programOf, started, timed } from "./measure.js";

/** The first one warms up. */
const ROUNDS = 16;
const IMAGES = 200;
const KEYS = 1_000;

const run = promisify(execFile);
const command = programOf("bin/dl7450.js");
const stock = programOf("../mocks/fixtures/stock/default.png");
const folder = await mkdtemp(join(tmpdir(), "dl7450-bench-"));
try {
  print([...(await starting()), await pushing()]);
} finally {
  await rm(folder, { recursive: true });
}

/** Processes, from their start to their end, in turn. */
async function starting(): Promise<Figure[]> {
  const images = Object.fromEntries(Array.from({ length: IMAGES }, (_, i) => [`image ${i}`, { random: 1_000, type: "none" }]));
  const keys = Object.fromEntries(Array.from({ length: KEYS }, (_, i) => [`key ${i}`, `value ${i}`]));
  const data = join(folder, "dock.json");
  await writeFile(data, JSON.stringify({ runtime: { images, keys } }));
  const mock = await started("bin/dl7450-mock.js", ["--data", data]);
  const rounds: { nothing: number; version: number; ls: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const nothing = await timed(() => run(process.execPath, ["-e", "0"]));
    const version = await timed(() => run(process.execPath, [command, "--version"]));
    const ls = await timed(() => run(process.execPath, [command, "ls", "--port", mock.port]));
    if (round > 0) rounds.push({ nothing, version, ls });
  }
  await mock.stop();
  return [
    figure(
      "`node -e 0`",
      "ms",
      rounds.map((it) => it.nothing * 1e3),
      NO_GOAL,
    ),
    figure(
      "`dl7450 --version`, of `node -e 0`",
      "",
      rounds.map((it) => it.version / it.nothing),
      "<= 2.5",
    ),
    figure(
      `\`dl7450 ls\` of ${IMAGES} images and ${KEYS} keys, of \`dl7450 --version\``,
      "",
      rounds.map((it) => it.ls / it.version),
      "<= 4",
    ),
  ];
}

/** What the line carries to a dock that holds all of a config already. */
async function pushing(): Promise<Figure> {
  const config = join(folder, "config.yaml");
  const images = ["a", "b", "c"].map((tag) => `  ${tag}:\n    path: \${CONFIG_PATH}/${tag}.png\n    type: png\n`);
  for (const tag of ["a", "b", "c"]) await copyFile(stock, join(folder, `${tag}.png`));
  await writeFile(config, `images:\n${images.join("")}kv_store:\n  "timezone": "GMT"\n`);
  const mock = await started("bin/dl7450-mock.js", ["--profile", "development"]);
  await run(process.execPath, [command, "rom", "push", config, "--port", mock.port, "--confirm", "MOCK-0001"]);
  const dock = await Dock.open(mock.port);
  const before = dock.link.counters.bytesOut;
  const checked = await checkConfig(config);
  if (checked.kind !== "good") throw new Error("the config isn't good");
  await pushConfig(dock, checked.config, { confirm: dock.name });
  const sent = dock.link.counters.bytesOut - before;
  await dock.close();
  await mock.stop();
  return figure("sent by `rom push` of three images that are there already", "bytes", [sent], "< 20,000");
}
