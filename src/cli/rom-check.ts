/** `dl7450 rom check`: what is wrong with a config of the vendor's provisioning tool, and with the files that it names. */
import type { Command } from "commander";
import type { CheckedConfig, RomConfig } from "../rom/check-config.js";
import type { Finding } from "../rom/findings.js";
import { printable } from "../visible.js";
import { CliError } from "./cli-error.js";
import type { Context } from "./context.js";
import { examples, type GlobalOptions } from "./options.js";
import { remark, thoughUnread, writeJson, writeOut } from "./output.js";

interface RomCheckOptions extends GlobalOptions {
  /** Warnings count as problems. */
  readonly strict?: boolean;
}

type Readable = Exclude<CheckedConfig, { kind: "unreadable" }>;

export function addRomCheck(rom: Command, context: Context): void {
  rom
    .command("check")
    .description(
      "check a config and the files that it names, without a dock: everything that is wrong, at once, with its place",
    )
    .argument("<config>", "the YAML file that the vendor's provisioning script takes")
    .option("--strict", "let warnings count as problems")
    .addHelpText("after", CHECK_HELP)
    .addHelpText("after", examples("dl7450 rom check config.yaml", "dl7450 rom check --strict --json config.yaml"))
    .action(async (file: string, _local: unknown, command: Command) => {
      await romCheck(context, file, command.optsWithGlobals<RomCheckOptions>());
    });
}

const CHECK_HELP = `
Ends with 0 when a dock would take it, with 7 when there are problems, and with 2 when
there is no such file to read. Warnings say what the vendor's script makes otherwise of it.`;

/** What is known of a config. Fails with `USAGE` when there is none. */
export async function checkedConfig({ signal }: Context, file: string): Promise<Readable> {
  const { checkConfig } = await import("../rom/check-config.js"); // not for --help
  const checked = await checkConfig(file, { signal });
  if (checked.kind !== "unreadable") return checked;
  throw new CliError("USAGE", `${file} can't be read: ${checked.why}.`);
}

/** A config that a dock can be compared with. What is wrong with it goes to stderr. Fails with `CONFIG` and with `USAGE`. */
export async function goodConfig(context: Context, file: string, options: GlobalOptions): Promise<RomConfig> {
  const checked = await checkedConfig(context, file);
  // With --json an error is one line, and `rom check` has the rest.
  const isTold = !options.json && (checked.kind === "bad" || !options.quiet);
  if (isTold) for (const line of findingLines(file, checked)) remark(context, { ...options, quiet: false }, line);
  if (checked.kind === "bad") throw refusal(file, checked, {});
  return checked.config;
}

/** The findings, each on a line as compilers have it, ordered by place. */
export function findingLines(file: string, checked: Readable): string[] {
  const errors = checked.kind === "bad" ? checked.problems.map((it) => ({ ...it, severity: "error" })) : [];
  const warnings = checked.warnings.map((it) => ({ ...it, severity: "warning" }));
  return [...errors, ...warnings]
    .sort((a, b) => placeOrder(a) - placeOrder(b) || (a.column ?? 0) - (b.column ?? 0))
    .map(({ line, column, severity, message }) => {
      const place = line === undefined ? "" : `:${line}:${column}`;
      return printable(`${file}${place}: ${severity}: ${message}`);
    });
}

/** Why a config is refused; undefined when it isn't. */
function refusal(file: string, checked: Readable, { strict }: Pick<RomCheckOptions, "strict">): CliError | undefined {
  const { warnings } = checked;
  if (checked.kind === "bad") return new CliError("CONFIG", `${file}: ${count(checked.problems.length, "problem")}`);
  if (strict !== true || warnings.length === 0) return undefined;
  return new CliError("CONFIG", `${file}: ${count(warnings.length, "warning")}, and --strict takes none`);
}

async function romCheck(context: Context, file: string, options: RomCheckOptions): Promise<void> {
  const { ROM_CAPACITY } = await import("../rom/check-config.js");
  const checked = await checkedConfig(context, file);
  const refused = refusal(file, checked, options);
  const lines = findingLines(file, checked).map((line) => `${line}\n`);
  await thoughUnread(
    options.json
      ? writeJson(context, { file, ok: refused === undefined, ...shape(checked), capacity: ROM_CAPACITY })
      : writeOut(context, lines.join("")),
  );
  if (refused !== undefined) throw refused;
  if (checked.kind === "good") remark(context, options, `${file}: ${summary(checked.config, ROM_CAPACITY)}`);
}

/** As JSON. What a config asks for is known when it has no problems. */
function shape(checked: Readable): object {
  const { warnings } = checked;
  if (checked.kind === "bad") return { problems: checked.problems, warnings };
  const { images, keys, code, bytes } = checked.config;
  const list = [...images].map(([tag, image]) => ({ tag, ...image }));
  return { problems: [], warnings, images: list, keys: keys.size, ...(code === undefined ? {} : { code }), bytes };
}

function summary({ images, keys, code, bytes }: RomConfig, capacity: number): string {
  const parts = [count(images.size, "image"), count(keys.size, "key"), ...(code === undefined ? [] : ["code"])];
  return `fine: ${parts.join(", ")}, ${bytes.toLocaleString("en")} of ${capacity.toLocaleString("en")} bytes`;
}

function placeOrder({ line }: Finding): number {
  return line ?? Number.MAX_SAFE_INTEGER;
}

function count(number: number, name: string): string {
  return `${number} ${name}${number === 1 ? "" : "s"}`;
}
