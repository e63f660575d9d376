/** `dl7450 kv set`: gives a key a value. */
import type { Command } from "commander";
import type { KvValue } from "../index.js";
import { CliError } from "./cli-error.js";
import type { Context } from "./context.js";
import { readText } from "./input.js";
import { valueOfText } from "./json-values.js";
import { withDockToWrite } from "./open-dock.js";
import { addWriteOptions, examples, type WriteLayerOptions } from "./options.js";
import { remark, writeJson } from "./output.js";

interface KvSetOptions extends WriteLayerOptions {
  /** The value is JSON, not text. */
  readonly jsonValue?: boolean;
  /** Where the value is, instead of on the command line. */
  readonly file?: string;
}

export function addKvSet(kv: Command, context: Context): void {
  const command = kv
    .command("set")
    .description("give a key a value, in place of the one that it has")
    .argument("<key>", "the key")
    .argument("[value]", "the value: text as it is; after -- it may begin with a -")
    .option("--json-value", "the value is JSON, in the notation of `dl7450 kv get --json`")
    .option("--file <file>", "the value is what the file has, to its last line end; - is stdin");
  addWriteOptions(command, context)
    .addHelpText(
      "after",
      examples(
        "dl7450 kv set timezone Europe/Berlin",
        "dl7450 kv set brightness 80 --json-value --store ephemeral",
        "dl7450 kv set certificate --file dock.pem",
        `dl7450 kv set key '{"$bytes": "AQID"}' --json-value`,
      ),
    )
    .action(async (key: string, value: string | undefined, _local: unknown, command: Command) => {
      const options = command.optsWithGlobals<KvSetOptions>();
      if ((value === undefined) === (options.file === undefined)) command.error("give either a value or --file");
      const text = value ?? (await readText(options.file ?? "-", context));
      await kvSet(context, key, options.jsonValue ? jsonOf(text) : text, options);
    });
}

async function kvSet(context: Context, key: string, value: KvValue, options: WriteLayerOptions): Promise<void> {
  const { store, dryRun } = options;
  const changes = await withDockToWrite(context, options, async (dock, to) => {
    if (!dryRun) return dock.kv.set(key, value, to).then(() => true);
    const { wouldSet } = await import("./would-write.js"); // not for --help
    return wouldSet(dock, key, value, to);
  });
  if (options.json) return writeJson(context, { key, store, ...(dryRun ? { dryRun, changes } : {}) });
  const said = changes ? "would be set" : "has that value already";
  remark(context, options, `${key}: ${dryRun ? said : "set"}, ${store}`);
}

/** The value that JSON stands for. Fails with `USAGE`. */
function jsonOf(text: string): KvValue {
  try {
    return valueOfText(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError("USAGE", `The value isn't one in JSON: ${why}. Without --json-value it is text as it is.`, cause);
  }
}
