/** `dl7450 kv set`: gives a key a value. */
import type { Command } from "commander";
import { valueOfJson } from "../../protocol/index.js";
import type { KvValue } from "../index.js";
import { CliError } from "./cli-error.js";
import type { Context } from "./context.js";
import { withDock } from "./open-dock.js";
import { addWriteOptions, examples, type WriteLayerOptions } from "./options.js";
import { remark, writeJson } from "./output.js";

interface KvSetOptions extends WriteLayerOptions {
  /** The value is JSON, not text. */
  readonly jsonValue?: boolean;
}

export function addKvSet(kv: Command, context: Context): void {
  const command = kv
    .command("set")
    .description("give a key a value, in place of the one that it has")
    .argument("<key>", "the key")
    .argument("<value>", "the value: text as it is; after -- it may begin with a -")
    .option("--json-value", "the value is JSON, in the notation of `dl7450 kv get --json`");
  addWriteOptions(command)
    .addHelpText(
      "after",
      examples(
        "dl7450 kv set timezone Europe/Berlin",
        "dl7450 kv set brightness 80 --json-value --store ephemeral",
        `dl7450 kv set key '{"$bytes": "AQID"}' --json-value`,
      ),
    )
    .action(async (key: string, text: string, _local: unknown, command: Command) => {
      const options = command.optsWithGlobals<KvSetOptions>();
      await kvSet(context, key, options.jsonValue ? valueOfText(text) : text, options);
    });
}

async function kvSet(context: Context, key: string, value: KvValue, options: WriteLayerOptions): Promise<void> {
  const { store, confirm } = options;
  const { signal } = context;
  await withDock(context, options, (dock) => dock.kv.set(key, value, { store, confirm, signal }));
  if (options.json) return writeJson(context, { key, store });
  remark(context, options, `${key}: set, ${store}`);
}

/** The value that JSON stands for. Fails with `USAGE`. */
function valueOfText(text: string): KvValue {
  try {
    const json: unknown = JSON.parse(text);
    checkIntegers(text);
    return valueOfJson(json);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `The value isn't one in JSON: ${why}. Without --json-value it is text as it is.`;
    throw new CliError("USAGE", message, cause);
  }
}

/** JSON.parse silently takes the nearest float for an integer that has too many digits for one. */
function checkIntegers(json: string): void {
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g)) {
    if (!/^-?\d{16,}$/.test(token) || String(Number(token)) === token) continue;
    throw new RangeError(`${token} would lose digits, and is to be written {"$int": "${token}"}`);
  }
}
