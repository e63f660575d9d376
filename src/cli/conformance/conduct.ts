/** How a dock is put to the contract suite: from opening it once to what the results come to. */
import type { DockInfo } from "../../index.js";
import type { ConformanceOptions } from "../conformance.js";
import type { Context } from "../context.js";
import { openingOf, withDock } from "../open-dock.js";
import { remark, thoughUnread, writeJson } from "../output.js";
import { fileSink, type Sink } from "../sink.js";
import { junitText } from "./junit.js";
import { resultsJson, writeResults } from "./result-text.js";
import { countsOf, countsText, problemOf, type Run } from "./results.js";
import { findVitest, runContract, type Vitest } from "./run.js";

/** Finds the dock, runs the suite on it and tells the results. Fails unless they show that the dock keeps the contract. */
export async function conduct(context: Context, options: ConformanceOptions): Promise<void> {
  const vitest = await findVitest(() => import("vitest/node"));
  const { signal } = context;
  const dock = await withDock(context, options, (dock) => dock.info({ signal }));
  remark(context, options, `Testing ${dockText(dock)}`);
  const run = await runAndKeep(context, options, vitest, dock);
  await thoughUnread(options.json ? writeJson(context, { dock, ...resultsJson(run) }) : writeResults(context, run));
  const problem = problemOf(run, options.only ?? []);
  if (problem !== undefined) throw problem;
}

/** Such as `RW02-0005 (DL-7450, firmware 1.4.2): stores, txn`. */
function dockText({ name, model, firmware, features }: DockInfo): string {
  return `${name} (${model}, firmware ${firmware || "unknown"}): ${features.join(", ") || "no features"}`;
}

/** The run, and its file where one is wanted. */
async function runAndKeep(context: Context, options: ConformanceOptions, vitest: Vitest, dock: DockInfo): Promise<Run> {
  const { junit, only = [] } = options;
  const sink = junit === undefined ? undefined : await fileSink(junit, context); // before it takes minutes
  try {
    const run = await runTold(context, options, vitest);
    const problem = problemOf(run, only);
    if (problem?.code === "USAGE") throw problem; // there are no results
    if (sink !== undefined) await writeJunit(sink, run, dock);
    return run;
  } catch (error) {
    await sink?.discard();
    throw error;
  }
}

/** The run, with a line for each group where somebody looks on. */
async function runTold(context: Context, options: ConformanceOptions, vitest: Vitest): Promise<Run> {
  const { signal, env, stderr } = context;
  const { port = "", only = [], progress } = options;
  const isSeen = progress === "json" || (progress === "auto" && stderr.isTTY === true && options.json !== true);
  const run = await runContract(vitest, {
    env: {
      ...{ DL7450_PORT: port, DL7450_ALLOW_WRITE: env.DL7450_ALLOW_WRITE ?? "" },
      DL7450_OPENING: JSON.stringify(openingOf(options)),
    },
    ...{ only, signal, keepsTraces: options.junit !== undefined },
    onGroup: (group, counts) => isSeen && remark(context, options, `${group}: ${countsText(counts)}`),
  });
  if (signal.aborted) remark(context, options, `Until then: ${countsText(countsOf(run.tests))}, ${run.notRun} not run.`);
  signal.throwIfAborted();
  return run;
}

async function writeJunit(sink: Sink, run: Run, { id, name, model, firmware, sdk, features }: DockInfo): Promise<void> {
  await sink.write(Buffer.from(junitText(run, { id, name, model, firmware, sdk, features: features.join(" ") })));
  await sink.finish();
}
