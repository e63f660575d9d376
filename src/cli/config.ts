/** `dl7450 config`: which settings hold, and where they come from. */
import type { Command } from "commander";
import type { Context } from "./context.js";
import { examples, type GlobalOptions } from "./options.js";
import { writeJson } from "./output.js";
import { FILE_NAME, type Origin, settle } from "./settings.js";
import { writeTable } from "./table.js";

export function addConfig(program: Command, context: Context): void {
  program
    .command("config")
    .description("print which settings hold, and where each comes from")
    .addHelpText(
      "after",
      [
        "",
        "A setting is looked for in this order, and the first that is found holds:",
        "  a flag, such as --port",
        "  the environment, such as DL7450_PORT",
        `  ${FILE_NAME} in this folder or one above it`,
        `  ${FILE_NAME} of yours: on Linux in ~/.config/dl7450`,
        "",
        `A file is like { "port": "id:RW02-0005", "timeout": 20 }.`,
      ].join("\n"),
    )
    .addHelpText("after", examples("dl7450 config", "DL7450_TIMEOUT=20 dl7450 config --json"))
    .action(async (_local: unknown, command: Command) => {
      await config(program, context, command.optsWithGlobals<GlobalOptions>());
    });
}

async function config(program: Command, context: Context, options: GlobalOptions): Promise<void> {
  const settled = await settle(program, context);
  if (options.json) return writeJson(context, settled);
  const titles = ["setting", "value", "from"].map((title) => ({ title }));
  const rows = settled.map(({ setting, value, from }) => [
    setting,
    value === undefined ? "-" : String(value),
    originText(from),
  ]);
  await writeTable(context, titles, rows);
}

function originText(from: Origin): string {
  switch (from.kind) {
    case "flag":
      return "flag";
    case "environment":
      return from.variable;
    case "file":
      return from.file;
    case "default":
      return "default";
  }
}
