/** `dl7450 kv get`: the value of a key. */
import type { Command } from "commander";
import { jsonValue } from "../../protocol/json-value.js";
import { diagnostic } from "../diagnostic.js";
import type { KvValue } from "../index.js";
import { visible } from "../visible.js";
import { CliError } from "./cli-error.js";
import type { Context } from "./context.js";
import { withDock } from "./open-dock.js";
import { examples, type StoreOptions, storeOption } from "./options.js";
import { writeJson, writeOut } from "./output.js";

export function addKvGet(kv: Command, context: Context): void {
  kv.command("get")
    .description("print the value of a key on a line: text as it is, all else in CBOR's diagnostic notation")
    .argument("<key>", "the key")
    .addOption(storeOption())
    .addHelpText("after", examples("dl7450 kv get timezone", "dl7450 kv get timezone --store factory --json"))
    .action(async (key: string, _local: unknown, command: Command) => {
      await kvGet(context, key, command.optsWithGlobals<StoreOptions>());
    });
}

async function kvGet(context: Context, key: string, options: StoreOptions): Promise<void> {
  const { store } = options;
  const { signal } = context;
  const found = await withDock(context, options, (dock) => dock.kv.find(key, { store, signal }));
  if (found === undefined) {
    const where = store === undefined ? "on the dock" : `in the layer ${store}`;
    throw new CliError("NOT_FOUND", `There is no key "${key}" ${where}. \`dl7450 ls\` lists those that there are.`);
  }
  if (options.json) return writeJson(context, { key, store: found.store, upd: found.upd, value: jsonValue(found.value) });
  await writeOut(context, `${valueText(found.value)}\n`);
}

/** Text without quotes, for scripts. */
function valueText(value: KvValue): string {
  return typeof value === "string" ? visible(value) : diagnostic(value);
}
