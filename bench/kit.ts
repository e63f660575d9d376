/** What the test kit costs a test, and what several docks save: `npm run bench:kit [-- --json]`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { figure, print } from "./measure.js";

const ROUNDS = 3;

const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));
const scenes = fileURLToPath(new URL("../../bench/kit", import.meta.url));
const results = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    success: v.literal(true),
    testResults: v.array(v.object({ assertionResults: v.array(v.object({ duration: v.number() })) })),
  }),
);

const rounds: { layer: number; none: number; several: number }[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const bare = await run("bare");
  const layer = await run("layer");
  const none = await run("none");
  const one = await run("all");
  const four = await run("part-");
  rounds.push({ layer: layer.test - bare.test, none: none.test - bare.test, several: one.whole / four.whole });
}
print([
  figure(
    'a test with the kit and `isolate: "layer"`, beyond the same without the kit (median of 200)',
    "ms",
    rounds.map((it) => it.layer),
    "<= 15",
  ),
  figure(
    'the same with `isolate: "none"`',
    "ms",
    rounds.map((it) => it.none),
    "<= 5",
  ),
  figure(
    "200 tests that wait for their dock, on four mocks, times as fast as on one",
    "",
    rounds.map((it) => it.several),
    ">= 2.5",
  ),
]);

/** Runs scenes: the median of their tests, and how long the run took, in milliseconds. */
async function run(filter: string): Promise<{ test: number; whole: number }> {
  const folder = await mkdtemp(join(tmpdir(), "dl7450-bench-"));
  const output = join(folder, "results.json");
  const args = [
    vitest,
    "run",
    "--config",
    join(scenes, "vitest.config.ts"),
    filter,
    "--reporter=json",
    `--outputFile=${output}`,
  ];
  const begun = performance.now();
  await once(spawn(process.execPath, args, { stdio: "ignore" }), "close");
  const whole = performance.now() - begun;
  const { testResults } = v.parse(results, await readFile(output, "utf8"));
  await rm(folder, { recursive: true });
  const durations = testResults.flatMap(({ assertionResults }) => assertionResults.map(({ duration }) => duration));
  return { test: durations.toSorted((a, b) => a - b)[Math.floor(durations.length / 2)] ?? Number.NaN, whole };
}
