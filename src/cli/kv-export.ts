/** `dl7450 kv export`: keys with their values, as JSON or in the form of .env files. */
import type { Command } from "commander";
import { jsonValue } from "../../protocol/json-value.js";
import type { KvValue } from "../index.js";
import { jsonText } from "../json-text.js";
import type { Context } from "./context.js";
import { envText } from "./env-file.js";
import { formatOf, formatOption, type ValueFormat } from "./kv-format.js";
import { withDock } from "./open-dock.js";
import { examples, type StoreOptions, storeOption } from "./options.js";
import { remark } from "./output.js";
import { fileSink, stdoutSink } from "./sink.js";

interface ExportOptions extends StoreOptions {
  readonly format?: ValueFormat;
}

export function addKvExport(kv: Command, context: Context): void {
  kv.command("export")
    .description("write all keys with their values, as `dl7450 kv import` reads them")
    .argument("[file]", "where to: a file, which is replaced when all is there; - is stdout", "-")
    .addOption(formatOption())
    .addOption(storeOption())
    .addHelpText("after", examples("dl7450 kv export keys.json", "dl7450 kv export --format env --store factory"))
    .action(async (file: string, _local: unknown, command: Command) => {
      await kvExport(context, file, command.optsWithGlobals<ExportOptions>());
    });
}

async function kvExport(context: Context, file: string, options: ExportOptions): Promise<void> {
  const format = formatOf(file, options.format) ?? "json";
  const { store } = options;
  const { signal } = context;
  const values = await withDock(context, options, async (dock) => {
    const found: [key: string, value: KvValue][] = [];
    for await (const entry of dock.kv.entries({ store, signal })) found.push(entry);
    return found;
  });
  const text = format === "env" ? await envText(values) : `${jsonText(jsonOf(values), 2)}\n`;
  const sink = file === "-" ? stdoutSink(context) : await fileSink(file, context);
  try {
    await sink.write(Buffer.from(text));
    await sink.finish();
  } catch (error) {
    await sink.discard();
    throw error;
  }
  if (file !== "-") remark(context, options, `${file}: ${values.length} keys`);
}

function jsonOf(values: readonly (readonly [key: string, value: KvValue])[]): object {
  return Object.fromEntries(values.map(([key, value]) => [key, jsonValue(value)]));
}
