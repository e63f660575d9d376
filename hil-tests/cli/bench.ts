/** The command line, run in the test's own process on a dock that the test can look into. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { DockOptions, ProfileName } from "../../mocks/dock.js";
import type { Layer } from "../../protocol/index.js";
import type { Context } from "../../src/cli/context.js";
import { type Ran, runCli } from "../../src/cli/testing/run-cli.js";
import { type Held, ModelDock } from "../model-dock.js";

export interface Bench {
  readonly dock: ModelDock;
  /** Runs a command on the dock. */
  run(...argv: readonly string[]): Promise<Ran>;
  /** The same, with something given otherwise than usual. */
  runWith(given: Partial<Context>, ...argv: readonly string[]): Promise<Ran>;
  /** What a command prints with `--json`. */
  json(...argv: readonly string[]): Promise<unknown>;
}

/** A dock called RW02-0005, which ends with the test. */
export async function benchWith(
  profile: ProfileName,
  layers: { readonly [store in Layer]?: Held } = {},
  options: DockOptions = {},
): Promise<Bench> {
  const dock = await ModelDock.start(profile, layers, options);
  onTestFinished(() => dock[Symbol.asyncDispose]());
  const runWith: Bench["runWith"] = (given, ...argv) => runCli([...argv, "--port", dock.target], given);
  const run: Bench["run"] = (...argv) => runWith({}, ...argv);
  return { dock, run, runWith, json: async (...argv) => JSON.parse((await run(...argv, "--json")).stdout) };
}

/** A folder that ends with the test. */
export async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "dl7450-cli-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** The cells of a table, line by line. */
export function cells(text: string): string[][] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => line.trim().split(/ {2,}/));
}
