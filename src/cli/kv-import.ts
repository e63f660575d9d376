/** `dl7450 kv import`: keys and values out of a file, all of them or none. */
import type { Command } from "commander";
import { counted } from "../difference-text.js";
import type { KvValue } from "../index.js";
import { CliError } from "./cli-error.js";
import type { Context } from "./context.js";
import { differenceJson, writeDifferences } from "./difference-text.js";
import { envValues } from "./env-file.js";
import { readText } from "./input.js";
import { valuesOfText } from "./json-values.js";
import { formatOf, formatOption, type ValueFormat } from "./kv-format.js";
import { withDockToWrite } from "./open-dock.js";
import { addWriteOptions, examples, type WriteLayerOptions } from "./options.js";
import { remark, writeJson } from "./output.js";

interface ImportOptions extends WriteLayerOptions {
  readonly format?: ValueFormat;
}

export function addKvImport(kv: Command, context: Context): void {
  const command = kv
    .command("import")
    .description("give keys the values that a file has, all at once or not at all; other keys stay as they are")
    .argument("<file>", "an object of keys and values in JSON, or a .env file; - is stdin")
    .addOption(formatOption());
  addWriteOptions(command, context)
    .addHelpText("after", examples("dl7450 kv import keys.json", "dl7450 kv import .env --store ephemeral --dry-run"))
    .action(async (file: string, _local: unknown, command: Command) => {
      const options = command.optsWithGlobals<ImportOptions>();
      await kvImport(context, file, await valuesIn(context, file, options.format), options);
    });
}

async function valuesIn(context: Context, file: string, told: ValueFormat | undefined): Promise<[string, KvValue][]> {
  const format = formatOf(file, told) ?? "json";
  const text = await readText(file, context);
  if (format === "env") return envValues(text);
  try {
    return valuesOfText(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError("USAGE", `${file === "-" ? "stdin" : file} isn't keys and values in JSON: ${why}.`, cause);
  }
}

async function kvImport(
  context: Context,
  file: string,
  values: readonly (readonly [key: string, value: KvValue])[],
  options: ImportOptions,
): Promise<void> {
  const { differences, reconcile } = await import("../difference.js"); // not for --help
  const { wouldSet } = await import("./would-write.js");
  const { store, dryRun } = options;
  const found = await withDockToWrite(context, options, async (dock, to) => {
    const keys = new Map(values.map(([key, value]) => [key, { value, upd: false }]));
    const is = new Map<string, { value: KvValue; upd: boolean }>();
    for (const [key, value] of values) {
      if (await wouldSet(dock, key, value, to)) {
        const before = await dock.kv.find(key, to);
        if (before !== undefined) is.set(key, before);
      } else keys.delete(key);
    }
    const all = differences({ images: new Map(), keys: is }, { images: new Map(), keys });
    if (!dryRun) await reconcile(dock, store, all, { ...to, sourceOf: () => [] });
    return all;
  });
  const layers = [{ store, differences: found }];
  if (options.json) return writeJson(context, differenceJson(layers));
  await writeDifferences(context, layers, "in the file");
  const name = file === "-" ? "stdin" : file;
  if (found.length === 0) return remark(context, options, `${name}: all ${values.length} keys have these values already`);
  remark(context, options, `${name}: ${dryRun ? "would be imported" : "imported"}, ${counted(layers)}`);
}
