/** `dl7450 rom verify`: whether a dock's factory layer is what a config asks for. */
import type { Command } from "commander";
import type { CodeComparison, Comparison } from "../rom/factory.js";
import { CliError } from "./cli-error.js";
import type { Context } from "./context.js";
import { differenceJson, writeDifferences } from "./difference-text.js";
import { withDock } from "./open-dock.js";
import { examples, type GlobalOptions } from "./options.js";
import { remark, thoughUnread, writeJson } from "./output.js";
import { goodConfig } from "./rom-check.js";

export function addRomVerify(rom: Command, context: Context): void {
  rom
    .command("verify")
    .description("list how the dock's factory layer differs from a config, its code by the CRC-32; ends with 8 when it does")
    .argument("<config>", "the YAML file that the vendor's provisioning script takes; it is checked first")
    .addHelpText("after", "\nValues that are unique per dock don't count, unless the config names them.")
    .addHelpText("after", examples("dl7450 rom verify config.yaml", "dl7450 rom verify config.yaml --json"))
    .action(async (file: string, _local: unknown, command: Command) => {
      await romVerify(context, file, command.optsWithGlobals<GlobalOptions>());
    });
}

async function romVerify(context: Context, file: string, options: GlobalOptions): Promise<void> {
  const config = await goodConfig(context, file, options);
  const { compareConfig } = await import("../rom/factory.js"); // not for --help
  const { signal } = context;
  const found = await withDock(context, options, (dock) => compareConfig(dock, config, { signal }));
  await thoughUnread(tellComparison(context, options, found));
  const { differences, code } = found;
  if (differences.length > 0 || code.kind === "differs") {
    const what = [
      ...(differences.length > 0 ? [`${differences.length} of its images and keys`] : []),
      ...(code.kind === "differs" ? ["its code"] : []),
    ];
    throw new CliError("DIFFERS", `The dock isn't as in ${file}: ${what.join(" and ")} differ.`);
  }
  remark(context, options, `${file}: the dock is the same`);
}

/** The differences as data; what can't be compared as a remark. */
export async function tellComparison(
  context: Context,
  options: GlobalOptions,
  { differences, code }: Comparison,
): Promise<void> {
  const layers = [{ store: "factory" as const, differences }];
  if (options.json) return writeJson(context, { differences: differenceJson(layers), code });
  await writeDifferences(context, layers, "in the config");
  const said = codeText(code);
  if (said !== undefined) remark(context, options, said);
}

function codeText(code: CodeComparison): string | undefined {
  switch (code.kind) {
    case "any":
    case "same":
      return undefined;
    case "untold":
      return "code: not compared, the dock doesn't tell its CRC-32";
    case "differs":
      return `code: ${facts(code.is)} on the dock, ${facts(code.wanted)} in the config`;
  }
}

function facts({ size, crc32 }: { readonly size: number; readonly crc32: number }): string {
  return `${size} bytes, CRC-32 ${crc32.toString(16).padStart(8, "0")}`;
}
